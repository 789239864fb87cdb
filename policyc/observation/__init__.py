"""What is seen of a machine at work, as values: live counters and traced packets on source lines, drops outside the rules.

`policyc.kernel` sees, `policyc.report` shows; both take these values and neither imports the other.
"""
