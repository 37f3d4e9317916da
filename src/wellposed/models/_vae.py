"""The variational autoencoder as a pytree."""

import math
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp

from wellposed._errors import UnboundedLikelihoodError
from wellposed._typing import Density, Latent, Point, Posterior, PRNGKey, Scalar
from wellposed.latents import DiagonalNormal, StandardNormal
from wellposed.noise import AbstractNoise
from wellposed.transforms import AbstractTransform, Transformed

from ._reach import Reach, within_reach


class Inferred(eqx.Module):
    """One datum in model units, log |det dT/dx| in nats, and its approximate posterior."""

    y: Point
    log_det: Scalar
    q: Posterior


class VAEModel(eqx.Module):
    """p(z), p(y | z), q(z | y) and the transform y = T(x), for one datum.

    ``encoder`` and ``decoder`` are pytrees callable on one vector: (d,) → (2k,) and
    (k,) → (n_raw·d,). ``reach`` limits the input of the encoder; a model built by hand, or saved by
    an older version, may have none.
    """

    transform: AbstractTransform
    prior: StandardNormal
    encoder: Callable
    posterior: DiagonalNormal
    decoder: Callable
    noise: AbstractNoise
    reach: Reach | None = None

    def encode(self, y: Point) -> Posterior:
        """q(z | y), for a datum in model units."""
        if self.reach is None:
            inputs = within_reach(self.noise.encoder_input(y))
        else:
            inputs = self.noise.encoder_input(self.reach(y))
        return self.posterior(self.encoder(inputs))

    def to_model_units(self, x: Point, *, key: PRNGKey) -> Transformed:
        """Map a datum in data units to y, with log |det dT/dx| in nats.

        A key gives the same y wherever it is used: see :func:`draw_keys`.
        """
        return self.transform.forward(x, key=jax.random.split(key)[0])

    def infer(self, x: Point, *, key: PRNGKey) -> Inferred:
        """Map a datum in data units to model units, as :meth:`to_model_units`, and encode it."""
        mapped = self.to_model_units(x, key=key)
        return Inferred(mapped.value, mapped.log_det, self.encode(mapped.value))

    def decode(self, z: Latent) -> Density:
        """p(y | z), in model units."""
        return self.noise(self.decoder(z))

    @property
    def has_independent_noise(self) -> bool:
        """Whether p(y | z) is ∏_j p(y_j | z); the decoder is traced, not run."""
        z = jax.ShapeDtypeStruct((self.prior.k,), jnp.result_type(float))
        density = eqx.filter_eval_shape(lambda model, z: model.decode(z), self, z)
        return density.independent

    def log_density_bound(self, d: int) -> float:
        """Upper bound of the log densities of this model, in nats and data units."""
        return self.noise.log_density_bound(d) + self.transform.log_det_bound(d)


def draw_keys(key: PRNGKey, n: int) -> PRNGKey:
    """Return ``n`` keys for draws beside ``model.infer(x, key=key)``, which uses another."""
    return jax.random.split(key, n + 1)[1:]


def check_bounded(model: VAEModel, d: int, *, allow_unbounded: bool) -> None:
    """Refuse a model whose likelihood has no maximum.

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
        f"model's is {bound}: σ can shrink to zero on one datum. Leave the noise's floor to the "
        "data, give a positive `resolution` or `floor`, or pass allow_unbounded=True to see it "
        "diverge."
    )
