"""What listens on the hosts of the test network: it tells every client who it is talking to, and whom that one sees."""

from __future__ import annotations

import os
import selectors
import socket
from collections.abc import Sequence
from contextlib import suppress
from threading import Thread

from topology import Host

_TRANSPARENT = {socket.AF_INET: (socket.SOL_IP, 19), socket.AF_INET6: (socket.IPPROTO_IPV6, 75)}  # linux/in.h, in6.h
EVERYWHERE = ("0.0.0.0", "::")


class Responder:
    """Answers on these tcp and udp ports, at every address of a host, with `ADDRESS:PORT from ADDRESS`.

    A tcp connection stays open and repeats what it is sent. `transparent` sockets take what TPROXY hands them, and answer
    from the address that the client asked for.
    """

    def __init__(
        self, host: Host, ports: Sequence[int], addresses: Sequence[str] = (), *, transparent: bool = False
    ) -> None:
        self._selector = selectors.DefaultSelector()
        self._wake, stop = os.pipe()
        self._stop = stop
        self._selector.register(self._wake, selectors.EVENT_READ)
        host.call(self._listen, addresses or host.addresses, ports, transparent)
        self._thread = Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End every conversation."""
        os.write(self._stop, b"x")
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.close()
        self._selector.close()
        os.close(self._wake)
        os.close(self._stop)

    def _listen(self, addresses: Sequence[str], ports: Sequence[int], transparent: bool) -> None:
        for address in addresses:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            for port in ports:
                for kind, role in ((socket.SOCK_STREAM, "tcp"), (socket.SOCK_DGRAM, "udp")):
                    one = socket.socket(family, kind)
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    if family == socket.AF_INET6:
                        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                    if transparent:
                        one.setsockopt(*_TRANSPARENT[family], 1)
                    one.bind((address, port))
                    if role == "tcp":
                        one.listen()
                    one.setblocking(False)
                    self._selector.register(one, selectors.EVENT_READ, role)

    def _serve(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if key.fileobj == self._wake:
                    return
                with suppress(OSError):  # a client that went away
                    self._answer(key)

    def _answer(self, key: selectors.SelectorKey) -> None:
        one = key.fileobj
        assert isinstance(one, socket.socket)
        if key.data == "tcp":
            client, peer = one.accept()
            client.setblocking(False)
            self._selector.register(client, selectors.EVENT_READ, "open")
            client.send(report(client.getsockname(), peer))
        elif key.data == "udp":
            _, peer = one.recvfrom(2048)
            one.sendto(report(one.getsockname(), peer), peer)
        else:
            try:
                data = one.recv(2048)
                if data:
                    one.send(data)
                    return
            except OSError:
                pass
            self._selector.unregister(one)
            one.close()


def report(here: tuple[str, int], peer: tuple[str, int]) -> bytes:
    """Say where a packet arrived, from whom, and from which port."""
    where = f"[{here[0]}]:{here[1]}" if ":" in here[0] else f"{here[0]}:{here[1]}"
    return f"{where} from {peer[0]} {peer[1]}".encode()
