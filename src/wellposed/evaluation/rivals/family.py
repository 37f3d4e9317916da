"""Rivals of levels, counts and tables of several kinds: the noise of a VAE without latents."""

import dataclasses
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import scipy.optimize
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

from wellposed._compiled import compiled
from wellposed._typing import PRNGKey
from wellposed.models import VAEModel
from wellposed.noise import AbstractNoise

from .._rows import subsample

_SIZES = 4, 16  # components of a mixture
_NUMBERS = 2_000_000  # log densities of features in an evaluation of a mixture's objective, or so
_LEAST_ROWS = 500  # of a mixture of many features
_ITERATIONS = 150
_ENOUGH = 2e-6  # relative gain of an iteration; float32 resolves little less
_SPREAD = 3.0  # standard deviation of the prior of raw outputs, of which zero is the data's moments
_JITTER = 0.1  # of the starts, in the units of raw outputs
_ROWS_EACH = 10  # of a component, at least
_HELD_OUT = 5  # one row in so many chooses the size

Fitted = dict[str, Any]  # "raw" (m, r), "slopes" (c, r), "logits" (m,), "noise" leaves


@dataclasses.dataclass(frozen=True, eq=False)
class NoiseMixture:
    r"""A mixture of the noise family with constant parameters, and no latent.

    .. math:: p(y \mid c) = \sum_j w_j \, p(y; \, r_j + c S)

    where p(y; r) is the noise at raw output r. Of one component it is the family with independent
    features.
    """

    noise: AbstractNoise
    fitted: Fitted

    def log_density(self, rows: np.ndarray) -> np.ndarray:
        """Return log p(y | c) of rows (y, c), shape (n, d + c); shape (n,), nats, model units."""
        parts = _split(rows, self.fitted["slopes"])
        return np.asarray(_log_density(self.fitted, self.noise, *parts), np.float64)


def fit_independent(
    model: VAEModel, noise: AbstractNoise, rows: np.ndarray, *, key: PRNGKey
) -> tuple[NoiseMixture, str]:
    """Fit the noise family with one constant raw output, by maximum penalised likelihood."""
    weights = np.ones(len(rows), np.float32)
    fitted, _ = _fit(noise, _start(model, rows, 1, key=key), rows, weights)
    return NoiseMixture(noise, fitted), "constant parameters"


