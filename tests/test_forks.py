"""A process forked after JAX had started: every call raises an error, and none blocks."""

import inspect
import multiprocessing as mp
import warnings

import jax
import numpy as np
import pytest

import wellposed as wp
from textbook import textbook_vae
from wellposed import _forks, evaluation, training
from wellposed.objectives import ELBO

pytestmark = [
    # JAX and Python both warn of the fork itself, which these tests are about.
    pytest.mark.filterwarnings("ignore:os.fork:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore:This process:DeprecationWarning"),
]
_SECONDS = 60


@pytest.fixture(scope="module")
def rows():
    draws = np.random.default_rng(0)
    return draws.normal(size=(60, 2)) @ draws.normal(size=(2, 4)) + 0.1 * draws.normal(size=(60, 4))


@pytest.fixture(scope="module")
def fitted(rows):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = textbook_vae(2, hidden=(4,), max_epochs=1, random_state=0, progress=False).fit(rows)
        return made, wp.PPCA(1).fit(rows), wp.LinearVAE(1, random_state=0).fit(rows)


def doors(fitted, rows, path):
    """What a user may call first in a child, by name."""
    vae = fitted[0]
    key, plan = jax.random.key(0), training.Plan(max_epochs=1)
    for estimator in fitted:
        name = type(estimator).__name__
        yield f"{name}.fit", lambda e=estimator: type(e)(1, random_state=0).fit(rows)
        for method in ("transform", "reconstruct", "score_samples", "score", "elbo", "collapse"):
            if hasattr(estimator, method):
                yield f"{name}.{method}", lambda e=estimator, m=method: getattr(e, m)(rows[:3])
        yield f"{name}.sample", lambda e=estimator: e.sample(3)
        yield f"{name}.sample of a seed", lambda e=estimator: e.sample(3, random_state=1)
        codes = np.zeros((3, vae.n_components if estimator is vae else 1))
        yield f"{name}.inverse_transform", lambda e=estimator, z=codes: e.inverse_transform(z)
    judged = ("calibration", "coverage", "variance_split", "rate_distortion", "prior_mismatch")
    for method in (*judged, "log_likelihood", "report", "amortisation_gap", "residual_spectrum"):
        yield f"VAE.{method}", lambda m=method: getattr(vae, m)(rows)
    yield "VAE.partial_fit", lambda: vae.partial_fit(rows)
    yield "VAE.adopt_prior", lambda: vae.adopt_prior(rows)
    yield "load", lambda: wp.load(path)
    yield "diagnose", lambda: wp.diagnose(vae, rows)
    yield "forecast", lambda: wp.forecast(rows, n_components=1)
    yield "fit_grid", lambda: wp.fit_grid(vae, {"noise": [0.1]}, rows)
    yield "training.fit", lambda: training.fit(vae.model_, rows, key=key, plan=plan)
    yield (
        "training.advance",
        lambda: training.advance(vae.model_, rows, key=key, objective=ELBO(), plan=plan),
    )
    for name, function in vars(evaluation).items():
        asked = inspect.signature(function).parameters if inspect.isfunction(function) else {}
        # One refuses this model, before it computes anything.
        if name != "exact_log_likelihood" and "key" in asked and next(iter(asked)) == "model":
            yield (
                f"evaluation.{name}",
                lambda f=function, a=asked: f(**_given(a, vae.model_, rows[:3], key)),
            )


def _given(asked, model, rows, key):
    """Arguments that have no default, by their names."""
    known = {"model": model, "rows": rows, "train": rows, "x": rows[0]}
    known |= {"latents": np.zeros((3, 2)), "key": key}
    known |= {"n_samples": 2, "n_importance": 2, "n_data": 2, "beta": 1.0}
    known |= {"how": "mean", "alpha": 1.0, "most": 9, "ways": (("mean", 1.0),)}
    needed = [name for name, one in asked.items() if one.default is one.empty]
    return {name: known[name] for name in needed if name != "thresholds"}


def _tried(pipe, all_doors):
    for name, call in all_doors:
        pipe.send((name, None))
        try:
            call()
        except Exception as error:
            pipe.send((name, f"{type(error).__name__}: {error}"))
        else:
            pipe.send((name, "returned"))
    pipe.send((None, None))


def test_a_forked_child_is_refused_at_every_door(fitted, rows, tmp_path):
    fitted[0].save(tmp_path / "model.wp")
    fork = mp.get_context("fork")
    ours, theirs = fork.Pipe(duplex=False)
    child = fork.Process(
        target=_tried, args=(theirs, list(doors(fitted, rows, tmp_path / "model.wp")))
    )
    child.start()
    found, entered = {}, None
    while ours.poll(_SECONDS):
        name, said = ours.recv()
        if name is None:
            break
        entered, found[name] = name, said
    hung = child.is_alive() and found[entered] is None
    child.kill()
    child.join()
    assert not hung, f"{entered} waits for ever"
    wrong = {name: said for name, said in found.items() if not said.startswith("ForkedProcess")}
    assert not wrong
    assert len(found) > 60
    assert "spawn" in found["VAE.score"]
    assert "loky" in found["VAE.score"]


def test_a_fork_before_jax_has_started_is_none(monkeypatch):
    import jax._src.xla_bridge as bridge

    assert bridge._backends  # where this JAX keeps them; elsewhere every fork would be refused
    monkeypatch.setattr(_forks, "_forked", False)
    monkeypatch.setattr(bridge, "_backends", {})
    _forks._after_fork()
    _forks.check_process()
    monkeypatch.setattr(bridge, "_backends", {"cpu": None})
    _forks._after_fork()
    with pytest.raises(wp.ForkedProcessError, match="spawn"):
        _forks.check_process()


def test_the_parent_goes_on(fitted, rows):
    child = mp.get_context("fork").Process(target=_forks.check_process)
    child.start()
    child.join()
    assert child.exitcode == 1
    assert np.isfinite(fitted[0].score(rows))


@pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")
@pytest.mark.parametrize(
    ("template", "settings"),
    [
        (wp.PPCA(), {"n_components": [1, 2]}),
        pytest.param(
            textbook_vae(1, hidden=(4,), max_epochs=2, progress=False),
            {"random_state": [0, 1]},  # of one program
            marks=pytest.mark.slow,
        ),
    ],
    ids=["PPCA", "VAE"],
)
def test_spawned_workers_are_no_forks_and_a_search_runs_in_them(rows, template, settings):
    """The one test that starts fresh processes, loky's: each imports JAX."""
    from sklearn.model_selection import GridSearchCV

    keywords = {"cv": 2, "error_score": "raise", "refit": False}
    alone, both = (
        GridSearchCV(template, settings, n_jobs=jobs, **keywords).fit(rows) for jobs in (None, 2)
    )
    ours, theirs = (search.cv_results_["mean_test_score"] for search in (alone, both))
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    assert both.best_params_ == alone.best_params_
