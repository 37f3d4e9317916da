"""The chapters of the course: every block runs, and prints what the page shows below it."""

import contextlib
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted((ROOT / "docs" / "course").glob("[0-9]*.md"))
# Chapters that train networks: their figures vary in the last digits from machine to machine.
TRAINED = {"05": 0.05}
NUMBER = re.compile(r"[-−]?\d+(?:\.\d+)?(?:e[-+]?\d+)?")


def blocks(page: Path) -> list[tuple[str, str | None]]:
    """Each block of Python, and the output that the page shows right below it, if any."""
    found = re.findall(
        r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```)?",
        page.read_text(),
        re.DOTALL | re.MULTILINE,
    )
    return [(code, shown or None) for code, shown in found]


def numbers(text: str) -> list[float]:
    return [float(number.replace("−", "-")) for number in NUMBER.findall(text)]


def unit(number: str) -> float:
    """One unit of the last digit that is shown."""
    mantissa, _, exponent = number.partition("e")
    digits = len(mantissa.partition(".")[2])
    return 10.0 ** (int(exponent or 0) - digits)


def compare(printed: str, shown: str, share: float) -> None:
    assert NUMBER.sub("#", printed).split() == NUMBER.sub("#", shown).split()
    units = [unit(number) for number in NUMBER.findall(shown)]
    for ours, theirs, step in zip(numbers(printed), numbers(shown), units, strict=True):
        assert abs(ours - theirs) <= 1.01 * step + share * abs(theirs), (printed, shown)


@pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")
@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, id=page.stem, marks=[pytest.mark.slow] * (page.name[:2] in TRAINED))
        for page in CHAPTERS
    ],
)
def test_a_chapter_prints_what_it_shows(page):
    names: dict = {}
    shows = 0
    for code, shown in blocks(page):
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            exec(compile(code, page.name, "exec"), names)
        if shown is not None:
            compare(said.getvalue(), shown, TRAINED.get(page.name[:2], 0.0))
            shows += 1
    assert shows >= 3


@pytest.mark.parametrize("page", CHAPTERS, ids=lambda page: page.stem)
def test_a_chapter_has_its_figure_and_three_exercises(page):
    text = page.read_text()
    (picture,) = set(re.findall(r"\(\.\./images/course/(.*?)\)", text))
    (script,) = set(re.findall(r"python docs/course/figures/(\S+?\.py)", text))
    assert picture == f"{page.name[:2]}.png"
    assert script.startswith(page.name[:2])
    assert (ROOT / "docs" / "course" / "figures" / script).exists()
    assert (ROOT / "docs" / "images" / "course" / picture).stat().st_size <= 120_000
    assert text.count("<summary>Answer") == text.count("</details>") == 3


@pytest.mark.slow
@pytest.mark.parametrize("page", CHAPTERS, ids=lambda page: page.stem)
def test_a_figure_is_drawn_by_the_command_of_its_page(page, tmp_path):
    (script,) = set(re.findall(r"python (docs/course/figures/\S+?\.py)", page.read_text()))
    paths = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    subprocess.run(
        [sys.executable, ROOT / script, tmp_path],
        check=True,
        env={**os.environ, "PYTHONPATH": paths},
    )
    drawn = tmp_path / f"{page.name[:2]}.png"
    assert 10_000 < drawn.stat().st_size <= 120_000
