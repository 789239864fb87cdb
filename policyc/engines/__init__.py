"""What container engines install: one package an engine, each a scenario and a version in, a Ruleset out.

Below policy, whose container blocks are lowered by these models; above the readers, whose iptables commands they speak.
"""
