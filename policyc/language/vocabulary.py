"""The words of the language by what they are; `grammar/policy.lark` says where they may stand."""

from __future__ import annotations

from policyc.language.words import WORDS

KINDS = ("zone", "address", "service", "set", "limit", "log", "mark", "schedule")
TABLES = ("filter", "nat", "mangle", "raw")
INTENTS = ("publish", "notrack", "synproxy", "tproxy", "netmap", "clamp")
BLOCKS = ("policy", "docker", "test", "define")
VERBS = (
    *("accept", "drop", "reject", "return", "masquerade", "snat", "dnat", "redirect"),
    *("mark", "save-mark", "restore-mark", "helper", "log", "jump"),
)
RULE_WORDS = tuple(word.word for word in WORDS)
ENGINE_WORDS = (
    *(
        "network",
        "address",
        "publish",
        "publish-all",
        "expose",
        "link",
        "subnet",
        "gateway",
        "driver",
        "bridge",
        "mode",
    ),
    *("icc", "internal", "ipv6", "bind", "trusted", "iptables", "ip6tables", "ip-forward", "ip-masq", "userland-proxy"),
)

PORT_PROTOCOLS = ("tcp", "udp", "udplite", "sctp", "dccp")
ICMP_PROTOCOLS = ("icmp", "icmp6")

RESERVED = frozenset(
    (
        *(*KINDS, *TABLES, *INTENTS, *BLOCKS, *VERBS, *RULE_WORDS, *PORT_PROTOCOLS, *ICMP_PROTOCOLS),
        *("any", "self", "not", "otherwise", "use", "include", "require", "never", "always", "proto"),
    ),
)
"""What cannot be a name. Words that only stand at one fixed place (`burst`, `per`, `on`, `shared`, …) can."""

STATES = ("new", "established", "related", "invalid", "untracked", "snat", "dnat")
TCP_FLAGS = ("SYN", "ACK", "FIN", "RST", "PSH", "URG", "ECE", "CWR")
RATE_UNITS = ("second", "minute", "hour", "day")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FAMILIES = {"ip": 4, "ip6": 6}
