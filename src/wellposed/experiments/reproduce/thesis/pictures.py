"""The pictures of the page: each shows fitted models of the thesis beside the causal one."""

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
from scipy.stats import norm

from wellposed import evaluation, plotting
from wellposed.estimators import VAE
from wellposed.plotting.canvas import Axes, Figure

_SHAPE, _LIMITS = (28, 28), (0.0, 255.0)
_KEY = jax.random.key(0)
_COLUMNS = 12  # images side by side
_PLANE_ROWS = 1_500
_PLANE_SIDE = 12
COMPONENTS = (1, 10, 50, 250)
ALPHAS = (-2.0, -1.0, 0.0, 1.0, 2.0)


@dataclasses.dataclass(frozen=True, eq=False)
class Gallery:
    """The fitted models by name, and the test images."""

    models: Mapping[str, VAE]
    test: np.ndarray  # (n, 784), grey levels
    labels: np.ndarray
    digit: np.ndarray  # (n, 784), test images of the single digit
    pca: Mapping[int, np.ndarray]  # reconstructions of the test images, by number of components

    @functools.cached_property
    def data(self) -> np.ndarray:
        """The images that the pictures reconstruct."""
        return self.test[:_COLUMNS]

    def means(self, name: str) -> np.ndarray:
        """Return μ(z) at the posterior mean of each image."""
        return evaluation.reconstructions(self.models[name].model_, self.data, key=_KEY)

    def draws(self, name: str) -> np.ndarray:
        """Return one draw from p(x | z) at the posterior mean of each image."""
        model = self.models[name].model_
        z = evaluation.latent_means(model, self.data, key=_KEY)
        return evaluation.decode(model, z, how="ancestral", key=_KEY)


def reconstructions(
    gallery: Gallery, name: str, causal: str, *, label: str = "μ(z)", pca: bool = False
) -> Figure:
    """Draw data, with ``pca`` PCA's, a model's, and means and draws of the causal one."""
    rows = {"data": gallery.data}
    if pca:
        rows |= {f"PCA, d = {d}": images[:_COLUMNS] for d, images in gallery.pca.items()}
    rows |= {
        label: gallery.means(name),
        "causal: μ(z)": gallery.means(causal),
        "causal: x ~ p(x | z)": gallery.draws(causal),
    }
    figure = _figure(0.75 * _COLUMNS, 0.72 * len(rows))
    plotting.images(
        np.concatenate(list(rows.values())), _SHAPE, ax=figure.add_subplot(),
        n_columns=_COLUMNS, limits=_LIMITS, names=list(rows),
    )  # fmt: skip
    return figure


def draws(gallery: Gallery, name: str, how: Any, causal: str) -> Figure:
    """Draw 64 samples of a model, and as many ancestral draws of the causal model."""
    figure = _figure(9.0, 4.8)
    left, right = figure.subplots(1, 2)
    kinds = {"ancestral": "x ~ p(x | z)", "mean": "μ(z)"}
    samples = gallery.models[name].sample(64, how=how)
    causal_samples = gallery.models[causal].sample(64)
    plotting.images(samples, _SHAPE, ax=left, limits=_LIMITS, title=f"σ(z): {kinds[how]}")
    plotting.images(causal_samples, _SHAPE, ax=right, limits=_LIMITS, title="causal: x ~ p(x | z)")
    return figure


def quantiles(gallery: Gallery, name: str, causal: str) -> Figure:
    """Draw μ(z) + ασ(z) for five values of α, and five draws of the causal model for each z."""
    figure = _figure(11.0, 3.0)
    left, right = figure.subplots(1, 2)
    z = np.random.default_rng(0).normal(size=(10, 20))
    model, causal_model = gallery.models[name].model_, gallery.models[causal].model_
    coupled = [
        evaluation.decode(model, z, how="coupled", alpha=alpha, key=_KEY) for alpha in ALPHAS
    ]
    plotting.images(
        np.concatenate(coupled), _SHAPE, ax=left, n_columns=len(z), limits=_LIMITS,
        names=[f"α = {alpha:g}" for alpha in ALPHAS], title="σ(z): μ(z) + ασ(z)",
    )  # fmt: skip
    keys = jax.random.split(_KEY, len(ALPHAS))
    own = evaluation.draw_prior(causal_model.prior, len(z), key=_KEY)
    images = [evaluation.decode(causal_model, own, how="ancestral", key=key) for key in keys]
    plotting.images(
        np.concatenate(images), _SHAPE, ax=right, n_columns=len(z), limits=_LIMITS,
        names=[f"draw {i + 1}" for i in range(len(keys))], title="causal: draws of each z",
    )  # fmt: skip
    return figure


def planes(gallery: Gallery, names: Mapping[str, str], *, decoded: bool) -> Figure:
    """Draw the latent plane of each model under its title; with ``decoded``, also the images.

    A model of the single digit encodes the images of that digit.
    """
    figure = _figure(4.4 * len(names), 4.2 * (1 + decoded))
    axes = figure.subplots(1 + decoded, len(names), squeeze=False)
    for column, (name, title) in enumerate(names.items()):
        _plot_plane(gallery, name, axes[0, column], title)
        if decoded:
            _plot_decoded(gallery.models[name], axes[1, column], causal=name.startswith("causal"))
    return figure


def _plot_plane(gallery: Gallery, name: str, ax: Axes, title: str) -> None:
    model, single = gallery.models[name].model_, name.endswith("digit")
    rows = (gallery.digit if single else gallery.test)[:_PLANE_ROWS]
    labels = None if single else gallery.labels[: len(rows)]
    means = evaluation.latent_means(model, rows, key=_KEY)
    prior = evaluation.plotted_prior(model.prior, key=_KEY)
    plotting.latent_plane(means, labels=labels, prior=prior, ax=ax, title=title)


def _plot_decoded(vae: VAE, ax: Axes, *, causal: bool) -> None:
    """Plot decoded images over the quantiles of N(0, I), in the orientation of the plane."""
    side = norm.ppf(np.linspace(0.02, 0.98, _PLANE_SIDE))
    across, up = np.meshgrid(side, side[::-1])
    z = np.stack([across.ravel(), up.ravel()], axis=1)
    how = "ancestral" if causal else "mean"
    images = evaluation.decode(vae.model_, z, how=how, key=_KEY)
    title = "x ~ p(x | z) over the plane" if causal else "μ(z) over the plane"
    plotting.images(images, _SHAPE, ax=ax, n_columns=_PLANE_SIDE, limits=_LIMITS, title=title)


def _figure(width: float, height: float) -> Figure:
    return Figure((width, height), layout="constrained")
