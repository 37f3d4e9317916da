"""The page of a fitted model: what it holds, and what a browser and a reader need of it."""

import io
import re
import warnings
from html.parser import HTMLParser

import jax
import matplotlib.image
import numpy as np
import pytest
from typer.testing import CliRunner

import wellposed as wp
from linear_gaussian import exact_model, rows_of
from textbook import textbook_vae
from wellposed import evaluation, plotting
from wellposed.cli import app
from wellposed.reports import Panel, Report, _make, make_report
from wellposed.reports import _panels as panels

pytestmark = pytest.mark.filterwarnings("ignore::wellposed.ConstantFeatureWarning")


NAMES = [
    "width",
    "<b>height</b>",
    "income_$_to_$",
    "$\\undefined{$",
    "{{ 7 * 7 }}",
    "\x1b[31mred\x00\n",
    "_hidden",
    "",
    "long" * 125,
    "\u202eright \N{HEBREW LETTER ALEF}",
    "\U0001f600 100% %s",
]


IMAGES_SLOW = [pytest.param("of_images", marks=pytest.mark.slow), "of_table"]


class Page(HTMLParser):
    """The tags of a page, and the attributes that tests look at."""

    def __init__(self, html: str):
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.text: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)

    def of(self, tag: str) -> list[dict]:
        return [attributes for name, attributes in self.tags if name == tag]


def fitted(X, k=3, **settings):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        vae = textbook_vae(k, hidden=(8,), max_epochs=2, progress=False, random_state=0, **settings)
        return vae.fit(X)


@pytest.fixture(scope="module")
def of_images(digits):
    labels = wp.datasets.load_digits().labels
    vae = fitted(digits[:200], image_shape=(8, 8))
    return vae, vae.report(digits[200:260], digits[:200], labels=labels[200:260])


@pytest.fixture(scope="module")
def frame():
    rows = np.random.default_rng(0).normal(size=(80, len(NAMES))).astype(np.float32)
    pandas = pytest.importorskip("pandas")
    return pandas.DataFrame(rows, columns=NAMES)


@pytest.fixture(scope="module")
def of_table(frame):
    vae = fitted(frame, k=1, noise="conditional")
    return vae, vae.report(frame)


@pytest.mark.slow
def test_images_get_every_panel(of_images):
    _, report = of_images
    assert report.left_out == ()
    assert [panel.name for panel in report.panels] == [
        "samples",
        "reconstructions",
        "plane",
        "traversals",
        "rates",
        "eigenvalues",
        "split",
        "calibration",
        "training",
    ]
    for panel in report.panels:
        picture = matplotlib.image.imread(io.BytesIO(panel.picture))
        assert min(picture.shape[:2]) > 200
        assert len(panel.caption) > 60
        assert panel.alt


def test_a_table_gets_its_own_panels_and_none_that_it_cannot_have(of_table):
    _, report = of_table
    names = {panel.name for panel in report.panels}
    assert {"samples", "reconstructions", "traversals", "rates", "split"} <= names
    assert not {"plane", "correlation"} & names  # one latent, and no image


@pytest.mark.parametrize("kind", IMAGES_SLOW)
def test_the_numbers_are_those_of_the_estimator(kind, request, digits, frame):
    vae, report = request.getfixturevalue(kind)
    rows = digits[200:260] if kind == "of_images" else frame
    (rates,) = (panel.table for panel in report.panels if panel.name == "rates")
    measured = evaluation.rates(vae.model_, vae.rows(rows), key=vae.key("score")).mean(axis=0)
    assert [row[1] for row in rates.rows] == pytest.approx(sorted(measured, reverse=True))
    (split,) = (panel.table for panel in report.panels if panel.name == "split")
    found = vae.variance_split(rows)
    assert len(split.rows) == found.varies.sum()
    assert split.rows[0][1] == found.data[np.flatnonzero(found.varies)[0]]


