"""Audit: the noise variance at which a VAE of any framework was trained, and its score there."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

from wellposed._checks import check_number
from wellposed._errors import DataError, SettingError
from wellposed.numerics import LOG_2PI, kl_to_standard_normal

from ..latents.collapse import collapse
from ..linear.forecast import forecast_spectrum
from ..linear.model_units import IDENTITY
from ..linear.spectrum import spectrum
from .foreign_vae import ForeignVAE
from .implied_noise import ImpliedNoise
from .record import Audit, ScoreAtVariance
from .residuals import Residuals, residuals

# Share of the data's variance below which a residual is the rounding of a perfect reconstruction.
_NOTHING = 1e-12


def audit(
    *,
    encode: Callable[[np.ndarray], object],
    decode: Callable[[np.ndarray], object],
    X: ArrayLike,
    noise_variance: float | ImpliedNoise | None = None,
    encoder_scale: str = "deviation",
    resolution: ArrayLike | None = None,
    n_samples: int = 8,
    batch_size: int = 256,
    random_state: int | np.random.Generator = 0,
) -> Audit:
    r"""Audit the observation noise of a Gaussian VAE of any framework.

    Its ELBO is −(d/2) log 2πσ² − e/2σ² − KL for each row, with e = E_q‖x − μ(z)‖² by Monte Carlo
    and p(z) = N(0, I); its mean is largest at σ² = mean(e)/d.

    Parameters
    ----------
    encode : rows → mean and scale of q(z|x), two arrays of shape (rows, k)
    decode : latents of shape (rows, k) → mean of p(x|z), in the shape and the units of X
        Both take numpy arrays. They may return tensors, which are copied to the host.
    X : array of shape (n, d) or (n, ...), n ≥ 2, as encode expects it
    noise_variance : σ² of training, in squared units of X, an :class:`ImpliedNoise`, or None
    encoder_scale : meaning of encode's second output: "deviation", "variance" or "log_variance"
    resolution : step of the measurement, in units of X: a number, or one a feature
        If given, bits per dimension are those of a quantised value,
        −(ELBO + Σ log resolution)/(d log 2), as for data with uniform noise added.
    n_samples, batch_size : draws of z a row; rows in one call of encode or decode
    random_state : seed or numpy Generator of the draws, which do not depend on the batch size

    Raises
    ------
    DataError
        If X or an output of the callables has a wrong shape or a number that is not finite,
        or an output is random or depends on the other rows.
    SettingError
        If a noise variance, a resolution or a count is out of range, or a name is unknown.

    Notes
    -----
    The optimal σ² is fitted to these rows. To report a score, audit held-out rows with the optimum
    of the training rows as ``noise_variance``.

    References: Rybkin, Daniilidis & Levine (2021), σ*.

    Examples
    --------
    >>> z = np.random.default_rng(0).normal(size=(500, 1))
    >>> X = z + 0.1 * np.random.default_rng(1).normal(size=(500, 4))
    >>> encode = lambda x: (x.mean(axis=1, keepdims=True), np.full((len(x), 1), 0.05))
    >>> result = audit(encode=encode, decode=lambda z: z + np.zeros(4), X=X, noise_variance=1.0)
    >>> round(result.optimal_noise_variance, 3)
    0.01
    """
    rows, variance = _rows(X), _variance(noise_variance)
    steps = _steps(resolution, rows.shape[1:])
    vae, draws = ForeignVAE(encode, decode, encoder_scale), _generator(random_state)
    errors = residuals(vae, rows, n_samples=n_samples, batch_size=batch_size, draws=draws)
    return _audit_of(rows.reshape(len(rows), -1), errors, noise_variance, variance, steps)


def _audit_of(
    rows: np.ndarray,
    errors: Residuals,
    stated: float | ImpliedNoise | None,
    variance: float | None,
    steps: np.ndarray | None,
) -> Audit:
    posterior = jnp.asarray(errors.means), jnp.asarray(errors.deviations)
    rates = np.asarray(kl_to_standard_normal(*posterior), np.float64)
    (n, d), k = rows.shape, rates.shape[1]
    spread = float(rows.var(axis=0, dtype=np.float64).mean())
    best = _optimum(errors, d, spread)
    expected = partial(forecast_spectrum, spectrum(rows, IDENTITY), n_components=k)
    return Audit(
        account=stated if isinstance(stated, ImpliedNoise) else None,
        noise_variance=variance,
        trained=_score(variance, errors, rates, d, steps) if variance else None,
        optimal=_score(best, errors, rates, d, steps),
        optimal_error=float(errors.error.std(ddof=1)) / d / math.sqrt(n),
        collapse=collapse(rates, errors.means),
        forecast=expected(noise_variance=variance) if variance else None,
        forecast_at_optimum=expected(noise_variance=best),
        data_variance=spread,
        floor=0.0 if steps is None else float(steps.max()) / math.sqrt(12.0),
        n_rows=n,
        n_features=d,
        n_samples=errors.n_samples,
    )


def _optimum(errors: Residuals, d: int, spread: float) -> float:
    best = float(errors.error.mean()) / d
    if best <= _NOTHING * spread:
        raise DataError(
            f"The residuals must leave some variance; their mean square is {best:.3g} and the "
            f"variance of the data {spread:.3g}. A decoder that repeats its input leaves no noise, "
            "and the likelihood has no maximum: use fewer latents, or rows outside the training "
            "data."
        )
    return best


def _score(
    variance: float, errors: Residuals, rates: np.ndarray, d: int, steps: np.ndarray | None
) -> ScoreAtVariance:
    """Score at a σ². If σ² is the optimum of these rows, its error is of second order."""
    elbo = -0.5 * d * (LOG_2PI + math.log(variance)) - 0.5 * errors.error / variance - rates.sum(1)
    mean, root = float(elbo.mean()), math.sqrt(len(elbo))
    log_steps = 0.0 if steps is None else float(np.log(steps).sum())
    return ScoreAtVariance(
        noise_variance=variance,
        elbo=mean,
        standard_error=float(elbo.std(ddof=1)) / root,
        monte_carlo_error=0.5 * math.sqrt(errors.error_variance.mean()) / root / variance,
        bits_per_dimension=-(mean + log_steps) / (d * math.log(2.0)),
    )


def _rows(X: ArrayLike) -> np.ndarray:
    rows = np.asarray(X)
    numbers = np.issubdtype(rows.dtype, np.number) or rows.dtype == bool
    if not numbers or np.iscomplexobj(rows) or rows.ndim < 2 or len(rows) < 2 or not rows[0].size:
        raise DataError(
            f"X must be an array of real numbers of shape (n, d) or (n, ...) with n ≥ 2; got shape "
            f"{rows.shape} of {rows.dtype}. Pass the rows in the shape that encode expects."
        )
    wrong = int(rows.size - np.isfinite(rows).sum())
    if wrong:
        raise DataError(
            f"X must be finite; {wrong} of {rows.size} values are NaN or infinite. Leave "
            "out the rows that contain them."
        )
    return rows


def _variance(given: Any) -> float | None:
    if given is None:
        return None
    if isinstance(given, ImpliedNoise):
        return given.noise_variance
    if getattr(given, "shape", None) == ():
        given = given.item()  # a learned σ² is an array or a tensor of no dimensions
    remedy = "Give σ² in squared units of X, or the record that implied_noise_variance returns."
    return check_number("noise_variance", given, remedy, above=0)


def _steps(resolution: ArrayLike | None, shape: tuple[int, ...]) -> np.ndarray | None:
    if resolution is None:
        return None
    steps, d = np.asarray(resolution), math.prod(shape)
    fits = steps.shape in ((), shape, (d,)) and np.issubdtype(steps.dtype, np.number)
    if not fits or not (np.isfinite(steps) & (steps > 0)).all():
        raise SettingError(
            f"resolution must be a positive number or one for each of the {d} features, in units "
            f"of X; got {resolution!r}. It is the step of the measurement, 1 for whole numbers."
        )
    return np.broadcast_to(steps.astype(np.float64).ravel(), (d,))


def _generator(random_state: int | np.random.Generator) -> np.random.Generator:
    try:
        return np.random.default_rng(random_state)
    except (TypeError, ValueError) as error:
        raise SettingError(
            f"random_state must be a whole number ≥ 0 or a numpy Generator; got {random_state!r}. "
            "0 is as good as any."
        ) from error
