"""The HTML report in a real browser: what a reader sees, clicks and waits for."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from refconv.check import Cause
from refconv.report import write_report

pytestmark = pytest.mark.browser
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
CASES = 3000
AXE = os.environ.get("REFCONV_AXE", "")


@pytest.fixture(scope="module")
def write(tmp_path_factory, report_of, outcome, failure):
    """Writes the page of a run: a third of its cases fail, by one defect, by flags, by messages; no gradients."""

    def one(i):
        name = f"family{i % 60}-float32-zero-mean/s21-d12-p1021-{i}"
        gradient = outcome(name, "grad_input", "UNSUPPORTED", message="no gradients")
        if i % 6 == 1:
            return outcome(name, status="ERROR", message=f"broke down with IndexError: {i}"), gradient
        wrong = replace(failure(name, interval=i % 4 == 0), flags=(f"Flag{i % 60}", "Grouped"))
        return (wrong if i % 6 == 0 else outcome(name)), gradient

    def page(cases):
        outcomes = [found for i in range(cases) for found in one(i)]
        exact = [found for found in outcomes if found.status == "FAIL" and found.rule == "exact"]
        explained = frozenset((found.case_id, "forward") for found in exact)
        causes = (Cause("kernel-flipped", (), "It is flipped.", "a true convolution.", explained, ("forward",), 7),)
        report = replace(report_of(*outcomes), causes=causes)
        return write_report(report, tmp_path_factory.mktemp("page") / "report.html", command="refconv check mine.py:f")

    return page


@pytest.fixture(scope="module")
def page_file(write):
    return write(CASES)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    from selenium.webdriver import Chrome, ChromeOptions, ChromeService

    options = ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = Chrome(options=options, service=ChromeService(shutil.which("chromedriver")))
    driver.set_window_size(1200, 900)
    yield driver
    driver.quit()


@pytest.fixture
def page(browser, page_file):
    browser.get_log("browser")
    browser.get_log("performance")
    browser.get(page_file.as_uri())
    return browser


def visible(page, selector):
    return [node for node in page.find_elements("css selector", selector) if node.is_displayed()]


def test_it_is_interactive_within_two_seconds(page, page_file):
    from selenium.webdriver.support.wait import WebDriverWait

    assert page_file.stat().st_size < 5_000_000
    ended = "return performance.getEntriesByType('navigation')[0].loadEventEnd"
    milliseconds = WebDriverWait(page, 5).until(lambda page: page.execute_script(ended))  # 0 while the event lasts
    print(f"{page_file.stat().st_size / 1e6:.2f} MB, loaded after {milliseconds:.0f} ms")
    assert 0 < milliseconds < 2000


def test_a_filter_leaves_what_fits(page):
    from selenium.webdriver.support.select import Select

    rows = "#list tbody tr:not([hidden])"
    field = page.find_element("id", "text")
    took = page.execute_script("""
        const field = document.getElementById("text"), begin = performance.now();
        field.value = "family7-";
        field.dispatchEvent(new Event("input", {bubbles: true}));
        document.body.offsetHeight;
        return performance.now() - begin;""")
    print(f"filtered in {took:.0f} ms")
    assert took < 1000
    assert len(page.find_elements("css selector", rows)) == 2 * CASES / 60
    field.send_keys("1507")
    assert page.find_element("id", "shown").text.endswith(f"2 of {2 * CASES} operations") is False  # no such case
    page.execute_script("arguments[0].value = ''", field)
    field.send_keys("p1021-7 ")
    Select(page.find_element("id", "status")).select_by_visible_text("PASS")
    assert {row.get_attribute("data-status") for row in page.find_elements("css selector", rows)} == {"PASS"}


def search(page, words):
    """Type into the filter, and return the ids of the kinds and the rows that are left."""
    page.execute_script(
        """
        const field = document.getElementById("text");
        field.value = arguments[0];
        field.dispatchEvent(new Event("input", {bubbles: true}));""",
        words,
    )
    left = page.execute_script("""
        const left = (nodes) => [...document.querySelectorAll(nodes)].filter((node) => !node.hidden);
        return [left("details.failure").map((node) => node.id), left("#list tbody tr").length];""")
    return set(left[0]), left[1]


def test_a_kind_is_left_for_any_of_its_failures_and_a_row_for_its_defect(page):
    assert search(page, "family6-float32-zero-mean/s21-d12-p1021-1506")[0]  # not the smallest of its kind
    kinds, rows = search(page, "kernel-flipped")
    assert "kind-1" in kinds
    assert rows == len(page.find_elements("css selector", "#list tr[data-kind=kind-1]")) > 100
    assert search(page, "there-is-no-such-case") == (set(), 0)


def test_a_cell_opens_its_failure_with_heat_map_taps_and_numbers(page):
    page.find_element("css selector", ".matrix td.bad a").click()
    target = page.execute_script("return document.querySelector(location.hash)")
    assert target.get_attribute("open") is not None
    assert target.find_element("css selector", ".heat svg path").rect["width"] > 0
    paths = target.find_elements("css selector", ".heat svg path")
    colours = {page.execute_script("return getComputedStyle(arguments[0]).fill", path) for path in paths}
    assert colours - {"none", "rgb(0, 0, 0)"}
    assert target.find_elements("css selector", "g.right circle")
    assert target.find_elements("css selector", ".patch td.bad")
    assert "refconv check mine.py:f --select family" in target.text


def test_failures_can_be_opened_by_the_keyboard(page):
    from selenium.webdriver.common.keys import Keys

    page.find_element("css selector", "body").send_keys("/")
    assert page.switch_to.active_element.get_attribute("id") == "text"
    second = page.find_element("css selector", "#kind-2 > summary")
    assert not visible(page, "#kind-2 .body")
    second.send_keys(Keys.ENTER)
    assert visible(page, "#kind-2 .body")


def test_the_console_is_silent_and_nothing_is_requested(page):
    page.find_element("css selector", ".matrix td.bad a").click()
    assert page.get_log("browser") == []
    events = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    sent = [event["params"] for event in events if event["method"] == "Network.requestWillBeSent"]
    requested = {event["request"]["url"] for event in sent}
    assert {url.split(":")[0] for url in requested} == {"file"}
    assert len({url.partition("#")[0] for url in requested}) == 1


@pytest.mark.skipif(not AXE, reason="REFCONV_AXE names axe.min.js of the npm package axe-core")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_violation(page, write, scheme):
    page.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    page.get(write(60).as_uri())  # axe looks at every element
    page.execute_script("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    page.execute_script(Path(AXE).read_text("utf-8"))
    found = page.execute_async_script("axe.run().then(arguments[0])")["violations"]
    print(*(f"{item['impact']}: {item['help']}: {item['nodes'][0]['html'][:200]}" for item in found), sep="\n")
    assert [item["id"] for item in found if item["impact"] in ("serious", "critical")] == []


@pytest.fixture
def narrow(page):
    metrics = {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    yield page
    page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_narrow_window_does_not_scroll_sideways(narrow):
    assert narrow.execute_script("return document.documentElement.scrollWidth") <= 390


def test_a_narrow_window_leaves_names_legible(narrow):
    narrow.execute_script("document.getElementById('list').open = true")
    widths = narrow.execute_script("""
        return [...document.querySelectorAll("#list tbody th")].slice(0, 20)
            .map((node) => node.getBoundingClientRect().width);""")
    assert min(widths) > 150


def test_the_table_of_families_fits_on_a_printed_page(page):
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                         {"width": 718, "height": 1000, "deviceScaleFactor": 1, "mobile": False})  # fmt: skip
    table = page.execute_script("""
        const table = document.querySelector(".matrix").cloneNode(true);
        for (const row of table.rows) for (const cell of [...row.cells].slice(1))  // as many formats as core has
            for (let i = 0; i < 10; i++) row.append(cell.cloneNode(true));
        document.querySelector(".matrix").replaceWith(table);
        return table.getBoundingClientRect().width;""")
    page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert table <= 718


def test_all_failures_are_printed(page):
    seen = """
        const bodies = [...document.querySelectorAll(".failure .body")];
        return [bodies.filter((body) => body.checkVisibility()).length, bodies.length];"""
    before, every = page.execute_script(seen)
    assert before < every
    page.execute_script("dispatchEvent(new Event('beforeprint'))")
    assert page.execute_script(seen) == [every, every]
