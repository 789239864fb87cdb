"""-m owner: the user and group that made the packet's socket (net/netfilter/xt_owner.c).

A packet without a sending socket matches when every test given is negated (measured on Linux 6.18); so `uid` and `gid` exist
just where there is a socket, and the conjunction of the tests says the same.
"""

from __future__ import annotations

from collections.abc import Iterable

from policyc.frozen import frozen
from policyc.net.intervals import IntervalSet
from policyc.netfilter import fields
from policyc.netfilter.arguments import Argument, parse_number
from policyc.netfilter.extension import MatchExtension, Option, Options, Surroundings, in_hooks, lacking
from policyc.netfilter.hooks import Hook
from policyc.netfilter.predicate import In, Opaque, Predicate, all_of, any_of, negate_if

LAST_ID = 2**32 - 2  # (uid_t) -1 is no user
HAS_SOCKET = In(fields.UID, IntervalSet.of((0, LAST_ID + 1)))  # of a user, or the kernel's own, whose uid is no user's


@frozen
class Ids(Argument):
    """`ID` or `ID-ID` as (low, high). `root` is 0; other names are the host's and are refused."""

    file: str

    def parse(self, word: str, family: int) -> tuple[int, int]:  # noqa: ARG002
        """Return both ends; raise ValueError."""
        if word == "root":
            return 0, 0
        if word[:1].isalpha() or word[:1] == "_":
            raise ValueError(
                f"`{word}` stands for a number of the host's {self.file}, which is not read here; write the number"
            )
        first, mark, last = word.replace(":", "-").partition("-")
        low = parse_number(first, 0, LAST_ID)
        high = parse_number(last, 0, LAST_ID) if mark else low
        if low > high:
            raise ValueError(f"the range `{word}` runs backwards")
        return low, high

    def write(self, value: tuple[int, int], family: int) -> str:  # noqa: ARG002
        """Return `ID` or `ID-ID`."""
        low, high = value
        return str(low) if low == high else f"{low}-{high}"


def _check(options: Options, family: int) -> Iterable[str]:  # noqa: ARG001
    yield from lacking(options, "socket-exists", "uid-owner", "gid-owner")
    names = [item.name for item in options.given]
    if "suppl-groups" in names and "gid-owner" not in names[: names.index("suppl-groups")]:
        yield "`--suppl-groups` must stand behind `--gid-owner`"


def _meaning(options: Options, around: Surroundings) -> Predicate:  # noqa: ARG001
    tests = []
    if "socket-exists" in options:
        tests.append(negate_if(options.negated("socket-exists"), HAS_SOCKET))
    if "uid-owner" in options:
        user = In(fields.UID, IntervalSet.of(options["uid-owner"]))
        tests.append(negate_if(options.negated("uid-owner"), user))
    if "gid-owner" in options:
        group: Predicate = In(fields.GID, IntervalSet.of(options["gid-owner"]))
        if "suppl-groups" in options:
            low, high = options["gid-owner"]
            among = Opaque(f"-m owner --gid-owner {low}-{high} --suppl-groups", (fields.UID, fields.GID))
            group = any_of(group, all_of(HAS_SOCKET, among))
        tests.append(negate_if(options.negated("gid-owner"), group))
    return all_of(*tests)


MATCH = MatchExtension(
    name="owner",
    options=(
        Option("socket-exists", negatable=True),
        Option("uid-owner", Ids("/etc/passwd"), negatable=True),
        Option("gid-owner", Ids("/etc/group"), negatable=True),
        Option("suppl-groups"),
    ),
    placement=in_hooks(Hook.OUTPUT, Hook.POSTROUTING, why="only packets that this host sends have an owner"),
    check=_check,
    meaning=_meaning,
)
