"""A model as the page shows it, measured once before the page opens."""

import dataclasses
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import jax
import numpy as np
from numpy.typing import ArrayLike

from wellposed import evaluation
from wellposed._checks import check_count
from wellposed._errors import DataError, SettingError
from wellposed._labels import sortable
from wellposed._text import visible
from wellposed._typing import PRNGKey
from wellposed.models import VAEModel

from ._look import Look, Posterior, look, posterior
from ._shown import Features, Pictures, image_of

MOST_ROWS = 2_000
"""Largest number of rows that are points on the plane."""
_TRIED = 64  # draws of z that set the scales where there are no data
_N_PRIOR = 500  # draws of the prior on the plane
_MOST_CLASSES = 10  # as many colours as eyes tell apart


@runtime_checkable
class FittedVAE(Protocol):
    """What the page reads of a fitted :class:`wellposed.VAE`."""

    model_: VAEModel
    image_shape_: tuple[int, ...] | None


@dataclasses.dataclass(frozen=True, eq=False)
class Points:
    """The data on the plane."""

    rows: np.ndarray  # (n, d), data units
    at: np.ndarray  # (n,), their positions in the data
    n_all: int
    posterior: Posterior  # (n, k) each
    labels: np.ndarray | None = None  # (n,), any type


@dataclasses.dataclass(frozen=True, eq=False)
class Scene:
    """A model, the order of its latents, and how its data are shown.

    Examples
    --------
    >>> from wellposed.explorer import make_scene
    >>> isinstance(make_scene(vae, X, key=key), Scene)
    True
    """

    model: VAEModel
    key: PRNGKey
    title: str
    weights: np.ndarray  # (k,), importance of each latent; NaN where unknown
    unit: str  # of the weights
    shown: Pictures | Features  # how a datum is drawn: as a picture, or by its features
    points: Points | None
    prior: np.ndarray | None  # (m, k), draws of p(z) on the plane; None if it is N(0, I)
    offset: np.ndarray | float  # (d,), what rows and looks lack to be in data units

    @property
    def k(self) -> int:
        """The number of latents."""
        return len(self.weights)

    @property
    def order(self) -> np.ndarray:
        """Positions of the latents, the most active first; the first two span the plane."""
        return np.argsort(-self.weights, kind="stable")

    def look(self, z: np.ndarray, *, alpha: float, draw: int) -> bytes:
        """Mean, draw and quantile at z, packed one after another."""
        picture = look(self.model, z, alpha=alpha, draw=draw, key=self.key)
        return self.shown.packed(picture.rows + self.offset)

    def datum(self, i: int) -> bytes:
        """Posterior mean, σ, rate of each latent, 4 bytes each; the datum; its reconstruction."""
        if self.points is None:
            raise SettingError(f"There must be data to choose from; got {i}, and no data. Pass X.")
        own = self.points.posterior
        numbers = np.stack([part[i] for part in (own.mean, own.scale, own.rates)])
        back = look(self.model, own.mean[i], alpha=0.0, draw=0, key=self.key).mean
        both = np.stack([self.points.rows[i].astype(float), np.asarray(back, float)])
        return numbers.astype("<f4").tobytes() + self.shown.packed(both + self.offset)

    def facts(self) -> dict:
        """Return the facts that the page reads when it opens, in plain types."""
        plane = self.order[:2]
        points = self.points
        classes, labels = (None, None) if points is None else _classes(points.labels)
        return {
            "title": self.title,
            "latents": [
                {"index": int(i), "weight": _finite(float(self.weights[i]))} for i in self.order
            ],
            "unit": self.unit,
            "reach": self._reach(plane),
            "shown": self.shown.facts(),
            "prior": None if self.prior is None else self.prior[:, plane].tolist(),
            "points": None if points is None else points.posterior.mean[:, plane].tolist(),
            "rows": None if points is None else points.at.tolist(),
            "nRows": 0 if points is None else points.n_all,
            "classes": classes,
            "labels": labels,
        }

    def _reach(self, plane: np.ndarray) -> float:
        """Half the width of the plane: three σ, and all but a few of the data and the prior."""
        shown = [] if self.points is None else [self.points.posterior.mean]
        shown += [] if self.prior is None else [self.prior]
        ends = [1.05 * float(np.quantile(np.abs(part[:, plane]), 0.995)) for part in shown]
        return max([3.0, *ends])


def make_scene(
    vae: FittedVAE,
    rows: np.ndarray | None = None,
    labels: ArrayLike | None = None,
    *,
    key: PRNGKey,
    most_rows: int = MOST_ROWS,
) -> Scene:
    """Measure a fitted model, and compile the program of the page.

    Parameters
    ----------
    vae : a fitted :class:`wellposed.VAE`
    rows : array of shape (n, d), data units without the estimator's offset; without rows the
        plane is empty
    labels : array of shape (n,), for the colours of the points
    key : PRNG key
    most_rows : rows on the plane, spread over all

    Raises
    ------
    SettingError
        For a model that is not a VAE, or more rows than the page can show.
    DataError
        If the encoder gives a row no finite posterior.

    Examples
    --------
    >>> scene = make_scene(vae, X, key=key)
    >>> scene.k
    2
    """
    check_model(vae)
    model = vae.model_
    remedy = "Leave it out: the rows on the plane are then spread over all."
    check_count("most_rows", most_rows, remedy, most=MOST_ROWS)
    points = None if rows is None else _points(model, rows, labels, most_rows, key=key)
    k = model.prior.k
    tried = _tried(model, k, key=key)
    shown = _shown(vae, tried, None if points is None else points.rows)
    if points is None:
        weights, unit = _movement(model, k, shown, key=key), "% of the range"
    else:
        weights, unit = np.asarray(points.posterior.rates).mean(axis=0), "nats"
    drawn = evaluation.plotted_prior(model.prior, _N_PRIOR, key=key)
    title = f"A VAE of {k} latents with {type(model.noise.whole).__name__} noise"
    return Scene(model, key, title, weights, unit, shown, points, drawn, _offset(vae))


