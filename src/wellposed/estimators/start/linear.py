"""Start of a VAE at its own exact linear solution: probabilistic PCA or factor analysis."""

import dataclasses
import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from wellposed import models, nn
from wellposed._typing import Point, PRNGKey
from wellposed.evaluation import over_rows
from wellposed.numerics import host_generator, inverse_positive, on_device
from wellposed.transforms import Moments

from .factors import covariance_of, fit_factors

# Most rows, and most of wide data: a (d, d) covariance of 12,288 pixels would be decomposed for
# half an hour, the root of 2,000 rows in seconds.
_MOST_ROWS, _MOST_WIDE, _WIDE = 20_000, 2_000, 2_000
_LEAST = 1e-6  # noise standard deviation, of features without a resolution


@dataclasses.dataclass(frozen=True)
class LinearSolution:
    """p(y | z, c) = N(Wz + Bᵀc + μ, diag Ψ) in model units, where WᵀΨ⁻¹W is diagonal.

    The exact posterior is then N(V(y − Bᵀc − μ), diag 1/p): its latents are independent.

    Parameters
    ----------
    mean : μ, shape (d,)
    weight : W, shape (d, k)
    variance : Ψ, shape (d,)
    slopes : B, of the covariates, shape (c, d); without covariates c is zero
    """

    mean: np.ndarray
    weight: np.ndarray
    variance: np.ndarray
    slopes: np.ndarray

    @property
    def precision(self) -> np.ndarray:
        """p = 1 + the diagonal of WᵀΨ⁻¹W, shape (k,)."""
        return 1 + (self.weight**2 / self.variance[:, None]).sum(axis=0)

    @property
    def encoder(self) -> np.ndarray:
        """Transpose of V, shape (d, k)."""
        return self.weight / self.variance[:, None] / self.precision


def has_linear_start(model: models.VAEModel) -> bool:
    """Whether :func:`start_linear` accepts the model.

    It needs noise whose location a linear decoder sets, and networks of this library, whose last
    layer it can set to zero.
    """
    networks = nn.starts_at_zero(model.encoder) and nn.starts_at_zero(model.decoder)
    return networks and model.noise.linear_location


def is_drawn(model: models.VAEModel) -> bool:
    """Whether the model starts as it is drawn for lack of a linear start; False where it has one.

    Parameters
    ----------
    model : untrained, before or after :func:`start_linear`
    """
    return not (isinstance(model.decoder, nn.LinearSkip) or has_linear_start(model))


def start_linear(
    model: models.VAEModel, rows: np.ndarray, moments: Moments, *, key: PRNGKey
) -> models.VAEModel:
    """Return the model with encoder, decoder and noise at the linear solution.

    That of a conditional model is the solution of the residuals of a regression on the covariates.

    The location that the decoder puts out is that of the solution plus a network whose last layer
    is zero; likewise the mean of the encoder. The scales are those of the solution. For Gaussian
    noise whose variance does not depend on z, the ELBO of the model is then log p(x) or
    log p(x | c).

    Parameters
    ----------
    model : untrained, for which :func:`has_linear_start` is true
    rows : array of shape (n, d), data units, each followed by its covariates
    moments : of the rows, model units
    key : for the choice of at most 20,000 rows, or 2,000 of more than 2,000 features, and their
        dequantisation

    References: Tipping & Bishop (1999), eqs 7-8; Jöreskog (1967).
    """
    choice_key, map_key = jax.random.split(key)
    most = _MOST_ROWS if rows.shape[1] - model.n_covariates <= _WIDE else _MOST_WIDE
    if len(rows) > most:
        rows = rows[host_generator(choice_key).permutation(len(rows))[:most]]
    y, center, scale = over_rows(_mapped, model, rows, key=map_key)
    center, scale = center[0].astype(np.float64), scale[0].astype(np.float64)
    generator = host_generator(jax.random.fold_in(key, 2))
    given = models.given_columns(model, rows).astype(np.float64)
    solution = _solve(model, y.astype(np.float64), given, moments, generator)
    slopes = solution.slopes
    outputs = np.zeros(model.noise.n_raw * len(center))
    outputs[: len(center)] = (solution.mean - center) / scale
    posterior = (
        (center - solution.mean) @ solution.encoder,
        inverse_positive(solution.precision**-0.5),
    )
    into, width = solution.encoder * scale[:, None], model.noise.encoder_width(len(scale))
    return eqx.tree_at(
        lambda m: (m.encoder, m.decoder, m.noise),
        model,
        (
            _skip(
                np.concatenate([_widened(into, width), -slopes @ solution.encoder]),
                np.concatenate(posterior),
                model.encoder,
            ),
            _skip(np.concatenate([solution.weight.T, slopes]) / scale, outputs, model.decoder),
            model.noise.start_at(on_device(solution.variance)),
        ),
    )


def _skip(weight: np.ndarray, bias: np.ndarray, network: Any) -> nn.LinearSkip:
    return nn.LinearSkip(on_device(weight), on_device(bias), nn.with_zero_output(network))


def _widened(weight: np.ndarray, d: int) -> np.ndarray:
    """Add rows of zeros for inputs of the encoder that are no features."""
    return np.concatenate([weight, np.zeros((d - len(weight), weight.shape[1]))])


def _mapped(model: models.VAEModel, x: Point, *, key: PRNGKey) -> tuple[Point, Point, Point]:
    """Return y, and the map to the encoder's input near the data: (y − center)/scale."""
    y = model.to_model_units(x, key=key).value
    origin = model.noise.encoder_input(jnp.zeros_like(y))
    slope = model.noise.encoder_input(jnp.ones_like(y)) - origin
    d = len(y)  # an input may have more entries, for gaps
    return y, -origin[:d] / slope[:d], 1 / slope[:d]


def _solve(
    model: models.VAEModel,
    y: np.ndarray,
    given: np.ndarray,
    moments: Moments,
    generator: np.random.Generator,
) -> LinearSolution:
    """Solve for the features that vary; the others have W = 0 and B = 0."""
    varies = np.asarray(moments.varies)
    slopes = np.zeros((given.shape[1], y.shape[1]))
    if slopes.size:
        slopes[:, varies] = models.regress(y[:, varies], given)
        y = y - given @ slopes
    floor = np.maximum(np.asarray(moments.resolution, np.float64) / math.sqrt(12), _LEAST)
    weight, variance = np.zeros((y.shape[1], model.prior.k)), floor**2
    # The spread of all rows: a column may hold one value in those that are trained on.
    spread, whole = np.nanstd(y, axis=0), np.sqrt(np.asarray(moments.variance, np.float64))
    # With covariates, that of the residuals, however small a part of the whole they are.
    spread = np.where((spread > 0) & (len(slopes) > 0), spread, np.maximum(spread, whole))
    mean = np.nanmean(y, axis=0)
    own, columns = model.noise.variance(), (y[:, varies], model.prior.k, floor[varies])
    if own is None or np.ndim(own) > 0:
        fitted = fit_factors(*columns, spread[varies], generator)
        mean[varies], weight[varies] = fitted.mean, fitted.weight
        variance[varies] = fitted.noise_variance
    else:
        covariance = covariance_of(*columns)
        mean[varies] = covariance.mean
        fixed = None if model.noise.parameters() else float(own)
        least, spectrum = float(floor[varies].min()), models.eigendecompose(covariance)
        best = models.optimum(spectrum, model.prior.k, noise_variance=fixed, floor=least)
        weight[varies], variance[varies] = best.model.weight, best.noise_variance
    return LinearSolution(mean, weight, variance, slopes)
