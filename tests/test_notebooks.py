"""What records and estimators show of themselves in a notebook."""

import re

import jax
import numpy as np
import pytest

import wellposed as wp
from textbook import textbook_vae
from wellposed import training
from wellposed._html import table

pytestmark = pytest.mark.filterwarnings("ignore:max_epochs was reached")


SHORT = {"hidden": (4,), "max_epochs": 1}


@pytest.fixture(scope="module")
def rows():
    return np.random.default_rng(0).normal(size=(60, 4)) * [3.0, 1.0, 1.0, 1.0]


def cells(html):
    """The rows of a table, texts of their cells."""
    body = html.split("<tbody>")[1]
    return [re.findall("<td>(.*?)</td>", row) for row in body.split("</tr>")[:-1]]


def test_a_table_escapes_what_it_is_given():
    html = table("<b>", ["x & y"], [["<script>", 1.23456]])
    assert "<script>" not in html
    assert "<b>" not in html
    assert "x &amp; y" in html
    assert cells(html) == [["&lt;script&gt;", "1.235"]]


def test_a_forecast_shows_each_latent(rows):
    found = wp.forecast(rows, noise_variance=2.0, n_components=6)
    shown = cells(found._repr_html_())
    assert [cell[2] for cell in shown] == ["active"] + 5 * ["collapsed"]
    first = np.log(found.eigenvalues[0] / 2.0) / 2
    assert float(shown[0][3]) == pytest.approx(first, rel=1e-3)
    assert [float(cell[1]) for cell in shown[4:]] == [0.0, 0.0]  # more latents than features


def test_a_grid_shows_its_members(rows):
    vae = textbook_vae(1, **SHORT, random_state=0, progress=False)
    found = wp.fit_grid(vae, {"noise": [0.5, 1.0]}, rows, progress=False)
    shown = cells(found._repr_html_())
    assert [cell[0] for cell in shown] == ["0.5", "1"]
    assert all(float(cell[4]) > 0 for cell in shown)


def test_a_run_shows_its_epochs(rows):
    vae = textbook_vae(1, **SHORT, random_state=0, progress=False).fit(rows)
    plan = training.Plan(max_epochs=3)
    run = training.fit(vae.model_, rows, key=jax.random.key(0), plan=plan)
    shown = cells(run._repr_html_())
    assert [float(cell[0]) for cell in shown] == [1, 2, 3]
    assert float(shown[-1][1]) == pytest.approx(run.history.column("objective")[-1], rel=1e-3)


def test_an_estimator_shows_its_settings(rows):
    vae = textbook_vae(1, **SHORT, random_state=0, progress=False).fit(rows)
    for html in (vae._repr_html_(), wp.PPCA(1).fit(rows)._repr_html_()):
        assert "random_state" in html
        assert "Fitted" in html
