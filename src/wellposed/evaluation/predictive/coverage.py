r"""Calibration of p(x | z), from the rank of each observation among draws.

For each row, draw z ~ q(z | x) and x⁽¹⁾, …, x⁽ˢ⁾ ~ p(x | z). For each feature let

.. math:: u_j = \frac{\#\{x_j^{(i)} < x_j\} + v_j (1 + \#\{x_j^{(i)} = x_j\})}{s + 1},
   \qquad v_j \sim U(0, 1)

u_j is uniform if x_j and its draws are exchangeable, for any s and for discrete features too. A
central interval of level c contains x_j if |u_j − ½| ≤ c/2.

For the exact posterior and data from the model, (x, z) has the joint distribution p(z) p(x | z),
and coverage is nominal. z must be a draw: residuals from the decoder's mean at E[z | x] are too
small. If q is too narrow the coverage is too high; if q is too wide, it is too low. In a linear
model, x_j − μ_j(z) has the variance σ²(1 + (r² − 1) h_j) for an encoder r times as wide as the
exact one, where h is the diagonal of W(WᵀW + σ²I)⁻¹Wᵀ.

References: Dawid (1984); Czado, Gneiting & Held (2009), for the randomised transform; Gelman,
Meng & Stern (1996), for data used twice.
"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

from wellposed._checks import check_count
from wellposed._errors import unknown_name
from wellposed._forks import check_process
from wellposed._typing import Point, Posterior, PRNGKey, Tree
from wellposed.models import VAEModel, draw_keys, own_columns

from .._estimate import standard_error
from .._rows import over_rows, varying

LEVELS = (0.5, 0.8, 0.9, 0.95)
_BINS = 20
_GIVEN = ("posterior", "prior")


@dataclasses.dataclass(frozen=True, eq=False)
class Coverage:
    """Coverage of central intervals; ``print`` it for a table.

    Standard errors are over rows, because the features of a row are not independent.

    Examples
    --------
    >>> from wellposed.evaluation import coverage
    >>> found = coverage(model, X, key=key)
    >>> found.levels.shape == found.coverage.shape
    True
    """

    levels: np.ndarray  # (4,): nominal coverage of the intervals
    coverage: np.ndarray  # (4,): share of observations inside, over rows and features
    standard_error: np.ndarray  # (4,)
    histogram: np.ndarray  # (20,): density of the ranks over [0, 1]; one if calibrated
    histogram_error: np.ndarray  # (20,)
    n_rows: int
    n_features: int  # features that vary
    n_draws: int  # draws per row
    latents: str  # source of z

    def __str__(self) -> str:
        head = (
            f"Coverage of {self.n_rows} rows, {self.n_features} varying features, "
            f"{self.n_draws} draws per row, z from the {self.latents}"
        )
        lines = [
            f"{level:>8.0%}{share:>10.1%} ± {error:.1%}"
            for level, share, error in zip(
                self.levels, self.coverage, self.standard_error, strict=True
            )
        ]
        return "\n".join([head, f"{'central':>8}{'held':>10}", *lines])


def coverage(
    model: VAEModel,
    rows: ArrayLike,
    *,
    key: PRNGKey,
    n_draws: int = 99,
    latents: str = "posterior",
) -> Coverage:
    """Measure the share of observations inside central intervals of a model's noise.

    Each feature is ranked among its draws in model units, dequantised if the transform
    dequantises; the ranks are those in data units, because transforms are increasing. With
    z ~ q(z | x) this is the calibration of reconstructions, not of predictions, since z depends
    on x. With ``latents="prior"`` every draw has its own z ~ p(z), and the ranks judge the
    marginal of each feature.

    Parameters
    ----------
    model : VAEModel
    rows : array of shape (n, d), data units; at least one feature must vary over them
    key : PRNG key of the latents, the draws and the ties
    n_draws : s, draws per row
    latents : "posterior" or "prior", the source of z

    Returns
    -------
    Coverage

    Raises
    ------
    SettingError
        If ``n_draws`` is below one, or ``latents`` is unknown.
    DataError
        If no feature varies.

    Examples
    --------
    >>> found = coverage(model, X, key=key)
    >>> bool((found.coverage >= 0).all()), found.n_rows
    (True, 150)
    """
    check_process()
    n_draws = check_count("n_draws", n_draws, "99 is a start.")
    if latents not in _GIVEN:
        raise unknown_name("latents", latents, _GIVEN)
    rows = np.asarray(rows)
    varies = varying(own_columns(model, rows))
    settings = {"n_draws": n_draws, "latents": latents}
    numbers = n_draws * rows.shape[1]
    inside, shares = over_rows(
        _tally, (model, varies), rows, key=key, numbers=numbers, distinct=True, **settings
    )
    return coverage_of(inside, shares, varies, **settings)


def coverage_of(
    inside: np.ndarray, shares: np.ndarray, varies: np.ndarray, *, n_draws: int, latents: str
) -> Coverage:
    """Average the shares of rows, of shapes (n, 4) and (n, 20), into a record."""
    return Coverage(
        np.asarray(LEVELS),
        *_mean_and_error(inside),
        *_mean_and_error(_BINS * shares),
        n_rows=len(inside),
        n_features=int(varies.sum()),
        n_draws=n_draws,
        latents=latents,
    )


def _tally(
    fixed: tuple[VAEModel, Tree], x: Point, *, key: PRNGKey, n_draws: int, latents: str
) -> tuple[Point, Point]:
    model, varies = fixed
    inferred, (latent_key, noise_key, tie_key) = model.infer(x, key=key), draw_keys(key, 3)
    draws = draw(model, inferred.q, latents, n_draws, keys=(latent_key, noise_key))
    return tally(ranks(inferred.y, draws, key=tie_key), varies)


def draw(
    model: VAEModel, q: Posterior, latents: str, n_draws: int, *, keys: tuple[PRNGKey, PRNGKey]
) -> jax.Array:
    """Draw s data given a datum, shape (s, d), model units; the keys are of latents and noise."""
    latent_key, noise_key = keys
    each = jax.random.split(noise_key, n_draws)
    if latents == "posterior":
        return jax.vmap(model.decode(q.sample(latent_key)).sample)(each)
    origins = jax.random.split(latent_key, n_draws)
    return jax.vmap(lambda z, k: model.decode(model.prior.sample(key=z)).sample(k))(origins, each)


def tally(u: Point, counted: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return the share of counted features in each interval, (4,), and in each bin, (20,)."""
    contained = jnp.abs(u - 0.5)[None] <= 0.5 * jnp.asarray(LEVELS)[:, None]
    bins = jnp.minimum((_BINS * u).astype(int), _BINS - 1)
    within = bins[None] == jnp.arange(_BINS)[:, None]
    inside, shares = ((part * counted).sum(axis=1) / counted.sum() for part in (contained, within))
    return inside, shares


def ranks(y: Point, draws: jax.Array, *, key: PRNGKey) -> Point:
    """Return the rank in [0, 1] of each feature among its draws (s, d); ties break at random."""
    below = (draws < y).sum(axis=0)
    ties = 1 + (draws == y).sum(axis=0)
    return (below + jax.random.uniform(key, y.shape) * ties) / (len(draws) + 1)


def _mean_and_error(of_rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return of_rows.mean(axis=0, dtype=np.float64), standard_error(of_rows)
