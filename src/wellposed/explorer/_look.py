"""Mean, draw and quantile at one point of the latent space, compiled once."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from wellposed._compiled import compiled_soon
from wellposed._typing import Latent, Point, PRNGKey, Scalar
from wellposed.models import VAEModel


class Look(eqx.Module):
    """Three data at one z, in data units."""

    mean: Point
    draw: Point
    quantile: Point  # every feature at the quantile Φ(α) of its noise

    @property
    def rows(self) -> np.ndarray:
        """Mean, draw and quantile, shape (3, d), on the host."""
        return np.stack([np.asarray(part) for part in (self.mean, self.draw, self.quantile)])


class Posterior(eqx.Module):
    """q(z | x) of rows, and the rate of each latent, in nats."""

    mean: Float[Array, "*batch k"]
    scale: Float[Array, "*batch k"]
    rates: Float[Array, "*batch k"]


def look(model: VAEModel, z: Any, *, alpha: float, draw: int, key: PRNGKey) -> Look:
    """Decode z of shape (k,); equal numbers ``draw`` have equal noise, whatever z is.

    A draw from p(x | z) then changes smoothly with z, until another number is given.
    """
    # Of one type each, whatever they come as: another would compile another program.
    at = jnp.asarray(z, jnp.float32)
    return _decode(model, at, jnp.float32(alpha), jnp.uint32(draw), key)


@compiled_soon
def _decode(model: VAEModel, z: Latent, alpha: Scalar, draw: Array, key: PRNGKey) -> Look:
    # The barrier keeps XLA from computing the network anew within each of the three, and from
    # fusing the generator into it, which takes seconds to compile.
    raw = jax.lax.optimization_barrier(model.decoder_output(z))
    density, back = model.noise(raw), model.transform.inverse
    drawn = density.sample(jax.random.fold_in(key, draw))
    return Look(back(density.mean), back(drawn), back(density.coupled(alpha)))


def posterior(model: VAEModel, x: Point, *, key: PRNGKey) -> Posterior:
    """q(z | x) of one datum in data units."""
    q = model.infer(x, key=key).q
    return Posterior(q.loc, q.scale, model.prior.kl(q))
