"""An auxiliary variable a beside the latents: q(a | x), and networks that take a."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from wellposed._typing import Covariates, Inputs, Latent, Point, Posterior, PRNGKey, Scalar
from wellposed.latents import DiagonalNormal
from wellposed.nn import call_with


class AtAuxiliary(eqx.Module):
    """[x, y] ↦ network([x, y, a]): a network at a known a.

    Parameters
    ----------
    network : takes x, then y where it has one, then a
    value : a, shape (m,)
    """

    network: Callable
    value: Latent

    def __call__(self, inputs: Float[Array, " n_in"]) -> Float[Array, " n_out"]:
        """Map x, or x and then y."""
        return call_with(self.network, inputs, self.value)

    def of_parts(self, x: Point, given: Covariates) -> Float[Array, " n_out"]:
        """Map x and y, without joining them."""
        return call_with(self.network, x, jnp.concatenate([given, self.value]))


class AuxiliaryEncoder(eqx.Module):
    """q(z | x, y) through a: networks of q(a | x), and of q(z | x, y, a).

    As the encoder of a VAE it is q(z | x, y, a) at a = E[a | x].

    Parameters
    ----------
    first : network of q(a | x), (n_in,) → (2m,)
    second : network of q(z | x, y, a), (n_in + c + m,) → (2k,)
    n_in : length of x

    Examples
    --------
    >>> from wellposed.nn import Linear
    >>> first = Linear(jnp.zeros((3, 2)), jnp.array([0.5, 0.0]))  # E[a | x] = 0.5
    >>> second = Linear(jnp.ones((5, 2)), jnp.zeros(2))
    >>> AuxiliaryEncoder(first, second, 3)(jnp.array([1.0, 1.0, 1.0, 2.0])).tolist()
    [5.5, 5.5]
    """

    first: Callable
    second: Callable
    n_in: int = eqx.field(static=True)

    def __call__(self, inputs: Float[Array, " n"]) -> Float[Array, " n_out"]:
        """Map one vector, x and then y."""
        return self.of_parts(inputs[: self.n_in], inputs[self.n_in :])

    def posterior(self, inputs: Inputs) -> Posterior:
        """q(a | x) of an input of the encoder, shape (n_in,)."""
        return DiagonalNormal()(self.first(inputs))

    def at(self, value: Latent) -> AtAuxiliary:
        """Return the network of q(z | x, y) at a known a."""
        return AtAuxiliary(self.second, value)

    def of_parts(self, x: Point, given: Covariates) -> Float[Array, " n_out"]:
        """Return the output at E[a | x], of x and y."""
        return self.at(self.posterior(x).loc).of_parts(x, given)


class AuxiliaryDraw(eqx.Module):
    """A draw of a ~ q(a | x) of one datum.

    Parameters
    ----------
    value : a, shape (m,)
    log_q : log q(a | x), nats
    inputs : x as the encoder takes it, shape (n_in,)
    decoder : network of p(a | x, y, z), (n_in + c + k,) → (2m,)
    """

    value: Latent
    log_q: Scalar
    inputs: Inputs
    decoder: Callable

    @classmethod
    def of(
        cls, encoder: AuxiliaryEncoder, decoder: Callable, inputs: Inputs, *, key: PRNGKey
    ) -> "AuxiliaryDraw":
        """Draw a for an input of the encoder."""
        q = encoder.posterior(inputs)
        value = q.loc + q.scale * jax.random.normal(key, q.batch_shape)
        return cls(value, q.log_prob(value).sum(), inputs, decoder)

    def rate(self, given: Covariates, z: Latent) -> Scalar:
        """log q(a | x) − log p(a | x, y, z), nats, at y as the networks take it."""
        p = DiagonalNormal()(call_with(self.decoder, self.inputs, jnp.concatenate([given, z])))
        return self.log_q - p.log_prob(self.value).sum()
