"""A headless Chromium for tests of pages, and an accessibility checker in it."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from axe_core_python.base import AXE_FILE_PATH
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
needs_browser = pytest.mark.skipif(
    BROWSER is None or DRIVER is None,
    reason="no chromium, or no chromedriver, to open the page with",
)
WIDTHS, SCHEMES = (360, 768, 1400), ("light", "dark")

_QUIET = (
    "--headless=new",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
_ASKED = """
const done = arguments[arguments.length - 1];
axe.run({resultTypes: ["violations"]}).then(found => done(found.violations), e => done(String(e)));
"""


@contextlib.contextmanager
def opened_browser() -> Iterator[Any]:
    """A browser of its own profile; it ends with the block, and so do its processes."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(BROWSER)
    for option in _QUIET:
        options.add_argument(option)
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.add_argument("--no-sandbox")  # which root has none of
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, Service(str(DRIVER)))
    try:
        driver.set_script_timeout(60)
        yield driver
    finally:
        driver.quit()


def look_like(driver: Any, width: int, scheme: str) -> None:
    """Give the next page a width in pixels, and a colour scheme."""
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def complaints(driver: Any) -> list[str]:
    """Return the console's messages since the last call."""
    return [entry["message"] for entry in driver.get_log("browser")]


def barriers(driver: Any) -> list[str]:
    """Serious and critical violations of the accessibility rules, and where they are."""
    driver.execute_script(AXE_FILE_PATH.read_text(encoding="utf-8"))
    found = driver.execute_async_script(_ASKED)
    assert isinstance(found, list), found
    return [
        f"{rule['id']}: {rule['help']}: {[node['target'] for node in rule['nodes']][:3]}"
        for rule in found
        if rule["impact"] in ("serious", "critical")
    ]
