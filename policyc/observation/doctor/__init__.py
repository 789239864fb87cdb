"""What drops packets outside the rules: measurements, what they mean and what to do. Part of `policyc.observation`."""
