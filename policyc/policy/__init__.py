"""A policy with its names resolved and its types checked: what stands between the syntax tree and the lowering.

`model` is what the lowering reads, made of `values` and of what a policy defines by name (`defined`). `resolve` makes it.
"""
