"""Changing the kernel's rules so that it ends with exactly the old or exactly the new ones, whoever dies on the way.

`plan` says what a change does and rehearses it, `change` carries it out and takes it back, `watchdog` takes it back when
nobody else can; what all of them need to know stands in the `journal` before the first thing is changed.
"""
