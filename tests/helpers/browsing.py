"""A real browser without a screen, for the pages that the workflow writes."""

import shutil

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.remote.webdriver import WebDriver

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
ARGUMENTS = (
    *("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"),
    # WebGL without a graphics card.
    *("--use-angle=swiftshader", "--enable-unsafe-swiftshader"),
    # A report is files alone: nothing may be asked of any host.
    *("--host-resolver-rules=MAP * ~NOTFOUND", "--disable-background-networking"),
)
DESKTOP, PHONE = (1400, 900), (390, 800)

needs_browser = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None,
    reason="no browser here: Debian's packages are chromium and chromium-driver",
)


def open_browser(size: tuple[int, int]) -> WebDriver:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ARGUMENTS:
        options.add_argument(argument)
    metrics = {"width": size[0], "height": size[1], "pixelRatio": 1}
    options.add_experimental_option("mobileEmulation", {"deviceMetrics": metrics})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    # With both paths given, selenium looks for no driver of its own.
    return webdriver.Chrome(options=options, service=Service(DRIVER))


# For every text that is seen, the ratio of WCAG 2 between its colour and what lies behind it.
CONTRASTS = """
const channels = text => text.match(/[\\d.]+/g).map(Number);
const linear = value => value <= 10 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4;
const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
function behind(element) {
  for (let each = element; each; each = each.parentElement) {
    const found = channels(getComputedStyle(each).backgroundColor);
    if (found[3] === undefined) return found;
    if (found[3] > 0) throw new Error(`half transparent: ${each.outerHTML.slice(0, 80)}`);
  }
  throw new Error("no background");
}
function contrast(element, colour) {
  const levels = [luminance(channels(colour)), luminance(behind(element))];
  return (Math.max(...levels) + 0.05) / (Math.min(...levels) + 0.05);
}
const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement, text = walker.currentNode.data.trim();
  if (!text || !element.checkVisibility() || element.closest("canvas, option")) continue;
  const colour = getComputedStyle(element).color;
  if (channels(colour)[3] !== 0) found.push([contrast(element, colour), text.slice(0, 60)]);
}
for (const field of document.querySelectorAll("input[placeholder]")) {
  const colour = getComputedStyle(field, "::placeholder").color;
  found.push([contrast(field, colour), field.placeholder]);
}
return found;
"""


def check_contrast(browser: WebDriver) -> None:
    """Every text that is seen has a contrast of 4.5 at least, in the light and the dark scheme."""
    for scheme in ("light", "dark"):
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        try:
            found = browser.execute_script(CONTRASTS)
        finally:
            browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
        assert found
        weak = [(round(ratio, 2), text) for ratio, text in found if ratio < 4.5]
        assert not weak, f"{browser.current_url}, {scheme}: {weak[:10]}"


def check_width(browser: WebDriver) -> None:
    """The page is no wider than the screen."""
    width, room = browser.execute_script(
        "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert width <= room, f"{browser.current_url} is {width} px wide"
