"""What the sender of a packet will see: which error, from which call, after how long, and why. Part of `policyc.explanation`.

It reads a finished `Trace`. Every row was measured on Linux 6.18 (tests/kernel/test_sender.py); times are Linux's defaults,
ip-sysctl.rst of the kernel's documentation.
"""

from __future__ import annotations

from enum import StrEnum

from policyc.explanation.icmp_errors import PROHIBITIONS, WORDS, IcmpError, icmp_error
from policyc.frozen import frozen
from policyc.host.sysctls import Sysctls
from policyc.net.protocols import ICMP, ICMPV6, TCP, UDP, UDPLITE
from policyc.simulation.packet import ACK, RST, SYN, Packet
from policyc.simulation.trace import DELIVERED, DROPPED, LOCAL, REJECTED, SENT, UNSUPPORTED, Trace

_SYN_RETRIES, _LINEAR_TIMEOUTS, _LONGEST_WAIT = (
    6,
    4,
    120,
)  # net.ipv4.tcp_syn_retries, tcp_syn_linear_timeouts, TCP_RTO_MAX
_DATA_TIMEOUT = 924.6  # seconds, of 15 tcp_retries2
_REQUESTS = {ICMP: frozenset((8, 13, 15, 17)), ICMPV6: frozenset((128,))}
_REPLIES = {ICMP: frozenset((0, 14, 16, 18)), ICMPV6: frozenset((129,))}

# Neighbour discovery, RFC 4861.
_NEIGHBOURS = {
    133: "no router tells its prefix and itself in answer",
    134: "who should have learnt prefix and router from it does not",
    135: "it does not learn the link-layer address that it asks for, and reaches that address no longer",
    136: "who asked does not learn its link-layer address, and reaches it no longer",
}


class Seen(StrEnum):
    """The kinds of what a sender sees; the words of `--symptom` are among them.

    `answer`: the packet arrives, what comes back is up to its receiver. `refused` and `reset` tear a TCP connection down
    before and after it stands. `timeout`: nothing comes back. `eperm` and `no-route` are this host's own, before anything
    is sent. `nothing`: nobody waits for an answer. `unknown`: nobody can say what becomes of the packet.
    """

    ANSWER = "answer"
    REFUSED = "refused"
    RESET = "reset"
    UNREACHABLE = "unreachable"
    PROHIBITED = "prohibited"
    EXPIRED = "expired"
    TOO_BIG = "too-big"
    TIMEOUT = "timeout"
    EPERM = "eperm"
    NO_ROUTE = "no-route"
    NOTHING = "nothing"
    UNKNOWN = "unknown"


@frozen
class SenderView:
    """What one kind of program sees of its packet's fate.

    `program` says which kind. `errno` is what its call gets, "" for none, `text` a sentence for people without a full stop.
    `after_seconds` counts from the packet: 0 is at once, None where the program itself decides how long it waits. `because`
    is what leads to it, "" where the kernel as such does.
    """

    kind: Seen
    errno: str
    text: str
    after_seconds: float | None
    because: str
    program: str


def sender_views(trace: Trace, sent: Packet, sysctls: Sysctls | None = None) -> tuple[SenderView, ...]:
    """Return what the sender of `sent` sees of it, the commonest kind of program first.

    `sent` is the packet as it began, before the walk changed it. `sysctls` are this host's; they count where it is the sender.
    """
    return _Sender(trace, sent, sysctls if sent.outgoing else None).views()


def connect_timeout(sysctls: Sysctls | None = None) -> float:
    """Return the seconds after which connect() gives up: 131 with Linux's defaults, 127 before Linux 6.5.

    The first wait is a second; each after `tcp_syn_linear_timeouts` of them is twice the one before, at most 120 seconds.
    """
    given = {} if sysctls is None else sysctls.given

    def number(name: str, otherwise: int) -> int:
        text = given.get(f"net.ipv4.{name}", "")
        return int(text) if text.isdecimal() and text.isascii() and len(text) <= 3 else otherwise

    retries, linear = number("tcp_syn_retries", _SYN_RETRIES), number("tcp_syn_linear_timeouts", _LINEAR_TIMEOUTS)
    return float(linear + sum(min(1 << step, _LONGEST_WAIT) for step in range(retries + 1)))


