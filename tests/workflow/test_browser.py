"""The pages of a finished run as a browser shows them: pictures, links, search, no errors."""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote

import pandas as pd
import pytest
from browsing import DESKTOP, PHONE, check_contrast, check_width, needs_browser, open_browser
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.wait import WebDriverWait

SEEN = "return [...document.querySelectorAll('{}')].filter(e => e.checkVisibility())"
VISIBLE_ROWS = SEEN.format("tbody tr")
VISIBLE_SECTIONS = f"{SEEN.format('section')}.map(e => e.id)"
OPEN_ALL = "for (const fold of document.querySelectorAll('details')) fold.open = true"
LARGEST_PAGE = 5_000_000  # bytes; slow to open beyond, and too large to send

pytestmark = needs_browser


@pytest.fixture(scope="module", params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def browser(request) -> Iterator[WebDriver]:
    driver = open_browser(request.param)
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def report(chain) -> Path:
    return chain[1] / "results" / "report"


@pytest.fixture
def show(browser) -> Iterator[Callable[[Path], WebDriver]]:
    """Open a page; before the next one, and in the end, the browser's console must be empty."""

    def show_page(page: Path) -> WebDriver:
        assert browser.get_log("browser") == []
        browser.get(page.as_uri())
        return browser

    browser.get("about:blank")
    browser.get_log("browser")
    yield show_page
    assert browser.get_log("browser") == []


def pages_of(report: Path) -> list[Path]:
    quality = sorted(report.glob("quality/*/index.html"))
    scans = sorted(report.glob("scans/**/*.html"))
    assert quality and scans
    return [report / "index.html", *quality, *scans]


def all_pictures(browser: WebDriver) -> list[str]:
    """Load every picture, on screen or not; gives those that did not come."""
    browser.execute_script("document.querySelectorAll('img').forEach(e => e.loading = 'eager')")
    complete = "return [...document.images].every(e => e.complete)"
    WebDriverWait(browser, 60).until(lambda driver: driver.execute_script(complete))
    broken = "return [...document.images].filter(e => e.naturalWidth === 0).map(e => e.alt)"
    return browser.execute_script(broken)


def test_pictures_load_and_fit_the_screen(report, show):
    for page in pages_of(report):
        browser = show(page)
        browser.execute_script(OPEN_ALL)
        assert browser.find_elements(By.TAG_NAME, "img"), page
        assert all_pictures(browser) == [], page
        check_width(browser)


def test_texts_are_told_from_what_is_behind_them(report, show):
    for page in [*pages_of(report), report / "tables" / "lesions.html"]:
        browser = show(page)
        browser.execute_script(OPEN_ALL)
        check_contrast(browser)


def test_no_page_is_too_large(report):
    sizes = {page: page.stat().st_size for page in report.rglob("*.html")}
    assert {page: size for page, size in sizes.items() if size > LARGEST_PAGE} == {}


def test_links_have_targets(report, show):
    for page in pages_of(report):
        browser = show(page)
        links = browser.execute_script(
            "return [...document.querySelectorAll('a[href]')].map(e => e.getAttribute('href'))"
        )
        for link in links:
            path, _, anchor = unquote(link).partition("#")
            assert ":" not in path, f"{page} leads elsewhere: {link}"
            assert (page.parent / path).exists(), f"{page}: {link}"
            if anchor and path:
                target = (page.parent / path).read_text(encoding="utf-8")
                assert f'id="{anchor}"' in target, f"{page}: {link}"
            elif anchor:
                assert browser.find_elements(By.ID, anchor), f"{page}: {link}"


def test_every_section_is_in_the_navigation(report, show):
    browser = show(report / "index.html")
    links = browser.find_elements(By.CSS_SELECTOR, "nav a")
    sections = browser.execute_script(VISIBLE_SECTIONS)
    assert [link.get_attribute("hash") for link in links] == [f"#{name}" for name in sections]
    assert {"finding", "segmentation", "quality", "left-out", "decisions", "run"} <= set(sections)


def test_search_hides_and_brings_back(report, show):
    browser = show(report / "index.html")
    browser.execute_script(OPEN_ALL)
    everything = browser.execute_script(VISIBLE_ROWS)
    sections = browser.execute_script(VISIBLE_SECTIONS)
    field, count = browser.find_element(By.ID, "search"), browser.find_element(By.ID, "count")
    assert count.text == ""

    field.send_keys("cDDPM  dice")
    rows = browser.execute_script(VISIBLE_ROWS)
    texts = [row.text.lower() for row in rows]
    assert 0 < len(rows) < len(everything)
    assert "segmentation" in browser.execute_script(VISIBLE_SECTIONS)
    assert "left-out" not in browser.execute_script(VISIBLE_SECTIONS)
    assert any("cddpm" in text for text in texts) and "matches" in count.text
    table = browser.find_element(By.CSS_SELECTOR, "#finding table")
    by_method = {
        row.find_element(By.TAG_NAME, "th").get_attribute("textContent").strip(): row
        for row in table.find_elements(By.CSS_SELECTOR, "tbody tr")
    }
    assert not by_method["Thresh"].is_displayed() and by_method["cDDPM SSL"].is_displayed()

    field.clear()
    field.send_keys("no such word anywhere")
    assert browser.execute_script(VISIBLE_SECTIONS) == [] and count.text == "no match"

    field.send_keys(Keys.ESCAPE)
    assert browser.execute_script(VISIBLE_ROWS) == everything
    assert browser.execute_script(VISIBLE_SECTIONS) == sections and count.text == ""


def test_search_takes_quoted_words_as_they_stand(report, show):
    """The label of gamma stands beside each row that is found, though once for all of them."""
    table = pd.read_csv(report / "tables" / "contrast.tsv", sep="\t")
    label = f"\u03b3 = {table['gamma'].max():g}"
    browser = show(report / "index.html")
    field = browser.find_element(By.ID, "search")
    field.send_keys(f'segmentation under contrast "{label}"')
    rows = browser.execute_script(VISIBLE_ROWS)
    assert len(rows) == table["method"].nunique()
    assert all(label in row.text for row in rows)


def test_search_hides_nothing_in_print(report, show):
    browser = show(report / "index.html")
    browser.execute_script(OPEN_ALL)
    everything = browser.execute_script(VISIBLE_ROWS)
    browser.find_element(By.ID, "search").send_keys("no such word anywhere")
    assert browser.execute_script(VISIBLE_ROWS) == []
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert browser.execute_script(VISIBLE_ROWS) == everything
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_first_column_stays_when_a_wide_table_scrolls(report, show):
    browser = show(report / "index.html")
    label = browser.find_element(By.CSS_SELECTOR, "#finding tbody th")
    before = label.location["x"]
    moved = browser.execute_script(
        "const box = arguments[0].closest('.scroll'); box.scrollLeft = 120; return box.scrollLeft",
        label,
    )
    assert label.location["x"] == before
    if browser.execute_script("return innerWidth") == PHONE[0]:
        assert moved == 120, "too wide for a phone, so it scrolls"


def test_scans_are_sorted_by_keys(report, show):
    browser = show(report / "quality" / "ixi_t1" / "index.html")
    first, second = browser.find_elements(By.CSS_SELECTOR, "#table th button")[:2]
    first.send_keys(Keys.ENTER)
    names = [each.text for each in browser.find_elements(By.CSS_SELECTOR, "#table tbody a")]
    assert len(names) > 1 and names == sorted(names)
    cells = browser.find_elements(By.CSS_SELECTOR, "#table th")
    orders = [cell.get_attribute("aria-sort") for cell in cells[:2]]
    assert orders == ["ascending", "none"]
    second.send_keys(Keys.ENTER)
    assert cells[1].get_attribute("aria-sort") == "descending"
