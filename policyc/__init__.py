"""policyc: a compiler, a verifier and a debugger for Linux packet filtering.

Python users import `policyc.api`; nothing is imported here, so that start-up stays as light as the command needs.
"""

__version__ = "0.1.0"

FORMAT_VERSION = "1.0"
"""Of every JSON answer; minor versions only add keys."""