@pytest.mark.parametrize("kind", IMAGES_SLOW)
def test_sections_have_the_figures_of_the_diagnosis(kind, request):
    _, report = request.getfixturevalue(kind)
    section = {panel.name: panel for panel in report.panels}
    finding = {finding.question: finding for finding in report.diagnosis.findings}
    assert finding["Calibrated?"].said in section["calibration"].caption
    ratio = re.search(r"noise variance is ([^ ]+ ± [^ ]+)", finding["Variance split?"].said)[1]
    assert f"noise variance is {ratio}" in section["split"].caption
    added_up = sum(rate for _, rate in section["rates"].table.rows)
    assert added_up == pytest.approx(finding["Collapsed?"].figures["rates added up, nats"])


@pytest.mark.parametrize("kind", IMAGES_SLOW)
def test_the_page_stands_alone_and_is_sound(kind, request):
    _, report = request.getfixturevalue(kind)
    html = report.html
    page = Page(html)
    assert len(html) < 3_000_000
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = [a["href"][1:] for a in page.of("a")]
    assert set(targets) <= set(ids)
    assert {panel.name for panel in report.panels} <= set(targets)
    sources = [image.get("src", "") for image in page.of("img")]
    assert all(source.startswith("data:image/png") for source in sources if source)
    assert all("alt" in image for image in page.of("img"))
    assert not page.of("link")
    assert not any("src" in script for script in page.of("script"))
    assert not re.search(r"https?://|file:", re.sub(r'base64,[^"]*', "", html))
    assert all(head.get("scope") for head in page.of("th"))
    assert page.of("html")[0]["lang"] == "en"


def test_names_are_text_and_not_markup(of_table):
    assert of_table[1].left_out == ()
    html = of_table[1].html
    assert "<b>height" not in html
    assert not {"\x1b", "\x00", "\u202e"} & set(html)
    text = Page(html).text
    shown = set(text)
    assert {"<b>height</b>", "income_$_to_$", "$\\undefined{$", "{{ 7 * 7 }}"} <= shown
    assert {r"\x1b[31mred\x00\n", "long" * 125, "\\u202eright \N{HEBREW LETTER ALEF}"} <= shown


