"""A host rebuilt in throw-away namespaces and packets sent through it for real: what the kernel does, beside what we say."""

from policyc.kernel.replica.compare import Difference, compare
from policyc.kernel.replica.observe import observe
from policyc.kernel.replica.verify import Verification, verify

__all__ = ["Difference", "Verification", "compare", "observe", "verify"]
