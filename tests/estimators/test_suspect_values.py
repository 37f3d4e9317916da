"""One bad value is named where a model is fitted, and noise made for outliers withstands it."""

import re
import types

import numpy as np
import pandas as pd
import pytest

import wellposed as wp
from textbook import textbook_vae
from variants import slow_beside
from wellposed.estimators._notices import warn_of_outcome
from wellposed.estimators._prepare import prepare
from wellposed.noise import StudentT

NAMES = ["temperature", "pressure", "humidity"]


def rows(n: int = 240) -> np.ndarray:
    """One factor, seen through noise."""
    draws = np.random.default_rng(0)
    factor = draws.normal(size=(n, 1))
    return np.hstack([20 + 4 * factor, 1000 - 6 * factor, 60 + 9 * factor]) + draws.normal(
        size=(n, 3)
    )


def bad() -> pd.DataFrame:
    frame = pd.DataFrame(rows(), columns=NAMES)
    frame.loc[7, "pressure"] = 9999
    return frame


QUICK = {"hidden": (8,), "max_epochs": 1, "random_state": 0}
FITS = {
    "vae": lambda X: textbook_vae(1, **QUICK).fit(X),
    "ppca": lambda X: wp.PPCA(1).fit(X),
    "linear": lambda X: wp.LinearVAE(1, random_state=0).fit(X),
    "grid": lambda X: wp.fit_grid(textbook_vae(1, **QUICK), {"noise": [0.1, 1.0]}, X),
}


@pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")
@pytest.mark.parametrize("name", slow_beside(FITS, ["vae", "ppca", "linear"]))
def test_a_fit_names_column_value_count_and_remedy_once(name):
    with pytest.warns(wp.DataWarning) as caught:
        FITS[name](bad())
    (one,) = [w for w in caught if w.category is wp.DataWarning]
    assert "column 'pressure': 9999 in 1 of 240 rows (row 7)" in str(one.message)
    assert "student-t" in str(one.message)
    assert one.filename == __file__


@pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")
def test_an_image_has_no_suspects():
    pictures = np.random.default_rng(0).uniform(size=(60, 4))
    pictures[7, 1] = 99
    prepare(textbook_vae(1, image_shape=(2, 2), **QUICK), pictures)


@pytest.mark.filterwarnings("ignore::wellposed.DataWarning")
@pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")
@pytest.mark.slow
def test_noise_made_for_outliers_withstands_one():
    """Clean rows keep their log p, to half a nat, where a Gaussian's loses several."""
    spoilt, clean = rows(), rows()[:60]
    spoilt[200, 1] = 1e8
    settings = {"hidden": (16,), "max_epochs": 40, "learning_rate": 5e-3, "random_state": 0}

    def score(noise, data):
        return textbook_vae(1, noise=noise, **settings).fit(data).score_samples(clean, 32).mean()

    assert score("student-t", spoilt) == pytest.approx(score("student-t", rows()), abs=0.5)
    assert score("shared", spoilt) < score("student-t", spoilt) - 3


@pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")
def test_a_name_of_noise_is_no_remedy_beside_noise_of_columns():
    """As an imputer of frames fits it: "student-t" would be refused there."""
    noise = wp.noise.Columns(["conditional"] * 3)
    with pytest.warns(wp.DataWarning, match=r"wp\.noise\.StudentT\(\) as their noise"):
        wp.VAE(1, noise=noise, **QUICK).fit(bad())


@pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning", "ignore::wellposed.DataWarning")
def test_the_remedy_for_columns_of_several_kinds_is_one_that_they_take():
    frame = bad().assign(site=np.tile(["north", "south"], 120))
    with pytest.warns(wp.DataWarning, match="Schema.of") as caught:
        wp.VAE(1, **QUICK).fit(frame)
    said = next(str(w.message) for w in caught if "stand apart" in str(w.message))
    assert "amounts have long tails as they are" in said
    remedy = re.search(r"noise=(wp\.Schema.*\)) is robust", said)
    assert remedy, said
    noise = eval(remedy[1], {"wp": wp, "X": frame, "column": "pressure"})
    assert isinstance(wp.VAE(1, noise=noise, **QUICK).fit(frame).model_.noise.groups[1], StudentT)


@pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")
def test_an_imputer_names_the_column_and_passes_over_levels():
    frame = bad()
    frame["sort"] = np.array(["low", "high"])[(frame["humidity"] > 60).astype(int)]
    frame.loc[3, "sort"] = None
    with pytest.warns(wp.DataWarning) as caught:
        wp.VAEImputer(wp.VAE(1, **QUICK), n_models=2, random_state=0).fit(frame)
    (one,) = [w for w in caught if w.category is wp.DataWarning]
    assert "column 'pressure': 9999" in str(one.message)
    assert "sort" not in str(one.message)


@pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")
def test_a_column_whose_noise_withstands_it_is_not_named(recwarn):
    """The remedy of the warning ends the warning."""
    frame = bad()
    frame["sort"] = np.array(["low", "high"])[(frame["humidity"] > 60).astype(int)]
    schema = wp.Schema.of(frame).replace("pressure", noise="student-t")
    wp.VAE(1, noise=schema, **QUICK).fit(frame)
    assert not [w for w in recwarn if issubclass(w.category, wp.DataWarning)]


@pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")
def test_a_diagnosis_names_the_column_of_most_of_a_difference():
    frame, held_out = bad(), pd.DataFrame(rows(300)[240:], columns=NAMES)
    held_out.loc[3, "pressure"] = 9999
    vae = textbook_vae(1, **QUICK).fit(frame)
    findings = {f.question: f for f in wp.diagnose(vae, held_out, frame).findings}
    for question in ("Variance split?", "Draws as varied as the data?"):
        assert "of the difference is that of 'pressure', where some" in findings[question].said
    said = wp.diagnose(textbook_vae(1, **QUICK).fit(rows()), rows(300)[240:], rows())
    assert "stand apart" not in str(said)


@pytest.mark.parametrize(("names", "said"), [(["a", "b"], True), (None, False)])
def test_noise_at_its_floor_may_be_that_of_codes(names, said):
    """Columns of a frame have kinds, and an array has none."""
    at_floor = types.SimpleNamespace(noise=types.SimpleNamespace(on_floor=lambda variance: [1]))
    run = types.SimpleNamespace(reason="", model=at_floor)
    with pytest.warns(wp.FloorWarning) as caught:
        warn_of_outcome(run, np.ones(2), names)
    message = str(caught[0].message)
    assert ("'b'" if said else "1") in message
    assert ('kind="category"' in message) == said
