"""-m ah, -m esp, -m ipcomp: parameter indexes of IPsec and of compressed packets."""

from __future__ import annotations

import pytest
from reading import matches, printed, refusals

RANGES = [
    ("5", "5"),
    ("0x10:20", "16:20"),
    (":3", "0:3"),
    ("3:", "3:4294967295"),
    ("3:3", "3"),
    ("4294967295", "4294967295"),
]


@pytest.mark.parametrize(("protocol", "option"), [("ah", "ahspi"), ("esp", "espspi"), ("ipcomp", "ipcompspi")])
@pytest.mark.parametrize(("given", "canonical"), RANGES)
@pytest.mark.parametrize("mark", ["", "! "])
def test_ranges(protocol: str, option: str, given: str, canonical: str, mark: str) -> None:
    rule = f"-p {protocol} {mark}--{option} {given}"
    assert printed(rule) == f"-p {protocol} -m {protocol} {mark}--{option} {canonical}"


@pytest.mark.parametrize(("protocol", "option"), [("ah", "ahspi"), ("esp", "espspi")])
def test_every_index_is_not_printed(protocol: str, option: str) -> None:
    assert printed(f"-p {protocol} -m {protocol} --{option} :") == f"-p {protocol} -m {protocol}"
    assert printed(f"-p {protocol} -m {protocol}") == f"-p {protocol} -m {protocol}"
    negated = f"-p {protocol} -m {protocol} ! --{option} 0:4294967295"
    assert printed(f"-p {protocol} -m {protocol} ! --{option} :") == negated
    assert not matches(negated, {"proto": {"ah": 51, "esp": 50}[protocol], "frag": "whole", "spi": 7})


def test_ipcomp_without_an_index_tests_for_index_0() -> None:
    assert printed("-p ipcomp -m ipcomp") == "-p ipcomp -m ipcomp --ipcompspi 0"
    assert printed("-p ipcomp -m ipcomp --compres") == "-p ipcomp -m ipcomp --ipcompspi 0 --compres"
    assert printed("-p ipcomp -m ipcomp --ipcompspi :") == "-p ipcomp -m ipcomp --ipcompspi 0:4294967295"
    packet = {"proto": 108, "frag": "whole"}
    assert matches("-p ipcomp -m ipcomp --ipcompspi :", packet)
    assert not matches("-p ipcomp -m ipcomp ! --ipcompspi :", packet)
    key = "-m ipcomp --ipcompspi 18"
    assert matches("-p ipcomp ! --ipcompspi 18 --compres", packet, assume={key: False})


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("-m ah", "-m ah"),
        ("-m ah --ahres --ahlen 32 --ahspi 5", "-m ah --ahspi 5 --ahlen 32 --ahres"),
        ("-m ah --ahlen 0", "-m ah"),
        ("-m ah ! --ahlen 0", "-m ah ! --ahlen 0"),
    ],
)
def test_ah_of_ipv6_is_an_extension_header(given: str, canonical: str) -> None:
    assert printed(given, 6) == canonical


@pytest.mark.parametrize(
    ("rule", "family"),
    [
        ("-m ah --ahspi 0", 4),
        ("-m ah", 4),
        ("-p ah --ahlen 4", 4),
        ("-p ah --ahres", 4),
        ("-p ah --ahspi -1", 4),
        ("-p ah --ahspi 4294967296", 4),
        ("-p ah --ahspi 0:invalid", 4),
        ("-p ah --ahspi 4:3", 4),
        ("-p ah --ahspi 4 --ahspi 5", 4),
        ("-m ah --ahlen 4294967296", 6),
        ("-m ah ! --ahres", 6),
        ("-m esp", 4),
        ("-p esp --espspi 4:3", 4),
        ("-m ipcomp --ipcompspi 1", 4),
    ],
)
def test_refused(rule: str, family: int) -> None:
    assert refusals(rule, family)


def test_indexes() -> None:
    assert matches("-p esp --espspi 3:9", {"proto": 50, "frag": "whole", "spi": 7})
    assert not matches("-p esp ! --espspi 3:9", {"proto": 51, "frag": "whole", "spi": 700})
    six = {"proto": 6, "v6.headers": {"auth", "prot"}, "spi": 7}
    assert matches("-m ah ! --ahspi 8", six, 6)
    assert not matches("-m ah ! --ahspi 8", six | {"v6.headers": {"prot"}}, 6)
    assert matches("-m ah ! --ahlen 24", six, 6, {"-m ah --ahlen 24": False})
    assert matches("-m ah ! --ahlen 0", six, 6)
