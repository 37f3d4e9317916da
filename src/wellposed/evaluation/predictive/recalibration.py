r"""A scale for each feature's noise, fitted to rows that the model was not trained on.

For z ~ q(z | x), and with all other parameters fixed, the ELBO of held-out rows is a sum over
features j of functions of their scales s_j,

.. math:: \frac1n \sum_i E_{q(z|x_i)} \log p_j\bigl(m_j(z) + (y_{ij} - m_j(z))/s_j \mid z\bigr)
   - \log s_j

For Gaussian noise it is largest if s_j is the root mean square of the standardised residuals
(y_ij − m_j)/σ_j. Residuals of training rows are too small, because the model is fitted to them;
those of held-out rows are not.
"""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

from wellposed._errors import DataError, SettingError
from wellposed._forks import check_process
from wellposed._typing import Point, PRNGKey
from wellposed.models import VAEModel, draw_keys, own_columns
from wellposed.noise import AbstractNoise, Gaussian, Rescaled

from .._estimate import Estimate
from .._rows import in_chunks, over_rows

LEAST_ROWS = 30
_DRAWS = 8  # of z per row
_GRID = 33  # scales in one grid
_WIDEST = 5.0  # logarithm of the largest scale in the search; the smallest is its inverse
_STEP = 0.05  # in log s, of the finite differences for the standard error


@dataclasses.dataclass(frozen=True, eq=False)
class Recalibration:
    """A model with rescaled noise, and the standard errors of the scales.

    Examples
    --------
    >>> from wellposed.evaluation import recalibrate
    >>> found = recalibrate(model, X, key=key)
    >>> found.n_rows
    150
    """

    model: VAEModel
    scale: np.ndarray  # (d,), multiplies the noise's deviation; 1 for a constant feature
    standard_error: np.ndarray  # (d,), over rows
    gain: Estimate  # of the ELBO, nats per datum, on the rows of the fit
    n_rows: int

    def __str__(self) -> str:
        error = np.nanmean(self.standard_error / self.scale)
        return (
            f"The scales of the noise's standard deviation are {self.scale.min():.3g} to "
            f"{self.scale.max():.3g} for {len(self.scale)} features (median "
            f"{np.median(self.scale):.3g}); their mean relative standard error from {self.n_rows} "
            f"rows is {error:.1%}. On these rows, the ELBO gains {self.gain} nats per datum."
        )


def recalibrate(model: VAEModel, rows: ArrayLike, *, key: PRNGKey) -> Recalibration:
    """Rescale the noise of each feature around its mean, by a fit to held-out rows.

    The scales maximise the ELBO of the rows for a fixed encoder and decoder: in closed form for
    Gaussian noise, and by a one-dimensional search for other noise. For a model that is already
    recalibrated, the new scales replace the old ones.

    Parameters
    ----------
    model : VAEModel with noise on the real line and features independent given z
    rows : array of shape (n, d), n ≥ 30, data units; not part of the training data
    key : PRNG key of the latents and of dequantisation

    Returns
    -------
    Recalibration

    Raises
    ------
    SettingError
        If the noise is not on the real line, or its features depend on each other given z.
    DataError
        If there are fewer than 30 rows.

    Examples
    --------
    >>> found = recalibrate(model, X, key=key)
    >>> found.scale.shape, found.gain.value >= 0
    ((4,), True)
    """
    check_process()
    whole = model.noise.whole
    base = whole.noise if isinstance(whole, Rescaled) else whole
    rows = np.asarray(rows)
    _check(model, base, len(rows))
    plain = eqx.tree_at(lambda m: m.noise, model, model.noise.around(base))
    own = own_columns(model, rows)
    free = own.max(axis=0) > own.min(axis=0)
    constants = getattr(base, "constants", None)
    if constants is not None:
        free &= np.asarray(constants.varies)
    solve = _root_mean_square if isinstance(base, Gaussian) else _searched
    log_scale = np.where(free, solve(plain, rows, key=key), 0.0)
    now = np.zeros_like(log_scale)
    if isinstance(whole, Rescaled):
        now += np.log(np.asarray(whole.scale, np.float64))
    error, gain = _account(plain, rows, log_scale, now, key=key)
    scale = np.exp(log_scale)
    rescaled = model.noise.around(Rescaled(base, scale))
    return Recalibration(
        eqx.tree_at(lambda m: m.noise, model, rescaled),
        scale,
        np.where(free, scale * error, np.nan),
        gain,
        len(rows),
    )


