"""p(y) and q(y | x) of a label y, and the values of y over which an expectation is taken."""

import abc
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from wellposed._typing import Covariates, Scalar
from wellposed.numerics import LOG_2PI, kl_to_standard_normal, on_device, positive

_NODES = 5  # of the quadrature over a real label


class Points(eqx.Module):
    """An expectation over y as a weighted sum, and the rate of y.

    Parameters
    ----------
    given : y as the networks take it, one row a value, shape (p, c)
    weight : of each value, shape (p,); they sum to one
    rate : KL(q(y | x) ‖ p(y)), nats; −log p(y) where the label is known
    """

    given: Float[Array, "p c"]
    weight: Float[Array, " p"]
    rate: Scalar


class AbstractLabels(eqx.Module):
    """A label y of one datum: its prior, its q(y | x), and its form as an input of networks.

    A label is a number, NaN where it is unknown.
    """

    @property
    @abc.abstractmethod
    def n_outputs(self) -> int:
        """Number of outputs of the network of q(y | x)."""

    @property
    @abc.abstractmethod
    def n_given(self) -> int:
        """Number of inputs of the VAE's networks that y takes."""

    @abc.abstractmethod
    def points(self, output: Covariates, label: Scalar) -> Points:
        """Return the values of y, of a known label that one alone, else those of q(y | x)."""

    @abc.abstractmethod
    def log_q(self, output: Covariates, label: Scalar) -> Scalar:
        """log q(y | x) at a known label, in nats."""

    @abc.abstractmethod
    def log_p(self, label: Scalar) -> Scalar:
        """log p(y) at a known label, in nats."""

    @abc.abstractmethod
    def give(self, label: Scalar) -> Covariates:
        """Return a known label as the networks take it, shape (c,)."""


class Classes(AbstractLabels):
    """y in {0, …, C − 1}; q(y | x) = softmax(output), and expectations are exact sums over y.

    Parameters
    ----------
    prior_logits : log p(y) up to a constant, shape (C,)
    learned : whether p(y) is trained

    Examples
    --------
    >>> classes = Classes(jnp.zeros(3), learned=False)
    >>> points = classes.points(jnp.zeros(3), jnp.asarray(jnp.nan))
    >>> [round(float(w), 2) for w in points.weight], round(float(points.rate), 2)
    ([0.33, 0.33, 0.33], 0.0)
    """

    prior_logits: Float[Array, " C"]
    learned: bool = eqx.field(static=True)

    @property
    def n_outputs(self) -> int:
        """C."""
        return self.prior_logits.shape[0]

    @property
    def n_given(self) -> int:
        """C: y is given as a vector with a one at its class."""
        return self.prior_logits.shape[0]

    @property
    def log_prior(self) -> Float[Array, " C"]:
        """log p(y) of each class, in nats."""
        return jax.nn.log_softmax(self.prior_logits)

    def points(self, output: Covariates, label: Scalar) -> Points:
        log_q = jax.nn.log_softmax(output)
        unknown = jnp.isnan(label)
        weight = jnp.where(unknown, jnp.exp(log_q), self.give(label))
        # Of a known label the sum has one term, −log p(y), as the entropy of its weights is zero.
        entropy = jnp.where(unknown, -jnp.sum(jnp.exp(log_q) * log_q), 0.0)
        return Points(jnp.eye(self.n_given), weight, -jnp.sum(weight * self.log_prior) - entropy)

    def log_q(self, output: Covariates, label: Scalar) -> Scalar:
        return jnp.sum(self.give(label) * jax.nn.log_softmax(output))

    def log_p(self, label: Scalar) -> Scalar:
        return jnp.sum(self.give(label) * self.log_prior)

    def give(self, label: Scalar) -> Covariates:
        return (jnp.arange(self.n_given) == label).astype(jnp.result_type(float))


class RealLabel(AbstractLabels):
    """y real, in standard deviations of the labels from their mean; p(y) = N(0, 1).

    q(y | x) = N(m, s²), with m and s from the output. Expectations are by Gauss-Hermite quadrature
    of five points, exact for polynomials of y up to degree nine.

    Parameters
    ----------
    nodes, weights : of the quadrature for N(0, 1), shape (p,)

    Examples
    --------
    >>> real = RealLabel.of_quadrature()
    >>> points = real.points(jnp.array([2.0, 0.5]), jnp.asarray(jnp.nan))
    >>> round(float(points.weight @ points.given[:, 0]), 3)
    2.0
    """

    LEAST_SCALE: ClassVar[float] = 1e-3  # of q(y | x), in standard deviations of the labels
    nodes: Float[Array, " p"]
    weights: Float[Array, " p"]

    @classmethod
    def of_quadrature(cls) -> "RealLabel":
        """Return the label with the five points of its quadrature."""
        nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
        return cls(on_device(nodes), on_device(weights / weights.sum()))

    @property
    def n_outputs(self) -> int:
        """2: m, and s before its map to positive numbers."""
        return 2

    @property
    def n_given(self) -> int:
        """1: y itself."""
        return 1

    def moments(self, output: Covariates) -> tuple[Scalar, Scalar]:
        """Return m and s of q(y | x)."""
        return output[0], self.LEAST_SCALE + positive(output[1])

    def points(self, output: Covariates, label: Scalar) -> Points:
        mean, scale = self.moments(output)
        unknown = jnp.isnan(label)
        known = jnp.where(unknown, 0.0, label)
        given = jnp.where(unknown, mean + scale * self.nodes, known)
        kl = kl_to_standard_normal(mean[None], scale[None])[0]
        rate = jnp.where(unknown, kl, -self.log_p(known))
        return Points(given[:, None], self.weights, rate)

    def log_q(self, output: Covariates, label: Scalar) -> Scalar:
        mean, scale = self.moments(output)
        return -0.5 * (((label - mean) / scale) ** 2 + LOG_2PI) - jnp.log(scale)

    def log_p(self, label: Scalar) -> Scalar:
        return -0.5 * (label**2 + LOG_2PI)

    def give(self, label: Scalar) -> Covariates:
        return label[None]
