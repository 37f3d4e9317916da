"""The linear variational autoencoder, whose ELBO depends only on the covariance of the data."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from wellposed._typing import Fitted, Latent, Point, Scalar
from wellposed.numerics import LOG_2PI, kl_to_standard_normal


class LinearVAEModel(eqx.Module):
    r"""p(x | z) = N(Wz + μ, σ²I), q(z | x) = N(V(x − μ), diag D), z ~ N(0, I), in model units.

    With S the covariance (1/n) of the data and μ their mean, averages over the data are exact:

    .. math::
       E\,KL &= \tfrac12 \left[\operatorname{tr} D - \textstyle\sum_i \log D_i
               + \operatorname{tr}(VSV^T) - k\right] \\
       E\,E_q \log p(x|z) &= -\tfrac{1}{2\sigma^2} \left[\operatorname{tr} S
               - 2\operatorname{tr}(WVS) + \operatorname{tr}(WVSV^TW^T)
               + \operatorname{tr}(WDW^T)\right] - \tfrac d2 \log 2\pi\sigma^2

    Parameters
    ----------
    mean : μ, shape (d,)
    weight : W, shape (d, k)
    encoder : V, shape (k, d)
    variance : D, shape (k,)
    noise_variance : σ², a scalar array, model units²

    References: Lucas, Tucker, Grosse & Norouzi (2019), §4.1 and appendix.

    Examples
    --------
    >>> import wellposed as wp
    >>> fitted = wp.LinearVAE(2, random_state=0).fit(X)
    >>> fitted.model_.weight.shape
    (4, 2)
    """

    mean: Fitted
    weight: Fitted
    encoder: Fitted
    variance: Fitted
    noise_variance: Fitted

    def rates(self, covariance: Float[Array, "d d"]) -> Latent:
        """Mean of KL(q(z_i | x) ‖ p(z_i)) over data of a covariance (d, d): shape (k,), nats."""
        spread = jnp.sum((self.encoder @ covariance) * self.encoder, axis=1)
        return 0.5 * (self.variance - jnp.log(self.variance) + spread - 1)

    def expected_log_likelihood(self, covariance: Float[Array, "d d"]) -> Scalar:
        """Mean of E_q log p(x | z) over data of a covariance (d, d), nats."""
        d = self.mean.shape[0]
        return -0.5 * (
            d * (LOG_2PI + jnp.log(self.noise_variance))
            + self.squared_error(covariance) / self.noise_variance
        )

    def squared_error(self, covariance: Float[Array, "d d"]) -> Scalar:
        """Mean of E_q ‖x − Wz − μ‖² over data of a covariance (d, d), model units²."""
        mapped = self.encoder @ covariance  # VS
        gram = self.weight.T @ self.weight
        return (
            jnp.trace(covariance)
            - 2 * jnp.sum(self.weight.T * mapped)
            + jnp.sum(gram * (mapped @ self.encoder.T))
            + jnp.sum(jnp.diag(gram) * self.variance)
        )

    def rates_over(self, root: Float[Array, "r d"]) -> Latent:
        """:meth:`rates` over data of covariance FᵀF, from F (r, d), without the rounding of FᵀF."""
        spread = jnp.sum((root @ self.encoder.T) ** 2, axis=0)
        return 0.5 * (self.variance - jnp.log(self.variance) + spread - 1)

    def elbo_over(self, root: Float[Array, "r d"]) -> Scalar:
        """Mean ELBO over data of covariance FᵀF, from F (r, d), nats."""
        d = self.mean.shape[0]
        residual = root - (root @ self.encoder.T) @ self.weight.T
        error = jnp.sum(residual**2) + jnp.sum(self.weight**2 * self.variance)
        constant = d * (LOG_2PI + jnp.log(self.noise_variance))
        return -0.5 * (constant + error / self.noise_variance) - jnp.sum(self.rates_over(root))

    def elbo_of(self, x: Point) -> Scalar:
        """ELBO of one datum, shape (d,) in model units, nats."""
        centred = x - self.mean
        loc = self.encoder @ centred
        rate = jnp.sum(kl_to_standard_normal(loc, jnp.sqrt(self.variance)))
        error = jnp.sum((centred - self.weight @ loc) ** 2)
        error = error + jnp.sum(jnp.sum(self.weight**2, axis=0) * self.variance)
        d = self.mean.shape[0]
        constant = d * (LOG_2PI + jnp.log(self.noise_variance))
        return -0.5 * (constant + error / self.noise_variance) - rate

    def elbo(self, covariance: Float[Array, "d d"], *, beta: float | Scalar = 1.0) -> Scalar:
        """Mean over data of the expected log likelihood minus β times the rate, nats.

        Parameters
        ----------
        covariance : of the data, shape (d, d), model units²
        beta : weight of the KL
        """
        rate = jnp.sum(self.rates(covariance))
        return self.expected_log_likelihood(covariance) - beta * rate


def inference_gap(model: LinearVAEModel) -> Scalar:
    r"""log p(x) − ELBO under the best diagonal q, the same for every datum, in nats.

    .. math:: \tfrac12 \left[\textstyle\sum_i \log M_{ii} - \log\det M\right] \ge 0,
       \quad M = W^TW + \sigma^2 I

    It is zero only if the columns of W are orthogonal (Hadamard's inequality): the ELBO is largest
    at the principal axes, and the likelihood also at their rotations.

    Parameters
    ----------
    model : LinearVAEModel
    """
    m = model.weight.T @ model.weight
    m = m + model.noise_variance * jnp.eye(len(m), dtype=m.dtype)
    return 0.5 * (jnp.sum(jnp.log(jnp.diag(m))) - jnp.linalg.slogdet(m)[1])


def with_best_encoder(model: LinearVAEModel, *, beta: float | Scalar = 1.0) -> LinearVAEModel:
    """Replace q by the one that maximises the objective: V = M⁻¹Wᵀ and D_i = τ/M_ii, τ = βσ².

    Parameters
    ----------
    model : LinearVAEModel
    beta : weight of the KL
    """
    threshold = beta * model.noise_variance
    m = model.weight.T @ model.weight
    m = m + threshold * jnp.eye(len(m), dtype=m.dtype)
    best = (jnp.linalg.solve(m, model.weight.T), threshold / jnp.diag(m))
    return eqx.tree_at(lambda v: (v.encoder, v.variance), model, best)
