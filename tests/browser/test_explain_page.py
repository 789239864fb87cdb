"""The page of an explanation in a real browser: keys walk along the packet's path, nothing is loaded, nothing foreign runs."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from devtools import Browser

GOLDEN = Path(__file__).parents[1] / "golden"
sys.path.insert(0, str(GOLDEN))
from test_explain import explanation_of

from policyc.explanation.answer import Explanation
from policyc.report.explain_html import explain_html

CHROMIUM = shutil.which("chromium")
HOSTILE = '</script><script>document.title="taken"</script><!-- <img src=x onerror=document.title="taken"> \u2028 &amp;'

pytestmark = pytest.mark.skipif(
    CHROMIUM is None and os.environ.get("CI") != "true", reason="no chromium here (`make packages` installs it)"
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    assert CHROMIUM, "CI needs chromium: make packages"
    with Browser(CHROMIUM, tmp_path_factory.mktemp("profile")) as opened:
        yield opened


def page(folder: Path, name: str, question: str = "") -> tuple[Path, Explanation]:
    found = explanation_of(GOLDEN / "explain" / f"{name}.case")
    if question:
        object.__setattr__(found, "question", question)
    file = folder / "page.html"
    file.write_text(explain_html(found), encoding="utf-8")
    return file, found


def selected(browser: Browser) -> list[str]:
    return browser.ask("[...document.querySelectorAll('.step[aria-current]')].map(step => step.id)")


def boxes(browser: Browser) -> list[str]:
    return browser.ask("[...document.querySelectorAll('.box.selected')].map(box => box.id)")


def shown(browser: Browser) -> list[str]:
    """The steps whose body can be seen."""
    script = (
        "[...document.querySelectorAll('.step')].filter(s => s.querySelector('.body').offsetHeight > 0).map(s => s.id)"
    )
    return browser.ask(script)


def complaints(browser: Browser) -> list[Any]:
    bad = ("Runtime.exceptionThrown", "Log.entryAdded", "Network.loadingFailed")
    return [event for event in browser.events if event.get("method") in bad]


def test_keys_walk_along_the_path(browser: Browser, tmp_path: Path) -> None:
    file, found = page(tmp_path, "dnat-then-dropped")
    browser.open(file)
    last = len(found.way.journey.events)
    assert selected(browser) == [f"step-{last}"], "it begins where the packet's fate was decided"
    browser.key("Home")
    assert selected(browser) == shown(browser) == ["step-1"]
    places = []
    for number in range(1, last + 1):
        assert selected(browser) == shown(browser) == [f"step-{number}"]
        places += boxes(browser)
        browser.key("ArrowRight")
    assert places == [
        "box-PREROUTING-raw", "box-PREROUTING-conntrack", "box-PREROUTING-nat", "box-PREROUTING-nat", "box-routing",
        "box-FORWARD-filter",
    ]  # fmt: skip
    assert selected(browser) == [f"step-{last}"], "behind the last step is nothing"
    browser.key("ArrowLeft")
    assert selected(browser) == [f"step-{last - 1}"]
    assert browser.ask("document.querySelector('#position').textContent") == f"step {last - 1} of {last}"
    assert not complaints(browser)


def test_a_click_on_a_box_leads_to_its_step(browser: Browser, tmp_path: Path) -> None:
    browser.open(page(tmp_path, "dnat-then-dropped")[0])
    browser.ask("document.querySelector('#box-PREROUTING-raw').dispatchEvent(new MouseEvent('click', {bubbles: true}))")
    browser.ask("new Promise(done => setTimeout(done, 0))")
    assert selected(browser) == ["step-1"]
    assert (
        browser.ask(
            "document.querySelectorAll('svg .box').length - document.querySelectorAll('svg .box > title').length"
        )
        == 0
    )


def test_the_packet_is_shown_as_it_is_at_each_step(browser: Browser, tmp_path: Path) -> None:
    browser.open(page(tmp_path, "dnat-then-dropped")[0])
    changed = browser.ask(
        "[...document.querySelectorAll('#step-4 .changed')].map(row => row.textContent.replace(/\\s+/g, ' ').trim())"
    )
    assert changed == ["dst10.0.2.15 was 203.0.113.1", "dport8443 was 443"]
    rules = browser.ask("[...document.querySelectorAll('#step-6 .rules li')].map(rule => rule.textContent.trim())")
    assert "#1 -p tcp --dport 443 -j ACCEPT ✗ dport is 8443 edge.v4:15" in [" ".join(rule.split()) for rule in rules]
    assert browser.ask("document.querySelector('.lines .decided .number').textContent") == "10"


def test_without_scripts_it_is_an_ordered_list(browser: Browser, tmp_path: Path) -> None:
    file, found = page(tmp_path, "published-past-input")
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(file)
        assert shown(browser) == [f"step-{number + 1}" for number in range(len(found.way.journey.events))]
        assert browser.ask("document.querySelector('.controls').offsetHeight") == 0
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)


def test_foreign_text_is_only_text(browser: Browser, tmp_path: Path) -> None:
    file, found = page(tmp_path, "foreign-text", HOSTILE)
    browser.open(file)
    assert browser.ask("document.title").startswith("DROP: tcp 203.0.113.9")
    assert browser.ask("document.querySelectorAll('script').length") == 2
    trace = json.loads(browser.ask("document.getElementById('trace').textContent"))
    assert trace["question"] == HOSTILE
    assert trace["verdict"] == found.verdict
    assert "\x1b" not in browser.ask("document.body.innerText")


def test_nothing_is_loaded(browser: Browser, tmp_path: Path) -> None:
    file, _ = page(tmp_path, "hairpin-answered-directly")
    browser.open(file)
    asked = [
        event["params"]["request"]["url"]
        for event in browser.events
        if event.get("method") == "Network.requestWillBeSent"
    ]
    assert asked == [file.as_uri()]
    assert not complaints(browser)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("wide", [1100, 420])
def test_it_fits_its_window(browser: Browser, tmp_path: Path, scheme: str, wide: int) -> None:
    """Nothing sticks out at the side; the colours follow the reader's choice."""
    browser.call("Emulation.setDeviceMetricsOverride", width=wide, height=900, deviceScaleFactor=1, mobile=False)
    browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    browser.open(page(tmp_path, "published-past-input")[0])
    assert browser.ask("document.documentElement.scrollWidth") <= wide
    paper = browser.ask("getComputedStyle(document.body).backgroundColor")
    assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(13, 17, 23)"}[scheme]
    assert browser.screenshot(tmp_path / f"{scheme}-{wide}.png").startswith(b"\x89PNG")