def test_a_page_is_saved_whole_and_never_over_another(of_table, tmp_path):
    report = of_table[1]
    report.save(tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == report.html
    with pytest.raises(wp.OutputError, match="exists"):
        report.save(tmp_path / "report.html")
    assert 'srcdoc="' in report._repr_html_()


def test_what_cannot_be_drawn_is_told(of_table):
    _, report = of_table
    less = Report(
        report.title, report.diagnosis, (Panel("one", "One", "A caption."),), ("two: no",)
    )
    assert "Not shown" in less.html
    assert "two: no" in less.html


def test_a_panel_that_fails_is_named_and_the_others_are_drawn(of_table, monkeypatch):
    vae, _ = of_table

    def broken(facts):
        raise RuntimeError("no \x1b[31m<font>\nat all")

    def none_of_ours(facts):
        raise wp.DataError("Rows must vary.")

    monkeypatch.setattr(_make, "PANELS", (broken, none_of_ours, panels.training))
    found = make_report(
        vae, np.zeros((20, 11)), diagnosis=of_table[1].diagnosis, key=jax.random.key(0)
    )
    assert [panel.name for panel in found.panels] == ["training"]
    assert found.left_out == (
        r"broken: RuntimeError: no \x1b[31m<font> at all",
        "none_of_ours: Rows must vary.",
    )
    text = "".join(Page(found.html).text)
    assert all(reason in text for reason in found.left_out)


def test_bad_input_is_refused(of_table, frame):
    vae, _ = of_table
    with pytest.raises(wp.DataError, match="one label a row"):
        vae.report(frame[:30], labels=[1, 2])
    with pytest.raises(wp.DataError, match="20"):
        vae.report(frame[:5])


@pytest.mark.slow
def test_the_command_writes_the_page(of_images, tmp_path, digits):
    vae, _ = of_images
    vae.save(tmp_path / "model.wp")
    np.save(tmp_path / "rows.npy", digits[200:230])
    arguments = ["report", tmp_path / "model.wp", tmp_path / "rows.npy", "-o"]
    done = CliRunner().invoke(app, [*map(str, arguments), str(tmp_path / "page.html")])
    assert done.exit_code == 0, done.output
    assert "Wrote" in done.output
    assert "<!doctype html>" in (tmp_path / "page.html").read_text(encoding="utf-8")
    refused = CliRunner().invoke(app, [*map(str, arguments), str(tmp_path / "page.txt")])
    assert refused.exit_code == 2


def test_residuals_are_in_units_of_the_noise():
    model, density = exact_model()
    rows = rows_of(density, 12).astype(np.float32)
    found = evaluation.standardised_residuals(model, rows, key=jax.random.key(0))
    weight, bias = np.asarray(model.decoder.weight), np.asarray(model.decoder.bias)
    loc = np.stack([model.encode(row).loc for row in rows])
    np.testing.assert_allclose(found, (rows - loc @ weight - bias) / np.sqrt(0.3), atol=1e-4)


def test_bars_of_rates_fall_and_forecasts_beside_them():
    ax = plotting.rates(np.array([0.1, 3.0, 1.0]), forecast=np.array([2.0, 0.0, 0.5]))
    assert [bar.get_height() for bar in ax.patches] == [3.0, 1.0, 0.1]
    assert list(ax.lines[0].get_ydata()) == [2.0, 0.5, 0.0]


def test_tables_are_drawn_feature_by_feature():
    draws = np.random.default_rng(0)
    data = draws.normal(size=(50, 15))
    data[:, 0] = 1.0
    assert len(plotting.marginals(data, data).axes) == 12
    grid = np.linspace(-1, 1, 5)
    means = grid[None, :, None] * np.arange(3.0)
    figure = plotting.traversals(grid, means, [4], names=["a", "b", "c"])
    lines = {ax.get_title(loc="left"): ax.lines[0].get_ydata() for ax in figure.axes if ax.lines}
    np.testing.assert_allclose(lines["c"], 2 * grid)
    assert len(plotting.residual_boxes(data[:, :4]).axes) == 1


def test_levels_are_drawn_by_name_and_share_and_missing_cells_are_left_out():
    data = np.array([[0.0, 1.0], [2.0, np.nan], [2.0, 3.0], [np.nan, 2.0]])
    drawn = np.array([[1.0, 1.0], [2.0, 2.0]])
    first, second = plotting.marginals(data, drawn, levels={0: ["red", "green", "blue"]}).axes
    heights = [bar.get_height() for bar in first.patches]
    np.testing.assert_allclose(heights, [1 / 3, 0, 2 / 3, 0, 1 / 2, 1 / 2])
    assert [tick.get_text() for tick in first.get_xticklabels()] == ["red", "green", "blue"]
    assert second.get_ylabel() == "density"
    many = np.repeat(np.arange(20.0), np.arange(1, 21))[:, None]
    (ax,) = plotting.marginals(many, many, levels={0: [f"l{i}" for i in range(20)]}).axes
    shown = [tick.get_text() for tick in ax.get_xticklabels()]
    assert shown == [f"l{i}" for i in range(12, 20)]  # the most frequent, in their order
    means = np.array([0.0, 2.0, 2.0])[None, :, None]
    (ax,) = plotting.traversals(np.arange(3.0), means, [0], levels={0: ["a", "b", "c"]}).axes
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["a", "c"]


def test_a_change_counts_in_units_of_each_feature():
    means = np.arange(3.0)[None, :, None] * np.arange(1.0, 15.0)
    figure = plotting.traversals(np.arange(3.0), means, [0], scale=np.arange(1.0, 15.0) ** 2)
    shown = [ax.get_title(loc="left") for ax in figure.axes if ax.lines]
    assert shown == [f"feature {j}" for j in range(12)]  # the last changes most, in one unit