class _Sender:
    def __init__(self, trace: Trace, sent: Packet, sysctls: Sysctls | None) -> None:
        self.trace = trace
        self.sent = sent
        self.sysctls = sysctls
        self.because = _because(trace)
        self.program = self._program()

    def _view(
        self,
        kind: Seen,
        errno: str,
        text: str,
        after: float | None = None,
        program: str = "",
        because: str | None = None,
    ) -> SenderView:
        return SenderView(
            kind, errno, text, after, self.because if because is None else because, program or self.program
        )

    def _program(self) -> str:
        sent, flags = self.sent, self.sent.tcp_flags or 0
        if sent.proto == TCP:
            return "connect()" if flags & (SYN | ACK) == SYN else "a TCP connection"
        if self._kind() in _REQUESTS.get(sent.proto, ()) or self._kind() in _REPLIES.get(sent.proto, ()):
            return "ping"
        return "a UDP socket" if sent.proto in {UDP, UDPLITE} else "the sender"

    def _kind(self) -> int:
        """Return the ICMP type; only with the protocol does it say something."""
        return (self.sent.icmp or 0) >> 8

    def views(self) -> tuple[SenderView, ...]:
        """Look at the verdict, then at who sent it."""
        trace, sent = self.trace, self.sent
        if trace.verdict == UNSUPPORTED:
            return (self._view(Seen.UNKNOWN, "", "what the sender sees cannot be known", because=trace.reason),)
        if trace.verdict in DELIVERED:
            return (self._view(Seen.ANSWER, "", self._receiver(), because=""),)
        if nobody := self._nobody_waits():
            return (self._view(Seen.NOTHING, "", nobody),)
        if (
            trace.send_error
            and trace.verdict not in {DROPPED, REJECTED}
            and (sent.proto != TCP or trace.passed is None)
        ):
            # Routing refuses before a chain is asked; where a later route fails, TCP takes it for a lost segment.
            return (self._view(Seen.NO_ROUTE, trace.send_error, f"`{WORDS[trace.send_error]}` at once", 0.0),)
        error = self._answer()
        if sent.proto == TCP:
            return (self._tcp(error),)
        if trace.send_error:
            return self._refused_to_send(error)
        if error is None:
            return (self._silence(),)
        return self._told(error)

    # ------------------------------------------------------------------ no answer
    def _receiver(self) -> str:
        port, local = self.sent.dport, self.trace.verdict == LOCAL
        if not local:
            return "it goes on its way: what comes back is up to its receiver"
        if self.sent.proto == TCP and self.program == "connect()":
            return f"the host answers: the connection stands if a program listens on port {port}, else `{WORDS['ECONNREFUSED']}`"
        if self.sent.proto in {UDP, UDPLITE}:
            return (
                f"a program that listens on port {port} gets it; if none does, the host answers with port-unreachable"
            )
        return "the host itself gets it"

    def _nobody_waits(self) -> str:
        sent, kind = self.sent, self._kind()
        if sent.proto == TCP and (sent.tcp_flags or 0) & RST:
            return "nobody waits for an answer to a reset; the other end keeps its connection until it notices"
        if kind in _REPLIES.get(sent.proto, ()):
            return "whoever asked gets no reply"
        if sent.proto == ICMPV6 and kind in _NEIGHBOURS:
            return _NEIGHBOURS[kind]
        if sent.proto in _REQUESTS and kind not in _REQUESTS[sent.proto]:
            return "nobody waits for an answer; the sender of the packet that it is about does not learn of it"
        return ""

    def _silence(self) -> SenderView:
        if self.program == "ping":
            return self._view(Seen.TIMEOUT, "", "no reply: ping counts the packet as lost")
        if self.program == "a UDP socket":
            return self._view(
                Seen.TIMEOUT, "", "silence: UDP has no timeout of its own, the program waits as long as it likes"
            )
        return self._view(Seen.TIMEOUT, "", "silence")

    # ------------------------------------------------------------------ answers
    def _answer(self) -> IcmpError | str | None:
        """Return the answer that reaches the sender, `reset` for TCP's; `because` says what becomes of one that does not."""
        trace = self.trace
        answer, way = trace.answer, trace.answer_way
        if answer is None:
            if trace.verdict == REJECTED:
                self.because += ", without an answer: the kernel sends none about such a packet"
            return None
        if answer.src is None:
            self.because += ", without an answer: this host has no address to send it from"
            return None
        if way is None:
            self.because += "; whether the answer gets out cannot be known"
        elif way.verdict != (LOCAL if self.sent.outgoing else SENT):
            self.because += f"; the answer itself is lost: {_because(way, 'the answer')}"
            return None
        return "reset" if answer.proto == TCP else icmp_error(answer.family, answer.icmp_type, answer.icmp_code)

    def _tcp(self, error: IcmpError | str | None) -> SenderView:
        flags = self.sent.tcp_flags or 0
        if flags & (SYN | ACK) == SYN:
            return self._connect(error)
        if error == "reset":
            return self._view(Seen.RESET, "ECONNRESET", f"`{WORDS['ECONNRESET']}` at once", 0.0)
        if flags & SYN:
            return self._view(
                Seen.TIMEOUT, "", "the client's connect() goes on waiting for this answer", None, "the other end"
            )
        errno = error.errno if isinstance(error, IcmpError) else "ETIMEDOUT"
        if errno == "EMSGSIZE":
            return self._view(Seen.TOO_BIG, "", "TCP sends smaller segments from now on", 0.0)
        text = f"the connection hangs: it is sent again and again, after about 15 minutes `{WORDS[errno]}`"
        return self._view(Seen.TIMEOUT, errno, text, _DATA_TIMEOUT)

    def _connect(self, error: IcmpError | str | None) -> SenderView:
        if error is None:
            seconds = connect_timeout(self.sysctls)
            text = f"`{WORDS['ETIMEDOUT']}` after {_about(seconds)}"
            return self._view(
                Seen.TIMEOUT, "ETIMEDOUT", text if self.sysctls else f"{text} with Linux's defaults", seconds
            )
        if isinstance(error, str):
            return self._view(Seen.REFUSED, "ECONNREFUSED", f"`{WORDS['ECONNREFUSED']}` at once", 0.0)
        # An error about IPv6 that comes while connect() still holds the socket, as over lo, is only looked at with the next SYN.
        after, when = (1.0, "after a second") if self.sent.outgoing and self.sent.family == 6 else (0.0, "at once")
        return self._view(_kind(error), error.errno, f"`{WORDS[error.errno]}` {when}", after)

    def _told(self, error: IcmpError | str) -> tuple[SenderView, ...]:
        if isinstance(error, str):  # only TCP is reset
            return (self._silence(),)
        kind = _kind(error)
        if self.program == "ping":
            return (self._view(kind, error.errno, f"ping prints `{error.ping}`", 0.0),)
        if self.program != "a UDP socket":
            return (self._view(kind, error.errno, f"an ICMP error, {error.name}", 0.0),)
        if not error.hard:
            text = (
                f"silence: programs are shown {error.name} only if they ask for errors (IP_RECVERR), as traceroute does"
            )
            return (self._view(Seen.TIMEOUT, "", text),)
        text = f"`{WORDS[error.errno]}` from the next call"
        return (
            self._view(kind, error.errno, text, 0.0, "a connected UDP socket"),
            self._view(
                Seen.TIMEOUT, "", "silence: it is not told of ICMP errors", None, "a UDP socket without connect()"
            ),
        )

    def _refused_to_send(self, error: IcmpError | str | None) -> tuple[SenderView, ...]:
        """Return what a call sees whose datagram a chain of OUTPUT or POSTROUTING drops."""
        errno = self.trace.send_error
        views = [
            self._view(
                Seen.EPERM if errno == "EPERM" else Seen.NO_ROUTE, errno, f"`{WORDS[errno]}` from sendto() at once", 0.0
            )
        ]
        if self.sent.proto == ICMPV6:
            # A datagram socket of IPv6 does not pass the error on; a raw one does.
            text, program = "no reply: without root ping is not told that nothing was sent", "ping without root"
            if isinstance(error, IcmpError):
                views.append(self._view(_kind(error), error.errno, f"ping prints `{error.ping}`", 0.0, program))
            else:
                views.append(self._view(Seen.TIMEOUT, "", text, None, program))
        elif isinstance(error, IcmpError) and error.hard and self.program == "a UDP socket":
            text = f"after that `{WORDS[error.errno]}` from the next recv()"
            views.append(self._view(_kind(error), error.errno, text, 0.0, "a connected UDP socket"))
        return tuple(views)


def _kind(error: IcmpError) -> Seen:
    if error.name in PROHIBITIONS:
        return Seen.PROHIBITED
    known = {"port-unreachable": Seen.REFUSED, "time-exceeded": Seen.EXPIRED}
    return Seen.TOO_BIG if error.errno == "EMSGSIZE" else known.get(error.name, Seen.UNREACHABLE)


def _because(trace: Trace, what: str = "it") -> str:
    if trace.verdict not in {DROPPED, REJECTED}:
        return f"{what} is dropped outside the tables: {trace.reason}" if trace.reason else ""
    step = trace.deciding
    if step is None:
        return f"{what} is dropped"
    rule = (
        f"the policy of {step.table}/{step.chain}"
        if step.rule == "policy"
        else f"rule {step.rule} of {step.table}/{step.chain}"
    )
    verb = f"rejects {what} with {trace.reject_with}" if trace.verdict == REJECTED else f"drops {what}"
    return f"{rule} {verb}"


def _about(seconds: float) -> str:
    if seconds < 90:
        return "a second" if seconds == 1 else f"{seconds:.0f} seconds"
    return f"about {seconds / 60:.0f} minutes"
