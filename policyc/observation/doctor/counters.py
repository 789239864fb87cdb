"""The kernel's counters of packets that it dropped by itself: which of them mean what, and what to do. Data of `doctor`.

Sources: Documentation/networking/snmp_counter.rst, ip-sysctl.rst, nf_conntrack-sysctl.rst. tests/kernel/test_doctor.py provokes
those that a network namespace can.
"""

from __future__ import annotations

from policyc.frozen import frozen


@frozen
class Counted:
    """A check of one counter. `counter` is its name, or a pattern of names with `*` for an interface.

    `loses`: each count is a packet or connection lost; else it is a sign, or may have other causes. `everywhere`: it is of the
    whole machine, not of this network namespace.
    """

    check: str
    counter: str
    title: str
    means: str
    advice: str
    loses: bool = True
    everywhere: bool = False


COUNTERS = (
    # ---------------------------------------------------------------- routing, before any filter rule
    Counted(
        "rp-filter", "TcpExtIPReversePathFilter", "reverse path filter dropped packets",
        "a packet came in by another interface than the one by which its source would be answered; raw and mangle PREROUTING "
        "have seen it, filter has not",
        "mend the route to that source, or set net.ipv4.conf.IFACE.rp_filter=2 (loose); the effective value is the larger of "
        "conf.all and conf.IFACE",
    ),
    Counted(
        "martian-source", "rt_cache.in_martian_src", "packets with an impossible source",
        "a source that is this host's own, 127/8, 0.0.0.0 or multicast, or one that rp_filter refuses: routing dropped it",
        "log them with net.ipv4.conf.all.log_martians=1 (and conf.IFACE); look for a doubled address or a loop in the network",
        everywhere=True,
    ),
    Counted(
        "martian-destination", "rt_cache.in_martian_dst", "packets with an impossible destination",
        "127/8 or 0.0.0.0 from outside, often DNAT to 127.0.0.1 in PREROUTING: routing dropped it behind PREROUTING",
        "use REDIRECT instead of DNAT to 127.0.0.1; route_localnet=1 would open every loopback service to neighbours",
        everywhere=True,
    ),
    Counted(
        "not-for-this-host", "IpInAddrErrors", "packets to addresses that are not this host's",
        "a packet was for somebody else and this host does not forward: net.ipv4.ip_forward or conf.IFACE.forwarding is 0",
        "a router needs net.ipv4.ip_forward=1; else find out who sends such packets here",
    ),
    Counted(
        "no-route-in", "IpExtInNoRoutes", "packets that came in and had no route on",
        "no route leads to the destination; the sender was told network-unreachable where rules allow it",
        "`ip route get ADDRESS from SOURCE iif IFACE` shows the look-up; add the route, or see that blackhole routes are meant",
    ),
    Counted(
        "no-route-out", "IpOutNoRoutes", "packets of this host that had no route",
        "a program here sent to an address that no route leads to; it was told `Network is unreachable`",
        "`ip route get ADDRESS` shows the look-up; is the default route there, and is its interface up?",
    ),
    Counted(
        "bad-header", "IpInHdrErrors", "packets with a wrong IP header, or whose TTL ran out",
        "version, length or checksum of the IP header is wrong, or a packet to forward came with TTL 1",
        "TTL: look for a routing loop (`traceroute`); else for a broken sender",
    ),
    Counted(
        "in-discards", "IpInDiscards", "packets dropped on the way in without a fault of theirs",
        "memory was short, or a program on the way refused them",
        "look at memory (`dmesg`, `ss -m`) and at XDP, traffic control and IPsec policies",
    ),
    Counted(
        "out-discards", "IpOutDiscards", "packets dropped on the way out without a fault of theirs",
        "memory was short, the queue of an interface was full, or netfilter dropped what a program here sent",
        "look at rules in OUTPUT first (`policyc counters`), then at `tc -s qdisc`",
        loses=False,
    ),
    Counted(
        "fragmentation", "IpFragFails", "packets too large for the next link that may not be split",
        "the sender was told fragmentation-needed (path MTU); where ICMP is dropped, its connection hangs",
        "let ICMP type 3 code 4 pass in both directions, or clamp the MSS: `clamp` in a policy",
        loses=False,
    ),
    Counted(
        "reassembly", "IpReasmFails", "fragments that were never put together",
        "fragments are missing or came too late; connection tracking puts packets together before any rule",
        "look for rules that drop fragments (`-f`), and for lossy links",
    ),
    Counted("truncated", "IpExtInTruncatedPkts", "packets shorter than their header says",
            "a frame was cut on its way", "look at the cable, the card and `ethtool -S`"),
    # ---------------------------------------------------------------- IPv6
    Counted("no-route-in-6", "Ip6InNoRoutes", "IPv6 packets that had no route on",
            "as for IPv4: no route leads to the destination",
            "`ip -6 route get ADDRESS`; with accept_ra=1 a forwarding host learns no default route, accept_ra=2 does"),
    Counted("no-route-out-6", "Ip6OutNoRoutes", "IPv6 packets of this host that had no route",
            "a program here sent to an address that no route leads to", "`ip -6 route get ADDRESS` shows the look-up",
            loses=False),
    Counted("not-for-this-host-6", "Ip6InAddrErrors", "IPv6 packets to addresses that cannot be used",
            "the destination is not this host's and it does not forward, or the source may not be forwarded (link-local)",
            "a router needs net.ipv6.conf.all.forwarding=1"),
    Counted("too-big-6", "Ip6InTooBigErrors", "IPv6 packets too large for the next link",
            "the sender was told packet-too-big; where ICMPv6 is dropped, its connection hangs",
            "let ICMPv6 type 2 pass in both directions, or clamp the MSS", loses=False),
    Counted("bad-header-6", "Ip6InHdrErrors", "IPv6 packets with a wrong header, or whose hop limit ran out",
            "as for IPv4", "look for a routing loop"),
    Counted("in-discards-6", "Ip6InDiscards", "IPv6 packets dropped on the way in without a fault of theirs",
            "memory was short, IPv6 is disabled on the interface, or an address is not usable yet",
            "look at net.ipv6.conf.IFACE.disable_ipv6 and `ip -6 addr` (tentative, dadfailed)"),
    Counted("out-discards-6", "Ip6OutDiscards", "IPv6 packets dropped on the way out without a fault of theirs",
            "memory was short, or netfilter dropped what a program here sent", "look at rules in OUTPUT first", loses=False),
    # ---------------------------------------------------------------- TCP: queues of listening sockets
    Counted(
        "listen-overflow", "TcpExtListenOverflows", "connections that a full accept queue refused",
        "rules accepted the packet; the program does not call accept() fast enough. The client waits and repeats its last packet",
        "`ss -ltn`: Recv-Q over Send-Q is full; raise the backlog of the program and net.core.somaxconn, or make it faster",
    ),
    Counted(
        "listen-drop", "TcpExtListenDrops", "connections that a listening socket dropped",
        "a full accept queue, a full queue of half-open connections, or memory; every overflow is counted here too",
        "as for listen-overflow; with net.ipv4.tcp_syncookies=0 also raise net.ipv4.tcp_max_syn_backlog",
    ),
    Counted(
        "syn-queue-full", "TcpExtTCPReqQFullDrop", "SYNs dropped because the queue of half-open connections is full",
        "a flood of SYNs, or answers that do not come back, with net.ipv4.tcp_syncookies=0",
        "set net.ipv4.tcp_syncookies=1; raise net.ipv4.tcp_max_syn_backlog; see whether SYN,ACKs are dropped on their way",
    ),
    Counted(
        "syn-cookies", "TcpExtTCPReqQFullDoCookies", "SYNs answered with a cookie because the queue was full",
        "nothing is lost, but options of TCP are; a flood, or a program that is too slow",
        "`ss -n state syn-recv | wc -l`; `synproxy` in a policy keeps a flood away from the program",
        loses=False,
    ),
    Counted(
        "syn-cookies-sent", "TcpExtSyncookiesSent", "SYN cookies were sent",
        "the queue of half-open connections is or was full", "as for syn-cookies", loses=False,
    ),
    Counted(
        "syn-cookies-failed", "TcpExtSyncookiesFailed", "ACKs with a wrong SYN cookie",
        "scans, or clients that answer too late", "harmless in small numbers", loses=False,
    ),
    Counted("backlog", "TcpExtTCPBacklogDrop", "segments dropped because a socket was busy",
            "a program's socket could not take more while it was in use", "raise net.core.rmem_max and net.ipv4.tcp_rmem"),
    Counted("receive-queue", "TcpExtTCPRcvQDrop", "segments dropped because a socket's memory was full",
            "the program does not read fast enough", "`ss -tm` shows the memory; raise net.ipv4.tcp_rmem"),
    Counted("abort-on-memory", "TcpExtTCPAbortOnMemory", "connections ended because memory for TCP was short",
            "too many orphaned sockets or net.ipv4.tcp_mem is reached", "`ss -s`; raise net.ipv4.tcp_mem or max_orphans"),
    Counted(
        "time-wait-overflow", "TcpExtTCPTimeWaitOverflow", "more sockets in TIME_WAIT than are kept",
        "net.ipv4.tcp_max_tw_buckets is reached: connections end without TIME_WAIT",
        "raise net.ipv4.tcp_max_tw_buckets; better, keep connections open instead of making new ones",
        loses=False,
    ),
    Counted(
        "old-timestamps", "TcpExtPAWSEstab", "segments with a timestamp that is too old",
        "several hosts behind one translated address, or packets that came very late",
        "look for two clients that share address and port behind NAT", loses=False,
    ),
    Counted(
        "tw-timestamps", "TcpExtPAWSTimewait", "SYNs refused by TIME_WAIT because of their timestamp",
        "clients behind one NAT address whose clocks differ meet a socket in TIME_WAIT",
        "the NAT in between should use more addresses or ports; never net.ipv4.tcp_tw_recycle (gone since Linux 4.12)",
    ),
    Counted("bad-segments", "TcpInErrs", "segments with a wrong checksum or header", "a broken card or cable, or a middle box",
            "`ethtool -S IFACE`; tcpdump's `incorrect` on packets of this host is offload, not a fault"),
    # ---------------------------------------------------------------- UDP, ICMP
    Counted("udp-receive-buffer", "UdpRcvbufErrors", "datagrams dropped because a socket's buffer was full",
            "the program does not read fast enough", "`ss -um`; raise net.core.rmem_max and what the program asks for"),
    Counted("udp-send-buffer", "UdpSndbufErrors", "datagrams that could not be sent: the buffer was full",
            "the program sends faster than the interface", "raise net.core.wmem_max; look at `tc -s qdisc`"),
    Counted("udp-no-port", "UdpNoPorts", "datagrams to ports on which nobody listens",
            "rules accepted them; the sender was told port-unreachable", "`ss -uln`: is the program there, on that address?",
            loses=False),
    Counted("udp-receive-buffer-6", "Udp6RcvbufErrors", "IPv6 datagrams dropped because a socket's buffer was full",
            "as for IPv4", "`ss -um`; raise net.core.rmem_max and what the program asks for"),
    Counted("udp-checksum", "UdpInCsumErrors", "datagrams with a wrong checksum",
            "a broken sender; or checksums left to a card that never saw the packet (DHCP to virtual machines)",
            "for the latter: `-t mangle -A POSTROUTING -p udp --dport 68 -j CHECKSUM --checksum-fill`"),
    Counted("icmp-limit", "IcmpOutRateLimitGlobal", "ICMP answers that the kernel kept back",
            "net.ipv4.icmp_msgs_per_sec is reached: REJECT answers and path-MTU messages may be missing",
            "raise net.ipv4.icmp_msgs_per_sec, or DROP floods instead of rejecting them", loses=False),
    Counted("icmp-limit-host", "IcmpOutRateLimitHost", "ICMP answers to one host that the kernel kept back",
            "net.ipv4.icmp_ratelimit: that host was answered often enough", "usually as it should be", loses=False),
    # ---------------------------------------------------------------- connection tracking
    Counted(
        "conntrack-insert-failed", "conntrack.insert_failed", "connections that could not be entered in the table",
        "two packets wanted the same translated address and port at the same time (SNAT race), or no port was left",
        "MASQUERADE or SNAT with --random-fully; more addresses or a larger --to-ports range; fewer connections to one server",
    ),
    Counted(
        "conntrack-drop", "conntrack.drop", "packets that connection tracking dropped",
        "the table is full (`nf_conntrack: table full, dropping packet`), or an insertion failed",
        "compare net.netfilter.nf_conntrack_count with nf_conntrack_max; drop floods in table raw; notrack what needs no state",
    ),
    Counted(
        "conntrack-early-drop", "conntrack.early_drop", "connections that were forgotten to make room",
        "the table was full, and connections without an answer were thrown out",
        "raise net.netfilter.nf_conntrack_max; shorten nf_conntrack_tcp_timeout_established",
    ),
    Counted("conntrack-chain", "conntrack.chain_toolong", "connections refused because a hash bucket was full",
            "the table of connections has too few buckets for what is in it",
            "raise net.netfilter.nf_conntrack_buckets (of the first network namespace)"),
    Counted(
        "conntrack-invalid", "conntrack.invalid", "packets that belong to no connection and cannot begin one",
        "late or doubled packets, asymmetric routes, scans; NAT does not translate them, and rules on INVALID drop them",
        "`policyc trace` shows which; for asymmetric routes net.netfilter.nf_conntrack_tcp_be_liberal=1", loses=False,
    ),
    Counted("conntrack-error", "conntrack.error", "ICMP errors that connection tracking did not understand",
            "an ICMP error quotes something that is no packet", "harmless in small numbers", loses=False),
    Counted("synproxy-cookie", "synproxy.cookie_invalid", "ACKs that SYNPROXY did not believe",
            "no cookie of ours: scans, or clients that answer too late", "harmless in small numbers", loses=False),
    # ---------------------------------------------------------------- below IP
    Counted("softnet-dropped", "softnet.dropped", "packets dropped before the network stack",
            "a processor's queue was full (net.core.netdev_max_backlog)",
            "raise net.core.netdev_max_backlog; spread interrupts (RSS, RPS)", everywhere=True),
    Counted("softnet-squeezed", "softnet.time_squeeze", "network processing that ran out of its time",
            "more packets came than one turn takes", "raise net.core.netdev_budget if packets are dropped too", loses=False,
            everywhere=True),
    Counted("flow-limit", "softnet.flow_limit", "packets of one large flow that were dropped to spare the others",
            "net.core.flow_limit_cpu_bitmap is set, and the processor's queue was filling",
            "raise net.core.netdev_max_backlog or unset the flow limit", everywhere=True),
    Counted("neighbour-full", "arp_cache.table_fulls", "neighbours that did not fit into the table",
            "net.ipv4.neigh.default.gc_thresh3 is reached: new hosts of the LAN cannot be reached",
            "raise net.ipv4.neigh.default.gc_thresh1, 2 and 3; use smaller subnets", everywhere=True),
    Counted("neighbour-unresolved", "arp_cache.unresolved_discards", "packets dropped while a neighbour did not answer ARP",
            "the next hop is down, or more packets waited than the queue of unres_qlen_bytes holds",
            "`ip neigh show nud failed`", everywhere=True),
    Counted("neighbour-full-6", "ndisc_cache.table_fulls", "IPv6 neighbours that did not fit into the table",
            "net.ipv6.neigh.default.gc_thresh3 is reached", "raise net.ipv6.neigh.default.gc_thresh1, 2 and 3", everywhere=True),
    Counted("arp-filter", "TcpExtArpFilter", "ARP requests that were not answered",
            "net.ipv4.conf.IFACE.arp_filter: the answer would leave by another interface",
            "mend the route, or arp_filter=0", loses=False),
    Counted("link-rx-dropped", "link.*.rx_dropped", "frames dropped on the way in",
            "nobody here speaks the protocol (LLDP, VLANs), or the queue was full",
            "`ip -s -s link show IFACE`, `ethtool -S IFACE`", loses=False),
    Counted("link-tx-dropped", "link.*.tx_dropped", "frames dropped on the way out",
            "the queue was full, or the other end of a veth is down or too slow",
            "`tc -s qdisc show dev IFACE`; is the container's interface up?"),
    Counted("link-rx-errors", "link.*.rx_errors", "frames that came in broken", "cable, card or the other end",
            "`ethtool -S IFACE`"),
    Counted("link-missed", "link.*.rx_missed_errors", "frames that the card had no room for", "the ring of the card was full",
            "`ethtool -G IFACE rx N`; spread interrupts"),
)  # fmt: skip
