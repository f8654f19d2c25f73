"""The pages of scans as a browser shows them: sides, threshold, candidates, index."""

import base64
import io
import re
import shutil
from collections.abc import Iterator

import numpy as np
import pytest
from browsing import DESKTOP, PHONE, check_contrast, check_width, needs_browser, open_browser
from PIL import Image
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.wait import WebDriverWait
from small_derivatives import LARGE, SMALL, small_study

import write_scan_index
import write_scan_pages

pytestmark = needs_browser

# NiiVue's numbers of the views.
AXIAL, CORONAL, SAGITTAL = 0, 1, 2


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    made = small_study(tmp_path_factory.mktemp("run"))
    for picture in (made.quality / "pictures").iterdir():
        Image.new("L", (508, 338)).save(picture)
    write_scan_pages.main(**made.inputs())
    write_scan_index.main(
        derivatives=[made.folder],
        pages=[made.pages],
        output=made.pages.parent / "index.html",
        cohort_labels={made.cohort: "Mine T2"},
    )
    return made


@pytest.fixture(scope="module", params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def browser(request) -> Iterator[WebDriver]:
    driver = open_browser(request.param)
    yield driver
    driver.quit()


@pytest.fixture
def page(browser, study) -> Iterator[WebDriver]:
    """The page of the scan with two candidates; in the end the browser's console must be empty."""
    browser.get((study.pages / "sub-01_ses-1.html").as_uri())
    wait_for(browser, lambda driver: "Here:" in text(driver, "where"))
    yield browser
    assert browser.get_log("browser") == []
    check_width(browser)


def wait_for(browser: WebDriver, condition) -> None:
    WebDriverWait(browser, 60).until(condition)


def text(browser: WebDriver, name: str) -> str:
    return browser.find_element(By.ID, name).text


def place(browser: WebDriver) -> np.ndarray:
    """Where the crosshair is, by the line below the views."""
    return np.array(
        [float(value) for value in re.findall(r"\b[xyz] (-?\d+)", text(browser, "where"))]
    )


def pixels(browser: WebDriver) -> np.ndarray:
    """What the canvas shows, int [height, width, 3]."""
    # What was asked for is drawn in the next frame; a drawing can be read in its own frame alone.
    shown = browser.execute_async_script(
        """const done = arguments[0];
        requestAnimationFrame(() => requestAnimationFrame(() => {
          viewer.drawScene();
          done(document.getElementById("viewer").toDataURL("image/png").split(",")[1]);
        }));"""
    )
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(shown))).convert("RGB")).astype(int)


def coloured(picture: np.ndarray) -> np.ndarray:
    """Rows and columns of the pixels that have a colour of the map."""
    return np.argwhere(picture[..., 0] - picture[..., 2] > 60)


def views(browser: WebDriver) -> dict[int, np.ndarray]:
    """Left, top, width and height of each view in the canvas."""
    found = browser.execute_script(
        "return viewer.screenSlices.map(e => [e.axCorSag, ...e.leftTopWidthHeight])"
    )
    return {int(number): np.array(box) for number, *box in found}


def test_all_views_show_the_scan(page):
    picture = pixels(page)
    assert set(views(page)) == {AXIAL, CORONAL, SAGITTAL}
    for left, top, width, height in views(page).values():
        part = picture[int(top) : int(top + height), int(left) : int(left + width)]
        grey = (np.ptp(part, axis=-1) < 8) & (part[..., 0] > 60)
        assert grey.mean() > 0.2


def test_left_is_left_and_front_is_front(page):
    """The large candidate lies left, in front and high; radiological display, nose to the left."""
    np.testing.assert_allclose(place(page), LARGE, atol=2)
    found = coloured(pixels(page))
    expected = {AXIAL: (">", "<"), CORONAL: (">", "<"), SAGITTAL: ("<", "<")}
    for view, (left, top, width, height) in views(page).items():
        row, column = ((found - (top, left)) / (height, width)).T
        inside = (row > 0) & (row < 1) & (column > 0) & (column < 1)
        assert inside.sum() > 20, view
        across, down = expected[view]
        assert (column[inside].mean() > 0.5) == (across == ">"), view
        assert (row[inside].mean() > 0.5) == (down == ">"), view


def test_the_threshold_changes_what_is_shown_and_the_volume(page):
    slider, fitted = page.find_element(By.ID, "threshold"), text(page, "volume")
    assert text(page, "level") == "0.2"
    balls = 4 / 3 * np.pi * (1.6**3 + 1.1**3)
    assert float(fitted.removesuffix(" ml")) == pytest.approx(balls, rel=0.1)
    before = len(coloured(pixels(page)))
    assert before > 60

    slider.send_keys(Keys.END)
    assert text(page, "volume") == "0 ml"
    assert len(coloured(pixels(page))) == 0

    slider.send_keys(Keys.HOME)
    assert float(text(page, "volume").removesuffix(" ml")) > 1000
    assert len(coloured(pixels(page))) > 10 * before

    page.find_element(By.ID, "reset").click()
    assert text(page, "volume") == fitted
    assert len(coloured(pixels(page))) == before


def test_opacity_fades_the_map(page):
    slider = page.find_element(By.ID, "opacity")
    slider.send_keys(Keys.HOME)
    assert text(page, "percent") == "0 %"
    assert len(coloured(pixels(page))) == 0
    slider.send_keys(Keys.END)
    assert len(coloured(pixels(page))) > 60