def check_model(vae: object) -> None:
    """Raise ``SettingError`` for a model that is not a VAE."""
    if not isinstance(getattr(vae, "model_", None), VAEModel):
        raise SettingError(
            f"explore takes a fitted wellposed.VAE; got {type(vae).__name__}. Exact models "
            "are linear: their components_ show what each latent does."
        )
    if vae.model_.n_covariates:  # type: ignore[attr-defined]
        raise SettingError(
            "explore shows p(x | z), which of a model with covariates is another one for each; got "
            f"a model with {vae.model_.n_covariates}. Use inverse_transform(Z, covariates=...)."  # type: ignore[attr-defined]
        )


def _finite(weight: float) -> float | None:
    """The weight, or None where it is unknown: JSON has no NaN, and zero would be a verdict."""
    return weight if np.isfinite(weight) else None


def _offset(vae: object) -> np.ndarray | float:
    """Offset that an estimator subtracts from its rows."""
    return getattr(vae, "offset_", 0.0)


def _points(
    model: VAEModel, rows: np.ndarray, labels: ArrayLike | None, most: int, *, key: PRNGKey
) -> Points:
    at = evaluation.subsample(np.arange(len(rows)), most)
    posteriors = evaluation.over_rows(posterior, model, rows[at], key=key)
    wrong = ~np.all([np.isfinite(part).all(axis=1) for part in jax.tree.leaves(posteriors)], axis=0)
    if wrong.any():
        raise DataError(
            f"Each row must have a finite posterior; row {at[wrong][0]} and {wrong.sum() - 1} "
            "others have not. Drop them, or train the model anew with a lower learning_rate."
        )
    labels = None if labels is None else np.asarray(labels)[at]
    return Points(rows[at], at, len(rows), posteriors, labels)


def _tried(model: VAEModel, k: int, *, key: PRNGKey) -> list[Look]:
    """Looks at draws of z from the prior. One by one: the page's own program is compiled here."""
    codes = evaluation.plotted_prior(model.prior, _TRIED, key=key)
    if codes is None:
        seed = np.asarray(jax.random.key_data(key))
        codes = np.random.default_rng(seed).normal(size=(_TRIED, k))
    return [look(model, z, alpha=1.0, draw=i, key=key) for i, z in enumerate(codes)]


def _shown(vae: FittedVAE, tried: list[Look], rows: np.ndarray | None) -> Pictures | Features:
    """How data are drawn: between the extremes of the data, but for a few, or of the model."""
    shape = image_of(vae.image_shape_)
    if shape is not None:
        # Draws have tails that would set the scale of greys.
        values = np.stack([np.asarray(t.mean) for t in tried]) if rows is None else rows
        low, high = np.quantile(values + _offset(vae), (0.002, 0.998))
        return Pictures(shape, float(low), float(high))
    values = np.stack([np.asarray(t.draw) for t in tried]) if rows is None else rows
    low, high = np.quantile(values + _offset(vae), (0.002, 0.998), axis=0)
    names: Sequence[str] | None = getattr(vae, "feature_names_in_", None)
    if names is None:
        names = [f"feature {j}" for j in range(len(low))]
    return Features(names, low, np.where(high > low, high, low + 1.0))


def _movement(model: VAEModel, k: int, shown: Pictures | Features, *, key: PRNGKey) -> np.ndarray:
    """How far each latent moves the mean over ± the prior's deviation, the others at its mean.

    Shape (k,).

    Root mean square over features, in per cent of the range over which each is shown.
    """
    span = np.maximum(np.asarray(shown.high) - np.asarray(shown.low), 1e-30)

    def mean(z: np.ndarray) -> np.ndarray:
        return np.asarray(look(model, z, alpha=0.0, draw=0, key=key).mean, float)

    centre, deviation = (np.asarray(part, float) for part in model.prior.moments())
    steps = np.diag(deviation)
    moved = [(mean(centre + step) - mean(centre - step)) / span for step in steps]
    return np.array([100.0 * np.sqrt(np.mean(change**2)) for change in moved])


def _classes(labels: np.ndarray | None) -> tuple[list[str] | None, list[int] | None]:
    """Names of the classes and each row's among them; none for more than there are colours."""
    if labels is None:
        return None, None
    names, which = np.unique(sortable(labels), return_inverse=True)
    if len(names) > _MOST_CLASSES:
        return None, None
    return [visible(name) for name in names], which.tolist()
