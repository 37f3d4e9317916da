"""log p(x) by importance sampling, with diagnostics of its reliability."""

from typing import Any, Self

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from wellposed._checks import check_count
from wellposed._errors import unknown_name
from wellposed._typing import Point, PRNGKey, Scalar
from wellposed.models import VAEModel, draw_keys

from .._estimate import standard_error
from .._rows import over_rows
from .._thresholds import PARETO_K
from .importance_weights import (
    Weigh,
    cut,
    effective_size,
    fold_weights,
    log_mean_weight,
    relative_error,
    weigh_encoder,
)
from .local_posterior import PriorParts, parts_of
from .pareto_k import pareto_k, tail_size
from .refined import cut_refined, pilot_size, refine

PROPOSALS = ("refined", "encoder")


class LogLikelihood(eqx.Module):
    """Estimates of log p(x) of each datum, in nats and data units; all fields have shape (n,).

    Examples
    --------
    >>> print(LogLikelihood.exact(np.array([-2.0, -4.0])))  # doctest: +ELLIPSIS
    log p(x) of 2 rows: mean -3 ± 1 nats (Monte Carlo error 0); ...
    """

    value: Float[Array, "*batch"]
    standard_error: Float[Array, "*batch"]  # of value, by the delta method; zero if exact
    effective_sample_size: Float[Array, "*batch"]  # (Σw)² / Σw² draws; infinite if exact
    pareto_k: Float[Array, "*batch"]  # k̂ of the weights; NaN for few draws, "ais" and "exact"

    @classmethod
    def exact(cls, value: Any) -> Self:
        """Return a record of exact values of log p(x), shape (n,).

        The standard error is zero, the effective sample size infinite and k̂ NaN.
        """
        nothing: Any = np.full_like(value, np.nan)
        certain: Any = np.full_like(value, np.inf)
        return cls(value, 0 * value, certain, nothing)

    @property
    def untrusted(self) -> Float[Array, "*batch"]:
        """Whether k̂ > 0.7: the value and its standard error are then unreliable."""
        return self.pareto_k > PARETO_K

    def __str__(self) -> str:
        value, error, size, shape = (
            np.atleast_1d(np.asarray(part, np.float64))
            for part in (
                self.value,
                self.standard_error,
                self.effective_sample_size,
                self.pareto_k,
            )
        )
        n = len(value)
        text = (
            f"log p(x) of {n} rows: mean {value.mean():.6g} ± {standard_error(value):.2g} nats "
            f"(Monte Carlo error {np.sqrt(np.square(error).sum()) / n:.2g}); effective sample "
            f"size: median {np.median(size):.3g}, minimum {size.min():.3g}."
        )
        return f"{text} {_interpretation(shape)}"


def _interpretation(shape: np.ndarray) -> str:
    known = np.isfinite(shape)
    if not known.any():
        return "No Pareto k̂: there are too few draws, or the method is not importance sampling."
    share = (shape[known] > PARETO_K).mean()
    text = f"k̂ > {PARETO_K} in {share:.1%} of {known.sum()} rows"
    if not known.all():
        text += f" (it is undefined for the other {(~known).sum()})"
    if share == 0:
        return f"{text}: the standard errors are reliable."
    return (
        f"{text}: in these rows a few draws dominate, the value is too low by more than its "
        "standard error, and more draws hardly reduce the bias. "
        'Use method="auto", or compare models by the ELBO.'
    )


