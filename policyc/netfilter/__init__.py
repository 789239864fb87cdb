"""The hub: what a netfilter ruleset is and means. Readers, engines and lowering make Rulesets; all else asks them."""