def test_the_deviation_is_shown_in_place_of_the_map(page):
    """It is high at the small candidate, which lies to the right, at the back and low."""
    before = pixels(page)
    choices = page.find_elements(By.CSS_SELECTOR, "[name=map]")
    choices[1].click()
    after = pixels(page)
    assert len(coloured(after)) == 0
    blue = np.argwhere(after[..., 2] - after[..., 0] > 60)
    assert len(blue) > 1000
    page.find_elements(By.CSS_SELECTOR, "#candidates tbody tr")[1].click()
    assert "standard deviation 0.4" in text(page, "where")
    choices[0].click()
    page.find_elements(By.CSS_SELECTOR, "#candidates tbody tr")[0].click()
    assert text(page, "where").endswith("standard deviation 0")
    assert (pixels(page) == before).all()


def test_texts_are_told_from_what_is_behind_them(page, study):
    check_contrast(page)
    page.get((study.pages / "index.html").as_uri())
    check_contrast(page)


def test_a_candidate_moves_the_crosshair(page):
    first, second = page.find_elements(By.CSS_SELECTOR, "#candidates tbody tr")
    assert first.get_attribute("aria-current") == "true"
    before = pixels(page)
    second.click()
    np.testing.assert_allclose(place(page), SMALL, atol=2)
    assert "anomaly 0.4" in text(page, "where")
    assert (pixels(page) != before).mean() > 0.05
    # And by the keyboard alone.
    first.find_element(By.TAG_NAME, "button").send_keys(Keys.ENTER)
    np.testing.assert_allclose(place(page), LARGE, atol=2)
    assert first.get_attribute("aria-current") == "true"
    assert second.get_attribute("aria-current") is None


def test_a_scan_without_candidates_is_shown(page, study):
    page.get((study.pages / "sub-two.html").as_uri())
    wait_for(page, lambda driver: "Here:" in text(driver, "where"))
    assert text(page, "volume") == "0 ml"
    assert pixels(page).max() > 100 and len(coloured(pixels(page))) == 0


def test_the_link_to_the_quality_page_is_hidden_where_there_is_none(page, study, tmp_path):
    wait_for(page, lambda driver: driver.find_element(By.ID, "among").is_displayed())
    shutil.copytree(study.pages, tmp_path / "given")
    page.get((tmp_path / "given" / "sub-01_ses-1.html").as_uri())
    wait_for(page, lambda driver: "Here:" in text(driver, "where"))
    shown = "return document.querySelector('.quality img').naturalWidth"
    wait_for(page, lambda driver: driver.execute_script(shown) == 508)
    assert not page.find_element(By.ID, "among").is_displayed()
    # The console tells of the picture that was looked for.
    assert all("ERR_FILE_NOT_FOUND" in line["message"] for line in page.get_log("browser"))


# Without WebGL 2, and with one that fails after the page has found it.
NO_CONTEXT = "() => null"
FAILING_CONTEXT = "() => { if (self.asked) throw new Error('lost'); self.asked = true; return {}; }"


@pytest.mark.parametrize("context", [NO_CONTEXT, FAILING_CONTEXT])
def test_without_webgl_the_page_says_so(page, study, context):
    command = "Page.addScriptToEvaluateOnNewDocument"
    source = f"HTMLCanvasElement.prototype.getContext = {context}"
    added = page.execute_cdp_cmd(command, {"source": source})
    try:
        page.get((study.pages / "sub-01_ses-1.html").as_uri())
        wait_for(page, lambda driver: "WebGL 2 is missing" in text(driver, "failed"))
        assert not page.find_element(By.ID, "viewer").is_displayed()
        page.find_element(By.ID, "threshold").send_keys(Keys.END)
        assert text(page, "volume") == "0 ml"
    finally:
        page.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)
        # Read here, since the page tells of what failed.
        page.get_log("browser")


@pytest.fixture
def index(browser, study) -> Iterator[WebDriver]:
    browser.get((study.pages.parent / "index.html").as_uri())
    yield browser
    assert browser.get_log("browser") == []
    check_width(browser)


def names(browser: WebDriver) -> list[str]:
    links = browser.find_elements(By.CSS_SELECTOR, "#scans tbody a.name")
    return [link.get_attribute("href").rpartition("/")[2] for link in links if link.is_displayed()]


ONE, TWO, NONE = "sub-01_ses-1.html", "sub-01_ses-2.html", "sub-two.html"


def test_the_index_is_searched(index):
    assert names(index) == [NONE, ONE, TWO]
    search = index.find_element(By.ID, "search")
    search.send_keys("ONE mine ses-2")
    assert names(index) == [TWO]
    assert text(index, "count") == "1 of 3 shown"
    search.send_keys(Keys.ESCAPE)
    assert len(names(index)) == 3 and text(index, "count") == ""


def test_the_index_is_sorted_and_leads_to_pages(index):
    sort = index.find_element(By.ID, "sort")

    def sort_by(label: str) -> list[str]:
        for option in sort.find_elements(By.TAG_NAME, "option"):
            if option.text == label:
                option.click()
        return names(index)

    assert sort_by("volume (ml)") == [ONE, TWO, NONE]
    assert sort_by("scan") == [ONE, TWO, NONE]
    # What has no percentile comes last.
    assert sort_by("percentile") == [NONE, ONE, TWO]
    heading = index.find_elements(By.CSS_SELECTOR, "#scans thead th button")[5]
    if heading.is_displayed():
        heading.click()
        assert names(index) == [ONE, TWO, NONE]
        heading.click()
        assert names(index) == [NONE, TWO, ONE]
        cell = heading.find_element(By.XPATH, "..")
        assert cell.get_attribute("aria-sort") == "ascending"
    assert sort_by("most anomalous") == [NONE, ONE, TWO]
    pictures = "return [...document.images].every(e => e.complete && e.naturalWidth > 0)"
    wait_for(index, lambda driver: driver.execute_script(pictures))
    index.find_element(By.CSS_SELECTOR, "#scans tbody a.name").click()
    wait_for(index, lambda driver: "Here:" in text(driver, "where"))
