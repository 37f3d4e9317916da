"""The names that a user sees: what they are, what they accept, and that each shows an example."""

import importlib
import inspect
import re
import subprocess
import sys
from typing import get_args

import jax
import numpy as np
import pandas as pd
import pytest
import scipy.sparse

import wellposed as wp
from textbook import textbook_vae
from wellposed.estimators import _words
from wellposed.noise.parts.scale import LEARNED

FUNCTIONS = sorted(name for name in wp.__all__ if inspect.isfunction(getattr(wp, name)))
ESTIMATORS = (
    "FactorAnalysis",
    "GaussianImputer",
    "LabelSpread",
    "LinearVAE",
    "MixturePPCA",
    "OutlierVAE",
    "PPCA",
    "VAE",
    "VAEImputer",
)
# Rows of further figures of any kind, options that another function documents, and what
# scikit-learn has: types there are none for.
UNTYPED = {"return", "options", "settings", "params", "thresholds"}


def methods(cls):
    """Public methods of the library's own classes among the bases."""
    return {
        name: method
        for base in cls.__mro__
        if base.__module__.startswith("wellposed.")
        for name, method in vars(base).items()
        if inspect.isfunction(method) and (name == "__init__" or not name.startswith("_"))
    }


SIGNATURES = {name: getattr(wp, name) for name in FUNCTIONS} | {
    f"{cls}.{name}": method
    for cls in ESTIMATORS
    for name, method in methods(getattr(wp, cls)).items()
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_no_parameter_is_of_any_type(name):
    hints = inspect.get_annotations(SIGNATURES[name])
    loose = {p for p, hint in hints.items() if getattr(hint, "__name__", str(hint)) == "Any"}
    assert loose <= UNTYPED


@pytest.mark.parametrize("name", [*FUNCTIONS, *ESTIMATORS])
def test_every_parameter_is_documented(name):
    given = getattr(wp, name)
    for parameter in inspect.signature(given).parameters:
        assert parameter in given.__doc__, f"{name} leaves {parameter} out"


@pytest.mark.parametrize("name", wp._ROOMS)
def test_every_parameter_of_the_functions_of_a_room_is_documented(name):
    room = importlib.import_module(f"wellposed.{name}")
    functions = {public: getattr(room, public) for public in room.__all__}
    left_out = [
        (public, parameter)
        for public, given in functions.items()
        if inspect.isfunction(given)
        for parameter in inspect.signature(given).parameters
        if not re.search(rf"\b{parameter}\b", given.__doc__.partition("Examples\n")[0])
    ]
    assert not left_out


@pytest.mark.parametrize("name", [*FUNCTIONS, *ESTIMATORS, "Grid"])
def test_every_name_shows_an_example(name):
    assert ">>> " in getattr(wp, name).__doc__


@pytest.mark.parametrize("name", [*wp._ROOMS, "estimators", "serialise", "cli"])
def test_a_room_lists_its_public_names_only(name):
    room = importlib.import_module(f"wellposed.{name}")
    assert set(dir(room)) == set(room.__all__)
    assert all(hasattr(room, public) for public in room.__all__)


def test_report_and_explore_are_functions_whatever_is_imported():
    program = (
        "import inspect, wellposed as wp, wellposed.cli, wellposed.reports, wellposed.explorer\n"
        "import wellposed.cli._app\n"
        "assert inspect.isfunction(wp.report) and inspect.isfunction(wp.explore)\n"
        "from wellposed.reports import Report\n"
        "assert wp.reports.Report is Report\n"
        "assert inspect.isfunction(wp.report) and inspect.isfunction(wp.explore)\n"
        "assert wp.latents.StandardNormal\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_words_are_those_that_the_rooms_resolve():
    from wellposed.estimators.start.prior import PRIORS
    from wellposed.models import SAMPLERS
    from wellposed.objectives import _resolve as objectives
    from wellposed.transforms import _resolve as transforms

    assert set(get_args(_words.NoiseWord)) == {"auto", *LEARNED, *wp.noise.FAMILIES}
    assert get_args(_words.TransformWord) == transforms._NAMES
    assert get_args(_words.ObjectiveWord) == objectives._NAMES
    assert set(get_args(_words.Sampler)) == set(SAMPLERS)
    assert get_args(get_args(_words.PriorSetting)[0]) == PRIORS


def rows(n, seed):
    return np.random.default_rng(seed).normal(size=(n, 3))


def test_an_audit_takes_rows_of_any_container():
    X = rows(50, 0)
    vae = {
        "encode": lambda x: (x[:, :1], np.full((len(x), 1), 0.1)),
        "decode": lambda z: z + np.zeros(3),
        "noise_variance": 1.0,
    }
    expected = wp.audit(X=X, **vae)
    for container in (pd.DataFrame(X, columns=list("abc")), scipy.sparse.csr_array(X), X.tolist()):
        found = wp.audit(X=container, **vae)
        assert found.optimal_noise_variance == expected.optimal_noise_variance
    with pytest.raises(wp.DataError, match="column 'b'"):
        wp.audit(X=pd.DataFrame({"a": [1.0, 2.0], "b": [np.nan, 1.0]}), **vae)
    with pytest.raises(wp.DataError, match="finite"):
        wp.audit(X=np.ma.masked_greater(X, 1.0), **vae)


def test_sample_quality_takes_rows_of_any_container():
    samples = rows(40, 0), rows(50, 1)
    options = {"features": np.asarray, "key": jax.random.key(0), "n_resamples": 2}
    expected = wp.sample_quality(*samples, held_out=rows(40, 2), **options)
    frames = [pd.DataFrame(sample, columns=list("abc")) for sample in samples]
    found = wp.sample_quality(*frames, held_out=pd.DataFrame(rows(40, 2)), **options)
    assert found == expected
    masked = np.ma.masked_greater(samples[0], 1.0)
    with pytest.raises(wp.DataError, match="finite"):
        wp.sample_quality(masked, samples[1], held_out=samples[0], **options)


def test_messages_name_the_columns_off_a_support():
    frame = pd.DataFrame({"age": [1.0, 2.0, 3.0], "share": [0.5, 0.25, 0.1]})
    with pytest.raises(wp.DataError, match="it fails in column 'share'"):
        textbook_vae(1, noise="poisson").fit(frame)
    groups = wp.noise.Columns({"age": "shared", "share": "poisson"})
    with pytest.raises(wp.DataError, match="columns 'share'"):
        textbook_vae(1, noise=groups).fit(frame)
