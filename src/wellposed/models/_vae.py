"""The variational autoencoder as a pytree."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Key

from wellposed._errors import SettingError, UnboundedLikelihoodError
from wellposed._typing import (
    Covariates,
    Density,
    Inputs,
    Latent,
    Point,
    Posterior,
    PRNGKey,
    Raw,
    Scalar,
)
from wellposed.latents import AbstractPrior, DiagonalNormal, VampPrior
from wellposed.nn import call_with
from wellposed.noise import AbstractNoise
from wellposed.transforms import AbstractTransform, Transformed, forward_observed

from ._reach import Reach, within_reach


class Inferred(eqx.Module):
    """One datum in model units, and its approximate posterior.

    Parameters
    ----------
    y : the datum, shape (d,), model units; NaN where an entry is missing
    log_det : log |det dT/dx|, nats
    q : q(z | y)
    """

    y: Point
    log_det: Scalar
    q: Posterior

    def residual(self, mean: Point) -> Point:
        """Return y less a mean, shape (d,), zero where the entry is missing."""
        return jnp.where(jnp.isnan(self.y), 0.0, self.y - mean)


class VAEModel(eqx.Module):
    """p(z), p(y | z), q(z | y) and the transform y = T(x), for one datum.

    Parameters
    ----------
    transform : T, from data units to model units
    prior : p(z)
    encoder : callable pytree (d,) → (2k,)
    posterior : family of q(z | y), from the output of the encoder
    decoder : callable pytree (k,) → (n_raw·d,)
    noise : family of p(y | z), from the output of the decoder
    reach : limit on the input of the encoder; None in models built without it or saved by an older
        version
    given : covariates c of a conditional model p(x | z, c), shape (c,), set for each datum by
        :meth:`at`, and zero before; None where the model has none. Both networks take them after
        their own input

    Examples
    --------
    >>> model = vae.model_
    >>> model.infer(X[0], key=key).q.mean.shape
    (2,)
    """

    transform: AbstractTransform
    prior: AbstractPrior
    encoder: Callable
    posterior: DiagonalNormal
    decoder: Callable
    noise: AbstractNoise
    reach: Reach | None = None
    given: Covariates | None = None

    @property
    def n_covariates(self) -> int:
        """Number of covariates c that the model is given; 0 without."""
        return 0 if self.given is None else self.given.shape[-1]

    def at(self, covariates: Covariates) -> "VAEModel":
        """Return the model of p(x | c) at covariates c of shape (c,)."""
        return dataclasses.replace(self, given=covariates)

    def encode(self, y: Point) -> Posterior:
        """q(z | y) of a datum y of shape (d,) in model units."""
        return self.posterior(call_with(self.encoder, self.encoder_input(y), self.given))

    def encoder_input(self, y: Point) -> Inputs:
        """Input of the encoder, shape (inputs,), from a datum y of shape (d,) in model units."""
        if self.reach is None:
            return within_reach(self.noise.encoder_input(y))
        return self.noise.encoder_input(self.reach(y))

    def to_model_units(self, x: Point, *, key: PRNGKey) -> Transformed:
        """Map a datum (d,) in data units to y, with log |det dT/dx| in nats.

        Equal keys give equal y in all methods: see :func:`draw_keys`. Where the noise allows
        missing entries, they are NaN in x and in y, and log |det dT/dx| is that of the others,
        but for entries at a limit of the noise, which have probabilities.
        """
        map_key = jax.random.split(key)[0]
        noise: Any = self.noise
        if not (noise.allows_missing or noise.limited):
            return self.transform.forward(x, key=map_key)
        typical = self.transform.inverse(noise.typical) if noise.allows_missing else x
        at_limit = noise.at_limit if noise.limited else None
        return forward_observed(self.transform, x, typical, key=map_key, at_limit=at_limit)

    def infer(self, x: Point, *, key: PRNGKey) -> Inferred:
        """Map a datum (d,) in data units by :meth:`to_model_units`, and encode it."""
        mapped = self.to_model_units(x, key=key)
        return Inferred(mapped.value, mapped.log_det, self.encode(mapped.value))

    def decode(self, z: Latent) -> Density:
        """p(y | z) of z of shape (k,), in model units."""
        return self.noise(self.decoder_output(z))

    def decoder_output(self, z: Latent) -> Raw:
        """Output of the decoder at z of shape (k,), from which the noise makes p(y | z)."""
        return call_with(self.decoder, z, self.given)

    def with_fixed_prior(self) -> "VAEModel":
        """Return the model whose p(z) depends on no network: a VampPrior becomes its mixture."""
        if not isinstance(self.prior, VampPrior):
            return self
        prior = self.prior.fixed(lambda inputs: self.posterior(self.encoder(inputs)))
        return dataclasses.replace(self, prior=prior)

    @property
    def has_independent_noise(self) -> bool:
        """Whether p(y | z) is ∏_j p(y_j | z); the decoder is traced, not run."""
        z = jax.ShapeDtypeStruct((self.prior.k,), jnp.result_type(float))
        density = eqx.filter_eval_shape(lambda model, z: model.decode(z), self, z)
        return density.independent

    def log_density_bound(self, d: int) -> float:
        """Upper bound of the log densities of d features, in nats and data units."""
        return self.noise.log_density_bound(d) + self.transform.log_det_bound(d)


def check_marginal(model: VAEModel) -> None:
    """Raise an error for noise of which no part of the features has a density in closed form.

    Raises
    ------
    SettingError
        If features depend on each other given z, and p(y_obs | z) is not known.
    """
    z = jax.ShapeDtypeStruct((model.prior.k,), jnp.result_type(float))
    density = eqx.filter_eval_shape(lambda model, z: model.decode(z), model, z)
    whole = getattr(density, "of", density)
    if whole.independent or hasattr(whole, "observed_log_prob"):
        return
    raise SettingError(
        "Missing entries are integrated out of p(x | z), which is possible where features are "
        "independent given z, and for low-rank and causal Gaussian noise; got "
        f'{type(whole).__name__}. Use noise="conditional", "low-rank" or "causal-gaussian", or '
        "fill the gaps first."
    )


def draw_keys(key: PRNGKey, n: int) -> Key[Array, " n"]:
    """Return keys for draws that are independent of those in ``model.infer(x, key=key)``.

    Parameters
    ----------
    key : PRNG key
    n : number of keys
    """
    return jax.random.split(key, n + 1)[1:]


def check_bounded(model: Any, d: int, *, allow_unbounded: bool) -> None:
    """Raise an error for a model whose likelihood has no maximum.

    Parameters
    ----------
    model : VAEModel, or a model that is made of some
    d : number of features
    allow_unbounded : whether to accept any model

    Raises
    ------
    UnboundedLikelihoodError
        If the log density bound is infinite and ``allow_unbounded`` is false.
    """
    bound = model.log_density_bound(d)
    if math.isfinite(bound) or allow_unbounded:
        return
    raise UnboundedLikelihoodError(
        f"The log density must have an upper bound, or maximum likelihood has no maximum; this "
        f"model's is {bound}: σ can shrink to zero on one datum. Let the data set the noise's "
        "floor, give a positive `resolution` or `floor`, or pass allow_unbounded=True to train "
        "without a bound."
    )
