"""Figures of the documentation have a command that prints them: the rule of `.ci/figures.py`."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_spec = importlib.util.spec_from_file_location("figures", ROOT / ".ci" / "figures.py")
assert _spec is not None
assert _spec.loader is not None
figures = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(figures)

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FIGURE = "The held-out ELBO is -12.4 nats, and a fit takes three times as long."
TABLE = "| noise | ELBO |\n|---|---|\n| one | -12.4 |\n| two | -11.9 ± 0.1 |"
OUTPUT = "```text\nELBO -12.4 ± 0.3\n```"
COMMAND = "`python -m benchmarks.gaps\nsix` prints them."


def lines(*parts: str) -> list[int]:
    return [line for line, _ in figures.faults("\n\n".join(parts))]


@pytest.mark.parametrize("planted", [FIGURE, TABLE, OUTPUT, f"- {FIGURE}"])
@pytest.mark.parametrize(
    ("named", "page"),
    [
        (False, ["# A", "{}"]),
        (False, ["# A", COMMAND.replace("python -m benchmarks.gaps", "wp.gaps"), "{}"]),
        (False, ["# A", "## B", COMMAND, "## C", "{}"]),
        (False, ["# A", "`wellposed fit table.csv -o model.wp`", "## B", "{}"]),
        (False, ["# A", "<!-- figures: setting -->", "It is so.", "## B", "{}"][2:]),
        (False, ["# A", "Text.", "<!-- figures: setting -->", "It is so.", "{}"]),
        (True, ["# A", "{}", COMMAND]),
        (True, ["# A", COMMAND, "## B", "### C", "{}"]),
        (True, ["# A", "```python\nprint(vae.elbo(X))\n```", "{}"]),
        (True, ["# A", "```console\n$ wellposed doctor --self-test\n```", "{}"]),
        (True, ["# A", "[the script](figures/01_fits.py)", "{}"]),
        (True, ["# A", "Text.", "<!-- figures: python -m benchmarks.gaps -->\n{}"]),
        (True, ["# A", "<!-- figures: setting -->", "## B", "{}"]),
    ],
)
def test_a_figure_is_found_where_its_section_has_no_command(planted, named, page):
    parts = [part.replace("{}", planted) for part in page]
    assert len(lines(*parts)) == (0 if named else 1)


def test_settings_versions_and_formulas_are_no_figures():
    text = "JAX 0.10.2, Python 3.12; `0.5 nats`, $0.5\\,x$, α = 0.25, 90 % intervals, 1,300 files"
    assert lines("# A", text) == []
    assert lines("# A", "Published: 1.27 (Bit-Swap).", "Kingma et al. (2014) have 3.3 %.") == []
    assert lines("# A", text, FIGURE) == [5]


def test_a_benchmark_that_is_not_there_is_found():
    text = "`python -m benchmarks.gaps six`\n`python -m benchmarks.no_such wu`"
    assert list(figures.missing_modules(text)) == [(2, "there is no benchmarks.no_such")]


@pytest.mark.parametrize(
    "page", PAGES, ids=lambda page: str(page.relative_to(ROOT).with_suffix(""))
)
def test_the_figures_of_a_page_have_their_commands(page):
    text = page.read_text(encoding="utf-8")
    assert [*figures.faults(text), *figures.missing_modules(text)] == []
