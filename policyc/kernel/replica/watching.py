"""The tables of nf_tables with which a replica watches packets: they change nothing, and stop what has been delivered.

Used by `observe`. Their chains' names say what an event of the trace means.
"""

from __future__ import annotations

TABLE = "policyc_watch"
ENTER, LEAVE, STATE, DELIVERED = "enter", "leave", "state", "delivered"
LOG_GROUP, TRACE_GROUP = 0xC0DE, 0  # of nfnetlink_log; the trace of legacy tables comes as copies to group 0
SENT, ARRIVED, PASSED = "sent", "arrived", "passed"  # what the copies are of
STATES = ("new", "established", "related", "invalid", "untracked")
REPLY = len(STATES) + 1  # the rule that follows those of the states

FIRST_MARK, LAST_MARK = (
    0x2001,
    0x7FFF,
)  # of the packets that are sent; the kernel's own reports on groups would be counted

# Loaded before anything that needs conntrack: of hooks with equal priority the later runs first, and what is delivered has
# to be confirmed before it is stopped here, where no socket answers it any more.
_END = f"""
table inet {TABLE} {{
  chain {DELIVERED} {{
    type filter hook input priority 2147483647; policy accept;
    log prefix "{ARRIVED}" group {LOG_GROUP} queue-threshold 1
    drop
  }}
}}
"""
_TESTS = "\n".join([*(f"    ct state {name}" for name in STATES), "    ct direction reply"])
_WAY = f"""
table inet {TABLE} {{
  chain {ENTER} {{
    type filter hook prerouting priority -500; policy accept;
    meta nftrace set 1
  }}
  chain {LEAVE} {{
    type filter hook output priority -500; policy accept;
    icmpv6 type {{ 130-132, 143 }} ip6 flowlabel != {FIRST_MARK}-{LAST_MARK} drop
    ip protocol igmp ip id != {FIRST_MARK}-{LAST_MARK} drop
    meta nftrace set 1
    log prefix "{SENT}" group {LOG_GROUP} queue-threshold 1
  }}
  chain {STATE}_in {{
    type filter hook prerouting priority -199; policy accept;
{_TESTS}
  }}
  chain {STATE}_out {{
    type filter hook output priority -199; policy accept;
{_TESTS}
  }}
}}
"""
LEFT = f"{PASSED} postrouting"
# The trace of a legacy table tells the mark that a packet had before its rule.
_MARKS = "\n".join(f"""
  chain {PASSED}_{hook} {{
    type filter hook {hook} priority 2147483646; policy accept;
    log prefix "{PASSED} {hook}" group {LOG_GROUP} queue-threshold 1
  }}""" for hook in ("prerouting", "input", "forward", "output", "postrouting"))  # fmt: skip


def texts(*, of_legacy: bool) -> list[str]:
    """Return what nft(8) loads, in this order, for packets that pass legacy tables or those of nf_tables."""
    return [_END, _WAY, *([f"table inet {TABLE} {{{_MARKS}\n}}\n"] if of_legacy else [])]
