"""The page in a real browser: no complaint on its console, at three widths and in both schemes."""

import numpy as np
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

import wellposed as wp
from browser import (
    SCHEMES,
    WIDTHS,
    barriers,
    complaints,
    look_like,
    needs_browser,
    opened_browser,
)
from wellposed import evaluation
from wellposed.reports import Panel, Report, Table

pytestmark = needs_browser


@pytest.fixture(scope="module")
def driver():
    with opened_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A report with every part of a page: a picture, a table, and something left out."""
    findings = [
        evaluation.Finding(
            f"{verdict}?", verdict, "It is.", "None.", "it is not", figures={"bound": 1.5}
        )
        for verdict in ("sound", "caution", "open", "fault")
    ]
    diagnosis = evaluation.Diagnosis(tuple(findings), "a VAE", 30, None)
    ax = wp.plotting.rates(np.array([1.0, 0.5]))
    from wellposed.reports._panels import figure_as_png

    table = Table(("latent", "nats"), ((1, 2.0), (0, 10.0)))
    panels = (Panel("rates", "Rates", "Bars.", figure_as_png(ax), "two bars", table),)
    path = tmp_path_factory.mktemp("report") / "report.html"
    Report("Report on a VAE", diagnosis, panels, ("plane: one latent",)).save(path)
    return path


@pytest.fixture
def page(driver, path):
    look_like(driver, 1400, "light")
    driver.get(path.as_uri())
    yield driver
    assert complaints(driver) == []


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_it_opens_without_complaint_or_barrier(driver, path, width, scheme):
    look_like(driver, width, scheme)
    driver.get(path.as_uri())
    dark = 'return matchMedia("(prefers-color-scheme: dark)").matches'
    assert driver.execute_script(dark) == (scheme == "dark")
    assert len(driver.find_elements(By.CSS_SELECTOR, "th[scope=col] > button")) == 5
    for fold in driver.find_elements(By.TAG_NAME, "summary"):
        fold.click()
    assert barriers(driver) == []
    assert complaints(driver) == []


def test_a_table_sorts_by_a_click_on_its_head(page):
    page.find_element(By.CSS_SELECTOR, "#rates summary").click()
    head = page.find_elements(By.CSS_SELECTOR, "#rates thead button")[1]
    orders = []
    for _ in range(2):
        head.click()
        cells = page.find_elements(By.CSS_SELECTOR, "#rates tbody td:nth-child(2)")
        orders.append([cell.text for cell in cells])
    assert orders == [["2", "10"], ["10", "2"]]  # as numbers
    assert head.find_element(By.XPATH, "..").get_attribute("aria-sort") == "descending"


def test_a_picture_enlarges_and_closes(page):
    dialog = page.find_element(By.TAG_NAME, "dialog")
    picture = page.find_element(By.CSS_SELECTOR, ".enlarge")
    for close in (
        lambda: page.find_element(By.CSS_SELECTOR, "dialog .close").click(),
        lambda: page.switch_to.active_element.send_keys(Keys.ESCAPE),
    ):
        assert not dialog.is_displayed()
        picture.click()
        assert dialog.is_displayed()
        large = dialog.find_element(By.TAG_NAME, "img")
        assert large.get_attribute("src") == picture.find_element(By.TAG_NAME, "img").get_attribute(
            "src"
        )
        assert barriers(page) == []
        close()
    assert not dialog.is_displayed()


def test_a_complaint_and_a_barrier_would_be_seen(driver, path, tmp_path):
    html = path.read_text(encoding="utf-8")
    broken = tmp_path / "broken.html"
    html = html.replace("</script>", "missing();</script>").replace('alt="two bars"', "")
    broken.write_text(html.replace('aria-label="Enlarge: Rates"', ""), encoding="utf-8")
    driver.get(broken.as_uri())
    assert any("missing is not defined" in line for line in complaints(driver))
    assert {found.split(":")[0] for found in barriers(driver)} == {"button-name", "image-alt"}
