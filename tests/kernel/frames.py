"""Frames from outside and the rules of raw PREROUTING that matched them, before routing looks at any address."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence

from policyc.kernel.namespace import Namespace

# MAC of the source, addresses, protocol, and two numbers: the ports, or type and code of ICMP.
Frame = tuple[str, str, str, int, int, int]

# The TTL is the frame's number.
SENDER = """
import ipaddress, socket, struct, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((sys.argv[1], 0))
for n, text in enumerate(sys.argv[3:], 1):
    mac, of, to, proto, one, two = text.split()
    of, to = ipaddress.ip_address(of), ipaddress.ip_address(to)
    proto, one, two = int(proto), int(one), int(two)
    body = bytes([one, two]) if proto in (1, 58) else struct.pack("!HH", one, two)
    body += bytes(32)
    if of.version == 4:
        head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), n, 0, n, proto, 0, of.packed, to.packed)
        sum = (lambda x: ~((x & 0xffff) + (x >> 16)) & 0xffff)(__import__("builtins").sum(struct.unpack("!10H", head)))
        head = head[:10] + struct.pack("!H", sum) + head[12:]
    else:
        head = struct.pack("!IHBB", 6 << 28, len(body), proto, n) + of.packed + to.packed
    kind = 0x0800 if of.version == 4 else 0x86dd
    s.send(bytes.fromhex(sys.argv[2]) + bytes.fromhex(mac.replace(":", "")) + struct.pack("!H", kind) + head + body)
import time; time.sleep(0.3)
"""


def matched_rules(
    namespace: Namespace,
    family: int,
    tests: Sequence[str],
    frames: Sequence[Frame],
    device: str = "eth0",
    far: str = "far0",
    mac: str = "020000000001",
) -> list[list[bool]]:
    """Send frames to a device with this MAC by its far end; for each frame, whether each of the tests matched it.

    A frame has a TTL of its own and by it a chain of its own, so that there are at most 255.
    """
    hops = "-m ttl --ttl-eq" if family == 4 else "-m hl --hl-eq"
    numbers = range(1, len(frames) + 1)
    lines = ["*raw", ":PREROUTING ACCEPT [0:0]", *(f":p{n} - [0:0]" for n in numbers)]
    lines += [
        f"-A PREROUTING -i {device} -m mac --mac-source {frame[0]} {hops} {n} -j p{n}"
        for n, frame in zip(numbers, frames, strict=True)
    ]
    lines += [f"-A p{n} {test}" for n in numbers for test in tests]
    program = "iptables" if family == 4 else "ip6tables"
    done = namespace.run([f"{program}-legacy-restore"], "\n".join([*lines, "COMMIT", ""]))
    assert done.code == 0, done.err
    sent = namespace.run([sys.executable, "-c", SENDER, far, mac, *(" ".join(map(str, frame)) for frame in frames)])
    assert sent.code == 0, sent.err
    saved = namespace.run([f"{program}-legacy-save", "-c", "-t", "raw"]).out
    arrived = re.findall(r"^\[(\d+):\d+\] -A PREROUTING", saved, re.MULTILINE)
    other = [(frame, times) for frame, times in zip(frames, arrived, strict=True) if times != "1"]
    assert not other, f"not seen once: {other}"
    return [[count != "0" for count in re.findall(rf"^\[(\d+):\d+\] -A p{n} ", saved, re.MULTILINE)] for n in numbers]
