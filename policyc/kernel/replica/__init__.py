"""A host rebuilt in throw-away namespaces and packets sent through it for real: what the kernel does, beside what we say."""

from policyc.kernel.replica.observe import observe
from policyc.kernel.replica.verify import verify

__all__ = ["observe", "verify"]
