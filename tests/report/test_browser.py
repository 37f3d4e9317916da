"""The page in a real browser: no complaint on its console, at three widths and in both schemes."""

import shutil
import subprocess

import numpy as np
import pytest

import wellposed as wp
from wellposed import evaluation
from wellposed.report import Panel, Report, Table

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no chromium to open the page with")

QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
    "--virtual-time-budget=2000",
]


def opened(path, profile, *options):
    """What the browser makes of a page, and what it says on its console."""
    command = [BROWSER, *QUIET, f"--user-data-dir={profile}", *options, "--dump-dom", path.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


@pytest.fixture
def page(tmp_path):
    """A report with every part of a page: a picture, a table, and something left out."""
    finding = evaluation.Finding("Bounded?", "sound", "It is.", "None.", figures={"bound": 1.5})
    diagnosis = evaluation.Diagnosis((finding,), "a VAE", 30, None)
    ax = wp.plotting.rates(np.array([1.0, 0.5]))
    from wellposed.report._panels import _png

    table = Table(("latent", "nats"), ((1, 2.0), (0, 10.0)))
    panels = (Panel("rates", "Rates", "Bars.", _png(ax), "two bars", table),)
    path = tmp_path / "report.html"
    Report("Report on a VAE", diagnosis, panels, ("plane: one latent",)).save(path)
    return path


@pytest.mark.parametrize("width", [360, 768, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_opens_without_complaint(page, tmp_path, width, scheme):
    dark = ["--blink-settings=preferredColorScheme=0"] if scheme == "dark" else []
    is_dark = 'matchMedia("(prefers-color-scheme: dark)").matches'
    asked = f'document.body.lang = {is_dark} ? "dark" : "light";'
    html = page.read_text(encoding="utf-8")
    page.write_text(html.replace("</script>", asked + "</script>"), encoding="utf-8")
    dom, console = opened(page, tmp_path / "profile", f"--window-size={width},900", *dark)
    assert console == []
    assert f'<body lang="{scheme}">' in dom
    assert dom.count('<th scope="col"><button type="button">') == 5  # the script has run


def test_a_table_sorts_and_a_picture_enlarges(page, tmp_path):
    html = page.read_text(encoding="utf-8")
    clicks = """
    document.querySelectorAll("#rates thead button")[1].click();
    document.querySelectorAll("#rates thead button")[1].click();
    document.querySelector(".enlarge").click();
    """
    page.write_text(html.replace("</script>", clicks + "</script>"), encoding="utf-8")
    dom, console = opened(page, tmp_path / "profile")
    assert console == []
    assert dom.index("<td>10</td>") < dom.index("<td>2</td>")  # as numbers, falling
    assert 'aria-sort="descending"' in dom
    assert '<dialog aria-label="Enlarged picture" open' in dom


def test_a_complaint_would_be_seen(page, tmp_path):
    html = page.read_text(encoding="utf-8")
    page.write_text(html.replace("</script>", "missing();</script>"), encoding="utf-8")
    _, console = opened(page, tmp_path / "profile")
    assert any("missing is not defined" in line for line in console)
