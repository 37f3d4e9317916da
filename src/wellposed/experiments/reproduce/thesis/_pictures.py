"""The pictures of the page: each from the fitted models to one figure, the cure at its side."""

import dataclasses
import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING

import jax
import numpy as np
from scipy.stats import norm

from wellposed import evaluation, plotting
from wellposed.estimators import VAE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SHAPE, _LIMITS = (28, 28), (0.0, 255.0)
_KEY = jax.random.key(0)
_COLUMNS = 12  # images side by side
_PLANE_ROWS = 1_500
_PLANE_SIDE = 12
COMPONENTS = (1, 10, 50, 250)
ALPHAS = (-2.0, -1.0, 0.0, 1.0, 2.0)


@dataclasses.dataclass(frozen=True, eq=False)
class Gallery:
    """Fitted models by name, test images and labels; ``digit`` holds those of the single digit."""

    models: Mapping[str, VAE]
    test: np.ndarray  # (n, 784), grey levels
    labels: np.ndarray
    digit: np.ndarray
    pca: Mapping[int, np.ndarray]  # of each d, the test images as PCA returns them

    @functools.cached_property
    def data(self) -> np.ndarray:
        """The images to be reconstructed."""
        return self.test[:_COLUMNS]

    def returned(self, name: str) -> np.ndarray:
        """μ(z) at the posterior mean of each."""
        return evaluation.reconstructions(self.models[name].model_, self.data, key=_KEY)

    def drawn(self, name: str) -> np.ndarray:
        """One draw from p(x | z) at the posterior mean of each."""
        model = self.models[name].model_
        z = evaluation.latent_means(model, self.data, key=_KEY)
        return evaluation.decode(model, z, how="ancestral", key=_KEY)


def reconstructions(gallery: Gallery, name: str, cure: str) -> "Figure":
    """Data, the thesis's reconstruction, and the cure's mean and draw."""
    return _rows(
        {
            "data": gallery.data,
            "μ(z)": gallery.returned(name),
            "cure: μ(z)": gallery.returned(cure),
            "cure: x ~ p(x | z)": gallery.drawn(cure),
        }
    )


def beside_pca(gallery: Gallery, name: str, cure: str) -> "Figure":
    """Figure 5.6, on the images of figure 5.5."""
    return _rows(
        {
            "data": gallery.data,
            **{f"PCA, d = {d}": returned[:_COLUMNS] for d, returned in gallery.pca.items()},
            "σ(z), d = 20": gallery.returned(name),
            "cure: μ(z)": gallery.returned(cure),
            "cure: x ~ p(x | z)": gallery.drawn(cure),
        }
    )


def draws(gallery: Gallery, name: str, how: str, cure: str, prior: str) -> "Figure":
    """64 samples of a model, and as many ancestral draws of the cure."""
    figure = _figure(9.0, 4.8)
    left, right = figure.subplots(1, 2)
    kinds = {"ancestral": "x ~ p(x | z)", "mean": "μ(z)"}
    theirs = gallery.models[name].sample(64, how=how)
    ours = gallery.models[cure].sample(64, prior=prior)
    plotting.images(theirs, _SHAPE, ax=left, limits=_LIMITS, title=f"σ(z): {kinds[how]}")
    plotting.images(ours, _SHAPE, ax=right, limits=_LIMITS, title="cure: x ~ p(x | z)")
    return figure


def quantiles(gallery: Gallery, name: str, cure: str) -> "Figure":
    """μ(z) + ασ(z) for some α; and draws of the cure, as many for each z."""
    figure = _figure(11.0, 3.0)
    left, right = figure.subplots(1, 2)
    z = np.random.default_rng(0).normal(size=(10, 20))
    theirs, ours = gallery.models[name].model_, gallery.models[cure].model_
    coupled = [
        evaluation.decode(theirs, z, how="coupled", alpha=alpha, key=_KEY) for alpha in ALPHAS
    ]
    plotting.images(
        np.concatenate(coupled), _SHAPE, ax=left, n_columns=len(z), limits=_LIMITS,
        names=[f"α = {alpha:g}" for alpha in ALPHAS], title="σ(z): μ(z) + ασ(z)",
    )  # fmt: skip
    keys = jax.random.split(_KEY, len(ALPHAS))
    drawn = [evaluation.decode(ours, z, how="ancestral", key=key) for key in keys]
    plotting.images(
        np.concatenate(drawn), _SHAPE, ax=right, n_columns=len(z), limits=_LIMITS,
        names=[f"draw {i + 1}" for i in range(len(keys))], title="cure: draws of each z",
    )  # fmt: skip
    return figure


def planes(gallery: Gallery, names: Mapping[str, str], *, decoded: bool) -> "Figure":
    """The latent plane of each model, titled; with ``decoded``, what each point of it decodes to.

    Models of the single digit are shown on its images.
    """
    figure = _figure(4.4 * len(names), 4.2 * (1 + decoded))
    axes = figure.subplots(1 + decoded, len(names), squeeze=False)
    for column, (name, title) in enumerate(names.items()):
        _plane(gallery, name, axes[0, column], title)
        if decoded:
            _decoded(gallery.models[name], axes[1, column], cured=name.startswith("cure"))
    return figure


def _plane(gallery: Gallery, name: str, ax: "Axes", title: str) -> None:
    model, single = gallery.models[name].model_, name.endswith("digit")
    rows = (gallery.digit if single else gallery.test)[:_PLANE_ROWS]
    labels = None if single else gallery.labels[: len(rows)]
    means = evaluation.latent_means(model, rows, key=_KEY)
    plotting.latent_plane(means, labels=labels, ax=ax, title=title)


def _decoded(vae: VAE, ax: "Axes", *, cured: bool) -> None:
    """Images over the quantiles of N(0, I), upwards as in the plane."""
    side = norm.ppf(np.linspace(0.02, 0.98, _PLANE_SIDE))
    across, up = np.meshgrid(side, side[::-1])
    z = np.stack([across.ravel(), up.ravel()], axis=1)
    how = "ancestral" if cured else "mean"
    shown = evaluation.decode(vae.model_, z, how=how, key=_KEY)
    title = "x ~ p(x | z) over the plane" if cured else "μ(z) over the plane"
    plotting.images(shown, _SHAPE, ax=ax, n_columns=_PLANE_SIDE, limits=_LIMITS, title=title)


def _rows(named: Mapping[str, np.ndarray]) -> "Figure":
    figure = _figure(0.75 * _COLUMNS, 0.72 * len(named))
    plotting.images(
        np.concatenate(list(named.values())), _SHAPE, ax=figure.add_subplot(),
        n_columns=_COLUMNS, limits=_LIMITS, names=list(named),
    )  # fmt: skip
    return figure


def _figure(width: float, height: float) -> "Figure":
    from matplotlib.figure import Figure

    return Figure((width, height), layout="constrained")
