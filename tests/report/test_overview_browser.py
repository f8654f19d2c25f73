"""The overview of a small study as a browser shows it: folds, links, search, keys, print."""

from collections.abc import Iterator

import pytest
from browsing import DESKTOP, PHONE, check_contrast, check_width, needs_browser, open_browser
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver
from small_report import overview_files

import write_overview

pytestmark = needs_browser

OPENED = "return [...document.querySelectorAll('details[open]')].map(e => e.parentElement.id)"
SEEN = "return [...document.querySelectorAll('.part')].every(e => e.checkVisibility())"


@pytest.fixture(scope="module")
def overview(tmp_path_factory):
    files = overview_files(tmp_path_factory.mktemp("report"))
    write_overview.main(**files)
    return files["output"]


@pytest.fixture(scope="module", params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def browser(request) -> Iterator[WebDriver]:
    driver = open_browser(request.param)
    yield driver
    driver.quit()


@pytest.fixture
def page(browser, overview) -> Iterator[WebDriver]:
    """In the end the browser's console must be empty, and nothing wider than the screen."""
    browser.get("about:blank")
    browser.get(overview.as_uri())
    yield browser
    assert browser.get_log("browser") == []
    check_width(browser)


def opened(page: WebDriver) -> list[str]:
    return page.execute_script(OPENED)


def test_at_first_only_the_finding_is_seen(page):
    assert opened(page) == []
    finding = page.find_element(By.ID, "finding")
    assert finding.find_element(By.CSS_SELECTOR, "table.numbers").is_displayed()
    pictures = [each for each in page.find_elements(By.TAG_NAME, "img") if each.is_displayed()]
    assert [each.get_attribute("alt").rpartition(": ")[2] for each in pictures] == ["MSLUB"]
    assert page.find_element(By.CSS_SELECTOR, "#splits summary span").is_displayed()


@pytest.mark.parametrize("place", ["nav a[href='#splits']", "#finding a[href='#left-out']"])
def test_a_link_opens_the_section_that_it_leads_to(page, place):
    link = page.find_element(By.CSS_SELECTOR, place)
    name = link.get_attribute("hash").removeprefix("#")
    link.send_keys(Keys.ENTER)
    assert opened(page) == [name]
    # And once more where the address names it already.
    page.execute_script("document.querySelector('details[open]').open = false")
    link.send_keys(Keys.ENTER)
    assert opened(page) == [name]
    heading = page.find_element(By.CSS_SELECTOR, f"#{name} h2")
    top, bar = page.execute_script(
        "return [arguments[0].getBoundingClientRect().top, bar.getBoundingClientRect().bottom]",
        heading,
    )
    assert bar <= top < page.execute_script("return innerHeight"), "below the bar, and in sight"


def test_an_address_opens_its_section(browser, overview):
    browser.get("about:blank")
    browser.get(f"{overview.as_uri()}#run")
    assert opened(browser) == ["run"]


def test_the_search_opens_what_it_finds_and_folds_it_again(page):
    page.find_element(By.CSS_SELECTOR, "#run summary").send_keys(Keys.ENTER)
    field = page.find_element(By.ID, "search")
    field.send_keys("the paper claims")
    assert opened(page) == ["comparisons"]
    row = page.find_element(By.CSS_SELECTOR, "#comparisons tbody tr")
    assert row.is_displayed()
    field.send_keys(Keys.ESCAPE)
    assert opened(page) == ["run"]


def test_all_sections_are_opened_and_closed_at_once(page):
    button = page.find_element(By.ID, "all")
    button.send_keys(Keys.ENTER)
    assert page.execute_script(SEEN)
    check_width(page)
    assert button.text == "Close all"
    button.send_keys(Keys.ENTER)
    assert opened(page) == [] and button.text == "Open all"


def test_print_shows_what_is_folded(page):
    assert not page.execute_script(SEEN)
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert page.execute_script(SEEN)
        assert page.execute_script(
            "return arguments[0].getBoundingClientRect().height > 0",
            (page.find_element(By.CSS_SELECTOR, "#run .part")),
        )
    finally:
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert not page.execute_script(SEEN)


def test_keys_reach_everything_and_the_focus_is_seen(page):
    page.execute_script("for (const fold of folds) fold.open = true")
    stops = "a[href], button, input, summary, .scroll[tabindex]"
    expected = len(page.find_elements(By.CSS_SELECTOR, stops))
    reached = set()
    for _ in range(expected + 40):
        ActionChains(page).send_keys(Keys.TAB).perform()
        focused = page.switch_to.active_element
        if focused.tag_name == "body":
            break
        outline = page.execute_script(
            "const style = getComputedStyle(arguments[0]);"
            "return style.outlineStyle === 'solid' ? parseFloat(style.outlineWidth) : 0",
            focused,
        )
        assert outline >= 2, focused.get_attribute("outerHTML")[:200]
        if not reached:
            assert focused.get_attribute("class") == "skip"
            assert focused.location["y"] >= 0, "the skip link comes into sight"
        reached.add(focused.id)
    assert len(reached) >= expected


def test_texts_are_told_from_what_is_behind_them(page, overview):
    page.execute_script("for (const fold of folds) fold.open = true")
    check_contrast(page)
    page.get((overview.parent / "tables" / "segmentation.html").as_uri())
    check_contrast(page)