def _check(model: VAEModel, base: AbstractNoise, n: int) -> None:
    Rescaled(base, 1.0)  # raises an error for noise that is not on the real line
    if not model.has_independent_noise:
        raise SettingError(
            "Recalibration fits one feature's scale at a time, and needs noise whose features "
            f"are independent given z; got {type(base).__name__}. Rescale it by hand with "
            'wp.noise.Rescaled, or fit with an independent noise such as "feature".'
        )
    if n < LEAST_ROWS:
        raise DataError(
            f"Recalibration needs at least {LEAST_ROWS} rows; got {n}, which would give a "
            f"standard error of {np.sqrt(0.5 / max(n, 1)):.0%} on each scale. Hold out more rows: "
            "200 rows give 5 %."
        )


def _root_mean_square(model: VAEModel, rows: np.ndarray, *, key: PRNGKey) -> np.ndarray:
    """Return the logarithm of the best scale for Gaussian noise, shape (d,)."""
    squares = over_rows(_squares, model, rows, key=key, numbers=rows.shape[1], distinct=True)
    with np.errstate(divide="ignore"):
        return 0.5 * np.log(squares.mean(axis=0, dtype=np.float64))


def _squares(model: VAEModel, x: Point, *, key: PRNGKey) -> Point:
    """Return E_q (y − m(z))²/σ²(z) of one datum, shape (d,)."""

    def square(p: Any, y: Point) -> Point:
        return (y - p.mean) ** 2 / p.variance

    return _over_latents(model, x, square, key=key)


def _over_latents(model: VAEModel, x: Point, of: Callable, *, key: PRNGKey) -> Any:
    """Return the mean over draws z ~ q(z | x) of a function of p(y | z) and y."""
    inferred, (latent_key,) = model.infer(x, key=key), draw_keys(key, 1)
    keys = jax.random.split(latent_key, _DRAWS)
    q, y = inferred.q, inferred.y
    return jax.lax.map(lambda k: of(model.decode(q.sample(k)), y), keys).mean(axis=0)


def _log_densities(fixed: tuple[VAEModel, jax.Array], x: Point, *, key: PRNGKey) -> jax.Array:
    """Return E_q log p_s of each feature of one datum at each of T scales, (T, d), nats."""
    model, log_scales = fixed

    def each(p: Any, y: Point) -> jax.Array:
        return jax.vmap(lambda t: p.feature_log_prob(p.mean + (y - p.mean) * jnp.exp(-t)) - t)(
            log_scales
        )

    return _over_latents(model, x, each, key=key)


def _searched(model: VAEModel, rows: np.ndarray, *, key: PRNGKey) -> np.ndarray:
    """Search for the logarithm of the best scale, shape (d,), on three nested grids.

    The search uses no gradients, because the density of quantile heads has jumps.
    """
    best, width = np.zeros(own_columns(model, rows).shape[1]), _WIDEST
    for _ in range(3):
        tried = best + width * np.linspace(-1, 1, _GRID)[:, None]
        total = np.zeros_like(tried)
        for values in _passes(model, rows, tried, key=key):
            total += values.sum(axis=0, dtype=np.float64)
        best = np.take_along_axis(tried, total.argmax(axis=0)[None], axis=0)[0]
        width *= 2 / (_GRID - 1)
    return best


def _account(
    model: VAEModel, rows: np.ndarray, log_scale: np.ndarray, now: np.ndarray, *, key: PRNGKey
) -> tuple[np.ndarray, Estimate]:
    """Return the standard error of log s, (d,), from the scatter of the score, and the gain."""
    tried = np.stack([now, log_scale - _STEP, log_scale, log_scale + _STEP])
    squared, curvature, gains = 0.0, 0.0, []
    for values in _passes(model, rows, tried, key=key):
        before, left, best, right = np.moveaxis(np.asarray(values, np.float64), 1, 0)
        squared += (((right - left) / (2 * _STEP)) ** 2).sum(axis=0)
        curvature += ((2 * best - left - right) / _STEP**2).sum(axis=0)
        gains.append((best - before).sum(axis=1))
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt(squared) / np.maximum(curvature, 0.0)
    return error, Estimate.of(np.concatenate(gains))


def _passes(
    model: VAEModel, rows: np.ndarray, tried: np.ndarray, *, key: PRNGKey
) -> Iterator[np.ndarray]:
    """Yield values of shape (m, T, d), for one chunk of m rows at a time."""
    fixed = model, jnp.asarray(tried, jnp.result_type(float))
    return in_chunks(_log_densities, fixed, rows, key=key, numbers=tried.size, distinct=True)
