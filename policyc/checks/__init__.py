"""One file a finding: what it needs and how it decides. `run.run_checks` asks all of `run.CHECKS` about a Ruleset."""