def fit_mixture_of_independent(
    model: VAEModel, noise: AbstractNoise, rows: np.ndarray, *, key: PRNGKey
) -> tuple[NoiseMixture, str]:
    """Fit mixtures of the family; a fifth of the rows chooses their size.

    Parameters
    ----------
    model : VAEModel, whose reconstructions of some rows the components start at
    noise : its noise, with its scale at the variance of the rows
    rows : of the training, shape (n, d + c), model units, each followed by its covariates
    key : PRNG key

    Returns
    -------
    the mixture, and what was chosen
    """
    n_given, d = len(rows), rows.shape[1]
    rows = subsample(rows, max(_LEAST_ROWS, _NUMBERS // (max(_SIZES) * d)))
    held = np.arange(len(rows)) % _HELD_OUT == 0
    weights, best, reached = (~held).astype(np.float32), None, -np.inf
    fewest, most = _ROWS_EACH * min(_SIZES), 2 * _NUMBERS // rows.size
    sizes = [size for size in _SIZES if _ROWS_EACH * size <= len(rows) and size <= most]
    if not sizes:
        raise ValueError(
            f"it needs {fewest} training rows, and of wide rows takes long; got {n_given} x {d}"
        )
    for size in sizes:
        fitted, log_p = _fit(noise, _start(model, rows, size, key=key), rows, weights)
        if log_p[held].mean() > reached:
            best, reached = fitted, float(log_p[held].mean())
    if best is None:
        raise ValueError("no mixture has a finite log p(x) on rows held out")
    fitted, _ = _fit(noise, best, rows, np.ones_like(weights))
    capped = f", of {len(rows):,} rows" if len(rows) < n_given else ""
    return NoiseMixture(noise, fitted), f"{len(best['logits'])} components{capped}"


def _start(model: VAEModel, rows: np.ndarray, size: int, *, key: PRNGKey) -> Fitted:
    """Raw outputs: zeros, the data's moments, or those of the codes of some rows."""
    choose_key, jitter_key = jax.random.split(key)
    at = np.asarray(jax.random.choice(choose_key, len(rows), (size,), replace=False))
    padded = np.resize(at, max(_SIZES))  # one program for all sizes
    raw = _reconstructed(model, rows[padded].astype(np.float32))[:size]
    raw = raw + _JITTER * jax.random.normal(jitter_key, raw.shape)
    usable = size > 1 and bool(jnp.isfinite(raw).all())
    return {
        "raw": raw if usable else jnp.zeros_like(raw),
        "slopes": jnp.zeros((model.n_covariates, raw.shape[1]), raw.dtype),
        "logits": jnp.zeros(size, raw.dtype),
    }


@compiled
def _reconstructed(model: VAEModel, rows: Any) -> Float[Array, "m r"]:
    """Raw outputs of the decoder at the codes of rows (y, c), shape (m, d + c)."""

    def one(row: Float[Array, " t"]) -> Float[Array, " r"]:
        d = len(row) - model.n_covariates
        at = model.at(row[d:]) if model.n_covariates else model
        return at.decoder_output(at.encode(row[:d]).loc)

    return jax.vmap(one)(rows)


def _fit(
    noise: AbstractNoise, start: Fitted, rows: np.ndarray, weights: np.ndarray
) -> tuple[Fitted, np.ndarray]:
    """Maximise the penalised log likelihood by L-BFGS; also return log p of each row, (n,)."""
    begin = {"noise": noise.parameters()} | start
    flat, rebuild = ravel_pytree(begin)
    data = tuple(map(jnp.asarray, (*_split(rows, start["slopes"]), weights)))

    def evaluate(point: np.ndarray) -> tuple[Any, Any]:
        return _loss_and_gradient(rebuild(jnp.asarray(point, flat.dtype)), noise, *data)

    def objective(point: np.ndarray) -> tuple[float, np.ndarray]:
        (value, _), slope = evaluate(point)
        found = float(value), np.asarray(ravel_pytree(slope)[0], np.float64)
        return found if np.isfinite(found[0]) else (np.inf, np.zeros_like(found[1]))

    options = {"maxiter": _ITERATIONS, "ftol": _ENOUGH}
    done = scipy.optimize.minimize(
        objective, np.asarray(flat, np.float64), jac=True, method="L-BFGS-B", options=options
    )
    (_, log_p), _ = evaluate(done.x)
    return rebuild(jnp.asarray(done.x, flat.dtype)), np.asarray(log_p, np.float64)


def _split(rows: np.ndarray, slopes: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the values and the covariates of rows, float32."""
    d = rows.shape[1] - slopes.shape[0]
    return rows[:, :d].astype(np.float32), rows[:, d:].astype(np.float32)


@compiled
def _loss_and_gradient(
    fitted: Fitted, noise: AbstractNoise, y: Any, given: Any, weights: Any
) -> tuple[tuple[Any, Any], Fitted]:
    """Mean of −log p over weighted rows, less the log prior of raw outputs; log p; the gradient."""

    def loss(fitted: Fitted) -> tuple[Any, Any]:
        log_p = _each(fitted, noise, y, given)
        size = sum((fitted[name] ** 2).sum() for name in ("raw", "slopes"))
        total = -(weights * log_p).sum() + size / (2 * _SPREAD**2)
        return total / weights.sum(), log_p

    return jax.value_and_grad(loss, has_aux=True)(fitted)


@compiled
def _log_density(fitted: Fitted, noise: AbstractNoise, y: Any, given: Any) -> Any:
    return _each(fitted, noise, y, given)


def _each(fitted: Fitted, noise: AbstractNoise, y: Any, given: Any) -> Any:
    """Return log p(y | c) of each row."""
    if fitted["noise"]:
        noise = eqx.tree_at(lambda n: n.parameters(), noise, fitted["noise"])
    log_weights = jax.nn.log_softmax(fitted["logits"])
    if not given.shape[1]:  # one distribution a component serves all rows
        each = jax.vmap(lambda raw: jax.vmap(noise(raw).log_prob)(y))(fitted["raw"])
        return jax.nn.logsumexp(log_weights[:, None] + each, axis=0)

    def of_row(y: Any, c: Any) -> Any:
        raws = fitted["raw"] + c @ fitted["slopes"]
        return jax.nn.logsumexp(log_weights + jax.vmap(lambda raw: noise(raw).log_prob(y))(raws))

    return jax.vmap(of_row)(y, given)