def log_likelihood(
    model: VAEModel, rows: Any, *, n_samples: int, key: PRNGKey, proposal: str = "refined"
) -> LogLikelihood:
    r"""Estimate log p(x) = log E_q[p(x, z) / q(z)] with ``n_samples`` draws per row.

    The draws are from a proposal q that is refined for each row: a mixture of t distributions
    around a mode of p(x, z), with the curvature there, with moments of the weights of pilot draws,
    and with the encoder's scales. If the posterior is Gaussian, as for a linear decoder with
    Gaussian noise, q is the posterior and the estimate is exact.

    The estimate is below log p(x) on average, by about half its squared standard error if that
    is small. An effective sample size near one means that one draw dominates the mean. Memory
    use does not depend on the number of rows or draws.

    Parameters
    ----------
    model : VAEModel
    rows : array of shape (n, d), data units
    n_samples : draws of z per row, ≥ 1; Pareto k̂ needs at least 25
    key : PRNG key; the draws of a row depend only on its content and this key
    proposal : "refined", or "encoder" for draws from the encoder's q(z | x)

    Returns
    -------
    LogLikelihood of the n rows

    Raises
    ------
    SettingError
        If ``n_samples`` is below one, or ``proposal`` is unknown.

    References: Burda, Grosse & Salakhutdinov (2016), §5; Vehtari et al. (2024) for k̂; Owen & Zhou
    (2000) for mixtures.

    Examples
    --------
    >>> log_likelihood(model, X[:3], n_samples=16, key=key).value.shape
    (3,)
    """
    n_samples = check_count("n_samples", n_samples, "128 is a start.")
    if proposal not in PROPOSALS:
        raise unknown_name("proposal", proposal, PROPOSALS)
    d = np.asarray(rows).shape[1]
    sizes: dict[str, Any] = {"n_samples": n_samples}
    if proposal == "encoder":
        sizes["block"], chunk = cut(model, d, n_samples)
        return over_rows(_from_encoder, model, rows, key=key, chunk=chunk, **sizes)
    parts = parts_of(model.prior)
    sizes["block"], chunk = cut_refined(model, d, parts)
    sizes["n_pilot"] = pilot_size(n_samples, parts.means.shape[1], sizes["block"])
    return over_rows(_from_refined, (model, parts), rows, key=key, chunk=chunk, **sizes)


def _from_encoder(
    model: VAEModel, x: Point, *, key: PRNGKey, n_samples: int, block: int
) -> LogLikelihood:
    inferred, (latent_key,) = model.infer(x, key=key), draw_keys(key, 1)
    weigh = weigh_encoder(model, inferred)
    return _accumulate(weigh, inferred.log_det, n_samples, block, key=latent_key)


def _from_refined(
    given: tuple[VAEModel, PriorParts],
    x: Point,
    *,
    key: PRNGKey,
    n_samples: int,
    n_pilot: int,
    block: int,
) -> LogLikelihood:
    model, parts = given
    inferred, (pilot_key, latent_key) = model.infer(x, key=key), draw_keys(key, 2)
    proposal = refine(model, parts, inferred, n_pilot=n_pilot, block=block, key=pilot_key)
    return _accumulate(proposal.weigh, inferred.log_det, n_samples, block, key=latent_key)


def _accumulate(
    weigh: Weigh, log_det: Scalar, n_samples: int, block: int, *, key: PRNGKey
) -> LogLikelihood:
    """Accumulate two sums and the largest weights of one datum over blocks of draws."""
    kept = tail_size(n_samples) + 1

    def add(state: tuple[Array, Array, Array], log_w: Array) -> tuple[Array, Array, Array]:
        log_sum, log_squares, largest = state
        return (
            jnp.logaddexp(log_sum, jax.nn.logsumexp(log_w)),
            jnp.logaddexp(log_squares, jax.nn.logsumexp(2 * log_w)),
            jax.lax.top_k(jnp.concatenate([largest, log_w]), kept)[0],
        )

    nothing = jnp.full((), -jnp.inf)
    start = nothing, nothing, jnp.full((kept,), -jnp.inf)
    sizes = {"n_samples": n_samples, "block": block}
    sums = fold_weights(add, start, weigh, **sizes, key=key)
    log_sum, log_squares, largest = sums
    size = effective_size(log_sum, log_squares, n_samples)
    return LogLikelihood(
        log_mean_weight(log_sum, n_samples) + log_det,
        relative_error(size, n_samples),
        size,
        pareto_k(largest, n_samples),
    )
