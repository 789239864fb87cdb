"""The one table of all codes: code, name, severity, one line. A code is never reused; a name reads as "allow NAME".

The page of a code, which `policyc rule CODE` prints and whose examples the tests run, is `pages/CODE.md` beside this file.
"""

from __future__ import annotations

from policyc.frozen import frozen

REPOSITORY = "https://github.com/policyc/policyc"


@frozen
class Entry:
    """One code of the catalogue; `severity` is `error`, `warning` or `info`, `summary` one line for a list of all codes."""

    code: str
    name: str
    severity: str
    summary: str

    @property
    def url(self) -> str:
        """Where the page stands on the web."""
        return f"{REPOSITORY}/blob/main/policyc/diagnostics/pages/{self.code}.md"

    def page(self) -> str:
        """Return the page's Markdown text."""
        from importlib.resources import files  # slow to import, and pages are read when somebody asks for one

        return files("policyc.diagnostics").joinpath("pages", f"{self.code}.md").read_text(encoding="utf-8")


CATALOGUE: tuple[Entry, ...] = (
    # PC0xx: syntax, names, types
    Entry("PC001", "syntax-error", "error", "the text does not fit the grammar"),
    Entry("PC002", "unknown-name", "error", "a name is used that nothing defines"),
    Entry("PC003", "bad-literal", "error", "an address, port, number or string is not what it should be"),
    Entry("PC004", "duplicate-name", "error", "two definitions have the same name"),
    Entry("PC005", "wrong-kind", "error", "a name is of another kind than its place asks for"),
    Entry("PC006", "reserved-word", "error", "a word of the language is used as a name"),
    Entry("PC007", "wrong-family", "error", "the families of a rule's parts do not agree"),
    Entry("PC008", "empty-list", "error", "a list has no member, so that the rule would widen or vanish"),
    Entry("PC009", "impossible-pair", "error", "a pair of zones cannot be tested in the hook that the rule needs"),
    Entry("PC010", "unqualified-verdict", "error", "a verdict has neither services nor match and no `otherwise`"),
    Entry("PC011", "too-long", "error", "a name or text is longer than the kernel keeps"),
    Entry("PC012", "control-character", "error", "a line end or control character stands in a name or comment"),
    Entry("PC013", "bad-include", "error", "an included file cannot be read or includes itself"),
    Entry("PC014", "bad-call", "error", "a preset or define is called with the wrong values"),
    Entry("PC015", "wrong-default", "error", "base policies are missing or stand where the host owns them"),
    Entry("PC016", "misplaced-word", "error", "a word is given twice or where it has no meaning"),
    Entry("PC017", "missing-word", "error", "a statement lacks a word that it cannot do without"),
    Entry("PC018", "definition-loop", "error", "definitions contain each other in a circle"),
    Entry("PC020", "wrong-table", "error", "a match or target is used in a table that does not have it"),
    Entry("PC021", "wrong-hook", "error", "a match or target is used in a hook that does not have it"),
    Entry("PC022", "jump-loop", "error", "chains jump to each other in a circle"),
    Entry("PC023", "undefined-chain", "error", "a rule jumps to a chain that does not exist"),
    Entry("PC024", "duplicate-chain", "error", "a chain is declared twice"),
    Entry("PC025", "missing-object", "error", "a rule names an ipset or accounting object that nothing here makes"),
    Entry("PC026", "nat-policy", "error", "the policy of a nat chain drops first packets only"),
    Entry("PC027", "truncated-text", "error", "a text is longer than the kernel keeps and would be cut silently"),
    Entry("PC028", "too-deep", "error", "chains call each other deeper than a backend takes"),
    Entry("PC029", "taken-packets", "error", "an earlier block takes the packets of a published service"),
    Entry("PC030", "contrary-sysctl", "error", "a required kernel setting contradicts what a statement needs"),
    Entry(
        "PC031", "separate-counts", "warning", "connections under a limit and over it are counted by different rules"
    ),
    Entry("PC032", "high-hit-count", "warning", "a rule counts more hits than older kernels can"),
    Entry("PC033", "set-directions", "warning", "a rule names fewer directions than its set has parts"),
    Entry("PC034", "host-bits", "warning", "a network is written with bits that its mask takes away"),
    # PC1xx: anomalies
    Entry("PC101", "shadowed-rule", "warning", "earlier rules with another verdict take every packet of a rule"),
    Entry("PC102", "redundant-rule", "warning", "a rule can go without changing what happens to any packet"),
    Entry(
        "PC103",
        "contradicted-rule",
        "warning",
        "two rules test the same and decide differently; the later never applies",
    ),
    Entry("PC104", "unreachable-chain", "warning", "no jump leads to a chain"),
    Entry("PC105", "rule-after-terminal", "warning", "a rule stands behind one that takes every packet"),
    Entry("PC106", "duplicate-rule", "warning", "a rule stands twice in a chain"),
    Entry("PC107", "never-matches", "warning", "no packet can pass the tests of a rule where it stands"),
    Entry("PC108", "empty-chain-jump", "info", "a rule jumps to a chain without rules"),
    Entry("PC109", "out-of-context", "warning", "what comes to a rule's chain never has what the rule tests"),
    Entry(
        "PC110",
        "negations-take-all",
        "warning",
        "two rules that each refuse all but one value refuse everything together",
    ),
    Entry("PC111", "decorative-policy", "warning", "a rule accepts every packet of a chain whose policy is DROP"),
    Entry("PC112", "long-list", "info", "a long run of rules differs in one address only"),
    Entry("PC113", "limit-without-drop", "warning", "packets over a limit are accepted all the same"),
    Entry(
        "PC114", "limit-counts-packets", "warning", "a limit on a TCP service counts every packet of its connections"
    ),
    Entry(
        "PC115",
        "limit-after-established",
        "warning",
        "a limit on UDP stands behind the rule that accepts known connections",
    ),
    Entry("PC116", "limit-shared-by-all", "info", "one sender can use up a limit for everybody"),
    Entry("PC117", "list-never-filled", "warning", "a rule asks a list of addresses that no rule writes into"),
    Entry("PC118", "time-past-midnight", "warning", "a time that goes past midnight belongs to one day in two pieces"),
    Entry("PC119", "unlimited-log", "warning", "anybody can make a rule write log lines without end"),
    Entry("PC120", "prefix-runs-on", "info", "a log prefix runs into the text behind it"),
    Entry("PC121", "misleading-reject", "info", "a closed TCP port is refused as if its host were unreachable"),
    Entry("PC122", "own-program-waits", "info", "programs of this host wait for connections that a rule drops"),
    Entry("PC123", "client-port-range", "info", "a service is closed to clients with certain source ports"),
    Entry(
        "PC124", "wide-interface-pattern", "info", "a rule accepts everything from interfaces that may not exist yet"
    ),
    Entry("PC125", "packet-socket", "info", "a rule about DHCP cannot reach the program that it is meant for"),
    Entry("PC126", "idle-for-connections", "warning", "no connection reaches a rule that is meant for some"),
    Entry("PC130", "locked-out", "warning", "the policy of INPUT is DROP and no rule accepts anything"),
    Entry("PC131", "loopback-blocked", "warning", "what programs of a host send to each other is refused"),
    Entry(
        "PC132",
        "loopback-by-address",
        "warning",
        "loopback is accepted by its addresses, and the host's other addresses are not",
    ),
    Entry("PC133", "open-router", "warning", "a router forwards everything in every direction"),
    Entry("PC134", "sensitive-port-open", "warning", "a service that is not made for strangers is open to everybody"),
    Entry("PC135", "spoofable-source", "info", "private senders are trusted from whatever interface they come"),
    Entry("PC136", "tunnel-leak", "warning", "packets pass by a tunnel that was meant to be the only way out"),
    Entry("PC137", "path-mtu-blocked", "warning", "the message that packets are too large is dropped"),
    Entry("PC138", "mss-clamped-one-way", "warning", "the segment size is adapted in one direction only"),
    Entry(
        "PC139", "tunnel-without-clamp", "info", "packets are forwarded into a tunnel, and nothing adapts their size"
    ),
    # PC2xx: the policy's own tests
    Entry("PC201", "failed-test", "error", "a packet of a test block meets another fate than the test says"),
    Entry("PC202", "undecided-test", "warning", "the fate of a tested packet, or a proof, hangs on what nobody knows"),
    Entry("PC203", "refuted-proof", "error", "a packet shows that a proof of a test block does not hold"),
    # PC3xx: NAT
    Entry("PC301", "dnat-not-admitted", "warning", "translated packets meet no rule that accepts them"),
    Entry("PC302", "port-tested-before-translation", "warning", "FORWARD accepts a port as it was before translation"),
    Entry(
        "PC304", "unscoped-masquerade", "warning", "a translation of sources takes whatever leaves, by any interface"
    ),
    Entry(
        "PC305", "dnat-to-loopback", "warning", "packets from outside are translated to an address that routing drops"
    ),
    Entry("PC306", "no-hairpin", "info", "hosts beside a published server cannot use its public address"),
    Entry(
        "PC307", "redirected-port-closed", "warning", "packets are handed to a local port that INPUT does not accept"
    ),
    Entry(
        "PC308", "foreign-source-address", "warning", "a source is translated to an address that the host does not have"
    ),
    Entry("PC309", "nat-does-not-block", "warning", "a rule of nat means to block and exempts from nothing"),
    Entry("PC310", "unscoped-dnat", "warning", "a translation takes connections to a port of any host"),
    Entry(
        "PC311",
        "target-not-attached",
        "warning",
        "connections are translated to a private address in no network of the host",
    ),
    Entry("PC312", "own-traffic-untranslated", "info", "programs of a host do not reach a service that it publishes"),
    Entry(
        "PC313", "uneven-shares", "warning", "rules that share connections by chance leave some over, or share unevenly"
    ),
    Entry("PC314", "few-ports", "warning", "a translation has too few ports for the connections of many senders"),
    Entry(
        "PC315",
        "tproxy-without-mark",
        "warning",
        "packets for a transparent proxy are routed on, since nothing marks them",
    ),
    Entry("PC316", "mark-too-late", "info", "a mark is set behind routing, and nothing reads it"),
    Entry("PC317", "mark-collision", "warning", "a mark has bits that kube-proxy acts on"),
    # PC4xx: connection state
    Entry("PC401", "no-return-path", "warning", "connections are accepted and their replies are not"),
    Entry("PC402", "late-established", "info", "most packets pass many rules before they are accepted"),
    Entry("PC403", "invalid-not-dropped", "info", "packets that belong to no connection are forwarded untranslated"),
    Entry("PC404", "new-without-syn", "info", "a rule for new connections takes packets from the middle of one"),
    Entry("PC405", "untracked-mismatch", "warning", "a rule asks untracked packets for a state that they do not have"),
    Entry("PC406", "related-without-helper", "warning", "no helper announces the data connections of a service"),
    Entry("PC407", "related-too-wide", "info", "a rule accepts to any port what a helper announces"),
    Entry("PC408", "untracked-one-way", "warning", "packets are exempted from tracking and their answers are not"),
    Entry("PC410", "old-state-match", "info", "connections' states are asked for by the older match"),
    Entry("PC411", "established-syn", "warning", "a rule asks for a SYN of a known connection"),
    Entry(
        "PC412", "stateless-return", "warning", "a rule for answers lets whoever uses that source port open connections"
    ),
    Entry("PC413", "synproxy-incomplete", "warning", "SYNPROXY stands alone and gets nothing to answer"),
    # PC5xx: container engines and other owners
    Entry(
        "PC501",
        "published-port-bypasses-input",
        "warning",
        "a rule of INPUT is about a port that is published for a container",
    ),
    Entry(
        "PC502",
        "host-port-in-docker-user",
        "warning",
        "a rule asks for a published port where packets have the container's",
    ),
    Entry(
        "PC503",
        "docker-user-drops-replies",
        "warning",
        "a rule in DOCKER-USER drops the answers to what containers send",
    ),
    Entry(
        "PC504",
        "loopback-publish-reachable",
        "warning",
        "a port that is published on a loopback address is open to neighbours",
    ),
    Entry(
        "PC505", "bridge-not-filtered", "warning", "a rule within a bridge sees no packets, because of a kernel setting"
    ),
    Entry("PC506", "engine-sets-forward-policy", "info", "beside a container engine, what no rule decides is dropped"),
    Entry("PC507", "foreign-rules-replaced", "error", "loading a policy takes away what another tool installed"),
    Entry("PC508", "bans-miss-containers", "warning", "a chain of bans does not see the packets of a published port"),
    Entry("PC520", "engine-refuses", "error", "a container engine would refuse to start, or to do what is asked of it"),
    Entry("PC521", "drawn-by-engine", "info", "a name or address is drawn by the engine; another stands in for it"),
    Entry("PC522", "engine-option-ignored", "warning", "an option is not modelled, or the release does not know it"),
    Entry(
        "PC523", "step-out-of-order", "info", "a step of a scenario stands before what it needs, and is taken after it"
    ),
    # PC6xx: families
    Entry("PC601", "ipv6-open", "warning", "IPv6 refuses nothing where IPv4 refuses what no rule accepts"),
    Entry("PC602", "nd-blocked", "warning", "ICMPv6 is refused that IPv6 cannot do without"),
    Entry(
        "PC603", "family-asymmetry", "warning", "a service is open to everybody in one family and to some in the other"
    ),
    # PC7xx: this host
    Entry("PC701", "kernel-refuses", "error", "the kernel refuses a rule when it is loaded"),
    Entry("PC702", "kernel-lacks-module", "info", "the running kernel has no module for a match or target"),
    Entry("PC703", "forwarding-off", "warning", "rules forward packets, and the host's setting forbids it"),
    Entry(
        "PC704",
        "marks-and-reverse-path",
        "warning",
        "packets are marked for routing, and the reverse path filter ignores marks",
    ),
    Entry("PC705", "unknown-interface", "info", "a rule names an interface that the host does not have"),
    # PC8xx: reading
    Entry(
        "PC801", "opaque-match", "warning", "a match or target is not known here; it is kept as it is and not analysed"
    ),
    Entry("PC802", "unreadable-line", "error", "a line of a dump or a command cannot be read"),
    Entry("PC803", "repeated-table", "warning", "a table comes twice; the later one replaces the earlier"),
    Entry("PC804", "missing-commit", "error", "a table has no COMMIT, so that it would not be loaded"),
    Entry("PC805", "legacy-spelling", "info", "an old spelling is read; the canonical one is printed"),
    Entry("PC806", "guessed-family", "info", "nothing in a dump says whether it is IPv4 or IPv6; IPv4 is assumed"),
    Entry("PC807", "host-name", "error", "a host name stands where the kernel needs an address"),
    Entry("PC808", "unreadable-source", "error", "a file cannot be read, or is nothing that policyc reads"),
    Entry("PC809", "bad-host", "error", "the description of a host cannot be understood"),
    Entry("PC810", "bad-packet", "error", "the description of a packet cannot be understood"),
    Entry("PC811", "simplified-host", "warning", "a host has something that policyc's idea of a host does not hold"),
    Entry("PC812", "two-backends", "warning", "both kinds of iptables have rules, and only those of one are read"),
    Entry("PC813", "unseen-rules", "warning", "a host has rules that iptables does not show"),
    Entry("PC820", "no-nft-form", "error", "a rule has something that native nftables cannot do"),
    Entry("PC821", "nft-differs", "info", "native nftables does not do quite the same as a rule of iptables"),
    # PC9xx: policyc itself
    Entry("PC901", "unused-suppression", "warning", "a suppression comment suppresses nothing"),
    Entry("PC902", "bad-config", "error", "policyc.toml or [tool.policyc] has an unknown key or a wrong value"),
    Entry("PC903", "bad-suppression", "warning", "a suppression comment gives no reason or names no finding"),
    Entry("PC904", "undecided", "info", "a question about all packets is too large to be answered"),
)

_BY_KEY: dict[str, Entry] = {key: item for item in CATALOGUE for key in (item.code, item.name)}


def entry(key: str) -> Entry:
    """Return the entry with that code or name; raise KeyError where there is none."""
    return _BY_KEY[key]
