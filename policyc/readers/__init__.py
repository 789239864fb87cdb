"""Text to Ruleset: iptables-save dumps, single iptables commands, ipsets. Stands under language and engines."""
