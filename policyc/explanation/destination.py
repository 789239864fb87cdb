"""Where a packet goes on a host that nobody described: to the host itself, or onward by an interface. Part of `explanation`."""

from __future__ import annotations

from policyc.explanation.layout import Layout
from policyc.explanation.unsaid import no_way_out
from policyc.frozen import frozen
from policyc.net.addresses import format_address


@frozen
class Destination:
    """What is taken for granted about a destination: an address of this host, or behind an interface; else as it is."""

    own: bool = False
    device: str = ""
    forwarded: bool = False
    assumptions: tuple[str, ...] = ()


def destinations(layout: Layout) -> list[Destination]:
    """Return what may be taken for granted, the likeliest first. Raises InputError where `out` must say it."""
    question = layout.question
    headers, address = question.headers, question.headers.dst
    if question.to_self or layout.is_own(address) or layout.is_nobodys(address):
        return [Destination()]
    if layout.exit:
        return [Destination(device=layout.exit, forwarded=not headers.local)]
    device = layout.behind(address)
    if headers.local:
        return [_sent(layout, device)]
    if layout.strict or (device and device != layout.entry):
        device = device or layout.outside()
        if not device:
            raise no_way_out(question, layout.candidates)
        return [Destination(device=device, forwarded=True)]
    comes_from_inside = layout.behind(headers.src) == layout.entry and not device
    found = [_here(layout), _onward(layout, device)]
    return [one for one in (reversed(found) if comes_from_inside else found) if one is not None]


def _here(layout: Layout) -> Destination | None:
    """Return that it is this host, None where the addresses of this host are known and it is none of them."""
    if layout.own.get(layout.entry):
        return None
    return Destination(own=True, assumptions=(f"{_shown(layout)} is an address of this host",))


def _onward(layout: Layout, device: str) -> Destination | None:
    """Return that it is forwarded, None where it would leave by where it came in and may be this host as well."""
    device = device or layout.outside()
    if device == layout.entry and layout.hints.zones and _here(layout) is not None:
        return None
    if not device or (
        device == layout.entry and not layout.hints.zones and not layout.behind(layout.question.headers.dst)
    ):
        device = layout.other()
    said = f"{_shown(layout)} is not this host; it is reached through {device}"
    return Destination(device=device, forwarded=True, assumptions=(said,))


def _sent(layout: Layout, device: str) -> Destination:
    """Return by which interface this host sends it."""
    device = device or layout.outside()
    if device and layout.hints.zones:
        return Destination(device=device)
    if not device and layout.strict:
        raise no_way_out(layout.question, layout.candidates)
    device = device or next(iter([*layout.plain(), *layout.names]), "") or layout.fresh()
    return Destination(device=device, assumptions=(f"{_shown(layout)} is reached through {device}",))


def _shown(layout: Layout) -> str:
    return format_address(layout.question.headers.dst, layout.family)
