"""A noise, a transform and an objective of the user's own: saved by their fields, or refused."""

import math
from collections.abc import Callable
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpyro.distributions import Logistic

import wellposed as wp
from textbook import textbook_vae
from variants import slow_beside
from wellposed.noise.parts import Features
from wellposed.objectives import AbstractObjective, Evaluation, elbo_terms
from wellposed.transforms import REALS, AbstractTransform, Moments, Summary, Transformed

X = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)


class Width(eqx.Module):
    """A part of a noise, of a class that is no noise."""

    least: float = eqx.field(static=True)
    rho: jax.Array | None = None

    def __call__(self):
        return self.least + jax.nn.softplus(self.rho)


class Sech(wp.noise.AbstractNoise):
    """Logistic noise of one learned width."""

    width: Width
    words: tuple[str, ...] = eqx.field(static=True, default=("a", "b"))
    extra: object = None

    n_raw = 1
    support = REALS

    def __call__(self, raw):
        return Features(Logistic(raw, jnp.broadcast_to(self.width(), raw.shape)))

    def log_density_bound(self, d):
        return -d * math.log(4 * self.width.least)

    def initialise(self, moments, *, key=None):
        del key
        return Sech(Width(self.width.least, jnp.zeros(())), self.words, self.extra)

    def parameters(self):
        return (self.width.rho,)


class Halve(AbstractTransform):
    """Divide by the largest size of each feature."""

    size: jax.Array | None = None

    domain = REALS
    range = REALS

    def fit(self, summary: Summary):
        return Halve(jnp.asarray(np.maximum(np.abs(summary.low), summary.high), jnp.float32))

    def forward(self, x, *, key):
        del key
        return Transformed(x / self.size, -jnp.log(self.size).sum())

    def inverse(self, y):
        return y * self.size

    def moments(self, summary, *, key):
        del key
        size = np.asarray(self.size, np.float64)
        return Moments(
            mean=jnp.asarray(summary.mean / size, jnp.float32),
            variance=jnp.asarray(summary.variance / size**2, jnp.float32),
            resolution=jnp.asarray(summary.resolution / size, jnp.float32),
            varies=summary.varies,
            n=summary.n,
        )

    def log_det_bound(self, d):
        return -float(np.log(self.size).sum())


class Tempered(AbstractObjective):
    """The ELBO with its KL to a power."""

    trains_noise: ClassVar[bool] = True
    refits_noise: ClassVar[bool] = False
    power: float = eqx.field(static=True)
    link: Callable | None = eqx.field(static=True, default=None)

    def __call__(self, model, x, *, key, annealing=1.0):
        terms = elbo_terms(model, x, key=key)
        return Evaluation(terms.log_likelihood - annealing * terms.kl**self.power, terms)

    def implied_noise_variance(self):
        return None


def fitted(**settings) -> wp.VAE:
    defaults = {"n_components": 2, "hidden": (4,), "max_epochs": 2, "random_state": 0}
    with pytest.warns(wp.TrainingWarning):  # two epochs do not settle
        return textbook_vae(**{**defaults, **settings}).fit(X)


def sech(**fields):
    return Sech(Width(0.1), **fields)


CASES = {
    "a noise, and a part of it": ({"noise": sech()}, {"noise": (Sech, Width)}),
    "a maker": ({"noise": sech()}, {"noise": sech}),
    "an object": ({"noise": sech()}, {"noise": sech()}),
    "within columns": (
        {"noise": wp.noise.Columns(["shared", sech(), sech()])},
        {"noise": [Width, Sech]},
    ),
    "a transform": ({"transform": Halve()}, {"transform": Halve}),
    "a transform of some columns": ({"transform": {1: Halve()}}, {"transform": Halve}),
    "an objective": ({"objective": Tempered(1.5)}, {"objective": Tempered}),
    "one of each": (
        {"noise": sech(), "transform": Halve(), "objective": Tempered(1.5)},
        {"noise": sech(), "transform": Halve, "objective": Tempered},
    ),
}


@pytest.mark.parametrize("case", slow_beside(CASES, ["one of each"]))
def test_a_loaded_model_is_the_saved_one(tmp_path, case):
    settings, classes = CASES[case]
    vae, path = fitted(**settings), tmp_path / "model.wp"
    vae.save(path)
    again = wp.load(path, **classes)
    assert jax.tree.structure(again.model_) == jax.tree.structure(vae.model_)
    for name in settings:
        assert eqx.tree_equal(again.get_params()[name], vae.get_params()[name])
    np.testing.assert_array_equal(again.score_samples(X), vae.score_samples(X))
    np.testing.assert_array_equal(again.sample(5), vae.sample(5))
    again.save(tmp_path / "again.wp")
    assert (tmp_path / "again.wp").read_bytes() == path.read_bytes()


