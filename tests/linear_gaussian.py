"""A model that can be solved: linear decoder, Gaussian noise, its exact posterior as encoder."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from scipy.stats import multivariate_normal

from once import over
from wellposed.latents import DiagonalNormal, GaussianMixture, StandardNormal
from wellposed.models import VAEModel
from wellposed.nn import MLP, Linear
from wellposed.noise import Gaussian
from wellposed.numerics import inverse_positive
from wellposed.transforms import Identity


def exact_model(d: int = 5, k: int = 2, variance: float = 0.3, seed: int = 0, spread: float = 1.0):
    """Return a model and its exact log density, a function of rows.

    The decoder's columns are orthogonal, so that the true posterior has independent latents and
    the encoder can be exact: q = N(M⁻¹Wᵀ(x − μ), σ²M⁻¹), M = WᵀW + σ²I. ``spread`` multiplies
    the encoder's standard deviations, 1 being exact.
    """
    rng = np.random.default_rng(seed)
    basis, _ = np.linalg.qr(rng.normal(size=(d, k)))
    loadings = basis * np.linspace(2.0, 1.0, k)
    mean = rng.normal(size=d)
    precision = (loadings**2).sum(0) + variance
    weight = loadings / precision
    scale = spread * np.sqrt(variance / precision)
    raw = np.asarray(inverse_positive(jnp.asarray(scale)))
    encoder = Linear(
        jnp.asarray(np.concatenate([weight, np.zeros((d, k))], axis=1)),
        jnp.asarray(np.concatenate([-mean @ weight, raw])),
    )
    decoder = Linear(jnp.asarray(loadings.T), jnp.asarray(mean))
    model = VAEModel(
        Identity(), StandardNormal(k), encoder, DiagonalNormal(), decoder, Gaussian(variance)
    )
    covariance = loadings @ loadings.T + variance * np.eye(d)
    return model, multivariate_normal(mean, covariance)


def rows_of(density: multivariate_normal, n: int, seed: int = 1) -> np.ndarray:
    """Draw rows from the exact density."""
    return density.rvs(n, random_state=seed)


def with_bias(model: VAEModel, decoder_shift: float) -> VAEModel:
    """Shift the decoder's mean, so that the encoder is no longer exact."""
    return eqx.tree_at(lambda m: m.decoder.bias, model, model.decoder.bias + decoder_shift)


def in_two_layers(model: VAEModel) -> VAEModel:
    """Write the decoder as relu(z) and relu(−z) with a layer after: linear, and not known to be."""
    one = jnp.eye(model.prior.k)
    weight, bias = model.decoder.weight, model.decoder.bias
    first = Linear(jnp.concatenate([one, -one], axis=1), jnp.zeros(2 * model.prior.k))
    second = Linear(jnp.concatenate([weight, -weight]), bias)
    return eqx.tree_at(lambda m: m.decoder, model, MLP((first, second), "relu"))


def per_row(function, rows: np.ndarray, seed: int = 2):
    """Map a function of (row, key) over rows."""
    keys = jax.random.split(jax.random.key(seed), len(rows))
    return over(function, jnp.asarray(rows), keys)


def bent_model(k: int, d: int = 4, variance: float = 0.2, seed: int = 0):
    """Return a model with a bent decoder, and an encoder that ignores its input."""
    rng = np.random.default_rng(seed)
    model, _ = exact_model(d=d, k=k, variance=variance)
    first = Linear(jnp.asarray(1.5 * rng.normal(size=(k, 8))), jnp.asarray(rng.normal(size=8)))
    second = Linear(jnp.asarray(rng.normal(size=(8, d))), jnp.zeros(d))
    raw = inverse_positive(jnp.full(k, 0.7))
    encoder = Linear(jnp.zeros((d, 2 * k)), jnp.concatenate([jnp.zeros(k), raw]))
    return eqx.tree_at(
        lambda m: (m.decoder, m.encoder), model, (MLP((first, second), "tanh"), encoder)
    )


def with_mixture(model, seed: int = 0):
    """Give the model a mixture of three Gaussians as prior."""
    rng, k = np.random.default_rng(seed), model.prior.k
    roots = 0.3 * np.tril(rng.normal(size=(3, k, k))) + 0.6 * np.eye(k)
    prior = GaussianMixture(*map(jnp.asarray, (rng.normal(size=3), rng.normal(size=(3, k)), roots)))
    return eqx.tree_at(lambda m: m.prior, model, prior)
