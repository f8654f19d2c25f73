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