@pytest.mark.filterwarnings("ignore::wellposed.FloorWarning")
@pytest.mark.parametrize("kind", [wp.PPCA, wp.FactorAnalysis, wp.MixturePPCA, wp.LinearVAE])
def test_a_linear_model_takes_a_transform_of_the_users_own(tmp_path, kind):
    model, path = kind(1, transform=Halve()).fit(X), tmp_path / "model.wp"
    model.save(path)
    with pytest.raises(wp.SettingError, match="transform=Halve"):
        wp.load(path)
    again = wp.load(path, transform=Halve)
    np.testing.assert_array_equal(again.score_samples(X), model.score_samples(X))


def test_a_class_that_is_not_passed_is_named_with_its_argument(tmp_path):
    path = tmp_path / "model.wp"
    fitted(**CASES["one of each"][0]).save(path)
    rest = {"transform": Halve, "objective": Tempered}
    whole = {"noise": (Sech, Width), **rest}
    for role, name in (("noise", "Sech"), ("transform", "Halve"), ("objective", "Tempered")):
        given = {other: cls for other, cls in whole.items() if other != role}
        with pytest.raises(wp.SettingError, match=rf"wp\.load\(path, {role}={name}\)"):
            wp.load(path, **given)
    with pytest.raises(wp.SettingError, match=r"noise=\(Sech, Width\)"):
        wp.load(path, noise=Sech, **rest)
    with pytest.raises(wp.SettingError, match=r"got Halve.*noise=\(Halve, Sech\)"):
        wp.load(path, noise=Halve, **rest)
    with pytest.raises(wp.SettingError, match="noise must be a class"):
        wp.load(path, noise=3, **rest)
    assert wp.load(path, **whole).objective == Tempered(1.5)


def test_a_class_whose_fields_have_changed_is_refused(tmp_path):
    path = tmp_path / "model.wp"
    fitted(objective=Tempered(1.5)).save(path)
    changed = type("Tempered", (AbstractObjective,), {"__annotations__": {"power": float}})
    with pytest.raises(wp.DamagedFileError, match=r"\['power'\]; the file has \['link', 'power'\]"):
        wp.load(path, objective=changed)


class Word(str):
    """Text that would come back as plain text."""


REFUSED = {
    "a function": ({"objective": Tempered(1.5, lambda: 1)}, r"settings\.objective\.link is the fu"),
    "an object": ({"noise": sech(extra=object())}, r"settings\.noise\.extra is an object of the"),
    "a class": ({"noise": sech(extra=Word)}, r"settings\.noise\.extra is the class Word"),
    "a number that is none": ({"noise": sech(extra=math.nan)}, "extra of Sech must hold numbers"),
    "a kind of text": ({"noise": sech(words=(Word("a"),))}, r"settings\.noise\.words\.0 is an obj"),
    "a key": ({"noise": sech(extra=jax.random.key(0))}, r"settings\.noise\.extra is a key"),
}


@pytest.mark.parametrize(("settings", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_loaded_is_not_saved(tmp_path, settings, message):
    vae, path = fitted(**settings), tmp_path / "model.wp"
    path.write_bytes(b"before")
    with pytest.raises(wp.SettingError, match=message):
        vae.save(path)
    assert path.read_bytes() == b"before"


def test_a_number_out_of_range_is_found_when_saving(tmp_path):
    vae = fitted()
    vae.model_ = eqx.tree_at(lambda m: m.transform.scale, vae.model_, jnp.full(3, 1e-19))
    with pytest.raises(
        wp.SettingError, match=r"scale of Standardize must be from 1e-18 to 1e\+18; got 1e-19"
    ):
        vae.save(tmp_path / "model.wp")
    assert not (tmp_path / "model.wp").exists()


@pytest.mark.slow
def test_the_best_model_of_a_grid_may_have_classes_of_the_users_own(tmp_path):
    grid = {"noise": [sech(), wp.noise.Gaussian()]}
    vae = textbook_vae(1, hidden=(4,), max_epochs=2, random_state=0, objective=Tempered(1.2))
    first = wp.fit_grid(vae, grid, X, folder=tmp_path / "grid")
    again = wp.fit_grid(vae, grid, X, folder=tmp_path / "grid")
    np.testing.assert_array_equal(again.best.score_samples(X), first.best.score_samples(X))
