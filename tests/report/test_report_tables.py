"""The report of a frame with columns of several kinds: every panel, and the tables it draws."""

import numpy as np
import pandas as pd
import pytest

import wellposed as wp
from wellposed import plotting
from wellposed.estimators._prepare import prepare
from wellposed.estimators.synthetic.panel import tables_panel, target_of

pytestmark = pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")


def mixed(n=300):
    draws = np.random.default_rng(0)
    trait = draws.normal(size=n)
    return pd.DataFrame(
        {
            "id": np.arange(n),
            "age": 40 + 10 * trait + draws.normal(size=n),
            "city": np.array(["a", "b", "c"])[np.digitize(trait, [-0.5, 0.5])],
            "paid": np.exp(trait + draws.normal(size=n)),
        }
    )


FRAME = mixed()
TRAIN, HELD = FRAME[:200], FRAME[200:]


@pytest.fixture(scope="module")
def vae():
    settings = {"hidden": (8,), "max_epochs": 3, "random_state": 0, "progress": False}
    return wp.VAE(2, prior="standard", **settings).fit(TRAIN)


@pytest.fixture(scope="module")
def page(vae):
    return vae.report(HELD, TRAIN)


@pytest.mark.slow
def test_no_panel_is_left_out(page):
    assert not page.left_out
    names = {panel.name for panel in page.panels}
    assert names >= {"samples", "reconstructions", "traversals", "rates", "synthetic"}


@pytest.mark.slow
def test_sections_name_the_columns_of_the_model_and_leave_missing_cells_out(vae):
    holes = HELD.assign(city=HELD["city"].where(np.arange(len(HELD)) % 4 > 0), paid=np.nan)
    settings = vae.get_params() | {"missing": "ignorable"}
    page = wp.VAE(**settings).fit(TRAIN).report(holes, TRAIN)
    assert not page.left_out
    section = {panel.name: panel for panel in page.panels}
    assert [row[0] for row in section["split"].table.rows] == ["age", "city", "paid"]
    assert "125 missing cells are left out" in section["samples"].caption
    assert "125 missing cells are left out" in section["reconstructions"].caption
    assert "Columns of levels have no such residual" in section["reconstructions"].caption


@pytest.mark.slow
def test_the_section_has_the_figures_of_table_quality(vae, page):
    (section,) = (panel for panel in page.panels if panel.name == "synthetic")
    drawn = vae.sample(len(TRAIN))
    exact = wp.table_quality(drawn, TRAIN, HELD, target="city", schema=vae.schema_)
    assert section.table.rows[:2] == exact.lines[:2]
    assert [row[0] for row in section.table.rows] == [line[0] for line in exact.lines]
    assert "predicts city" in section.caption
    assert "Drawn tables" in page.html


@pytest.mark.slow
def test_without_rows_of_the_training_halves_are_compared(vae):
    section = tables_panel(vae, vae.open(HELD), None)(None)
    assert section is not None
    assert "Pass X_train" in section.caption
    assert not any("copies" in row[0] for row in section.table.rows)


def test_a_table_of_one_kind_has_no_section():
    numbers = FRAME[["age", "paid"]].to_numpy()
    plain = wp.VAE(1, prior="standard", noise="feature", hidden=(8,), random_state=0)
    plain.model_ = prepare(plain, numbers).model  # at its start
    assert tables_panel(plain, plain.open(numbers), None)(None) is None


def test_the_target_is_the_last_column_of_levels():
    assert target_of(wp.Schema.of(FRAME)) == "city"
    assert target_of(wp.Schema.of(FRAME.assign(yes=FRAME.age > 40))) == "yes"
    assert target_of(wp.Schema.of(FRAME[["age", "paid"]])) is None


def test_the_columns_of_the_largest_distance_are_drawn():
    drawn = np.linspace(0, 1, 40)
    ax = plotting.column_distances(drawn, drawn / 2, names=[f"c{j}" for j in range(40)])
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == [f"c{j}" for j in range(10, 40)]
    assert [bar.get_width() for bar in ax.patches] == drawn[10:].tolist()
