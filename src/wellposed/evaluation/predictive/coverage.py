r"""Calibration of p(x | z), by the rank of each observation among draws.

For each row, z ~ q(z | x) and s draws x⁽¹⁾, …, x⁽ˢ⁾ ~ p(x | z), and for each feature

.. math:: u_j = \frac{\#\{x_j^{(i)} < x_j\} + v_j (1 + \#\{x_j^{(i)} = x_j\})}{s + 1},
   \qquad v_j \sim U(0, 1)

which is uniform wherever x_j and its draws are exchangeable, whatever s, and for discrete
features too. A central interval of level c holds x_j where |u_j − ½| ≤ c/2.

With the exact posterior and data from the model, (x, z) has its joint distribution p(z) p(x | z),
and coverage is nominal: z must be a draw, as residuals around the decoder of E[z | x] are shrunk.
Where q is too narrow the intervals hold too much, where it is too wide too little: in a linear
model, x_j − μ_j(z) has the variance σ²(1 + (r² − 1) h_j) for an encoder r times as wide as the
exact one, h the diagonal of W(WᵀW + σ²I)⁻¹Wᵀ.

References: Dawid (1984); Czado, Gneiting & Held (2009), the randomised transform; Gelman, Meng &
Stern (1996), on data used twice.
"""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from wellposed._checks import check_count
from wellposed._errors import unknown_name
from wellposed._forks import check_process
from wellposed._typing import Point, Posterior, PRNGKey, Tree
from wellposed.models import VAEModel, draw_keys

from .._estimate import standard_error
from .._rows import over_rows, varying

LEVELS = (0.5, 0.8, 0.9, 0.95)
_BINS = 20
_GIVEN = ("posterior", "prior")


@dataclasses.dataclass(frozen=True, eq=False)
class Coverage:
    """How often central intervals hold the observation; ``print`` it for a table.

    Standard errors are over rows, whose features are not independent.
    """

    levels: np.ndarray  # (4,): what the intervals are meant to hold
    coverage: np.ndarray  # (4,): what they hold, over rows and features
    standard_error: np.ndarray  # (4,)
    histogram: np.ndarray  # (20,): density of the ranks over [0, 1]; one where calibrated
    histogram_error: np.ndarray  # (20,)
    n_rows: int
    n_features: int  # those that vary
    n_draws: int
    latents: str

    def __str__(self) -> str:
        head = (
            f"Coverage of {self.n_rows} rows, {self.n_features} features that vary, "
            f"{self.n_draws} draws a row, z from the {self.latents}"
        )
        lines = [
            f"{level:>8.0%}{held:>10.1%} ± {error:.1%}"
            for level, held, error in zip(
                self.levels, self.coverage, self.standard_error, strict=True
            )
        ]
        return "\n".join([head, f"{'central':>8}{'held':>10}", *lines])


def coverage(
    model: VAEModel,
    rows: Any,
    *,
    key: PRNGKey,
    n_draws: int = 99,
    latents: str = "posterior",
) -> Coverage:
    """Measure how often central intervals of a model's noise hold the observations.

    Features are ranked among draws in model units, dequantised where the transform does so:
    transforms are increasing. With z ~ q(z | x) this is calibration of reconstructions, and no
    statement on prediction: z has seen x. With ``latents="prior"`` every draw has its own
    z ~ p(z), and the ranks judge the marginals of p(x), of each feature.

    Parameters
    ----------
    model : VAEModel
    rows : array of shape (n, d), data units; at least one feature must vary over them
    key : PRNG key, of the latents, the draws and the ties
    n_draws : s
    latents : "posterior" or "prior"

    Raises
    ------
    SettingError
        If ``n_draws`` is below one, or ``latents`` unknown.
    DataError
        If no feature varies.
    """
    check_process()
    n_draws = check_count("n_draws", n_draws, "99 is a start.")
    if latents not in _GIVEN:
        raise unknown_name("latents", latents, _GIVEN)
    rows = np.asarray(rows)
    varies = varying(rows)
    settings = {"n_draws": n_draws, "latents": latents}
    numbers = n_draws * rows.shape[1]
    held, shares = over_rows(
        _tally, (model, varies), rows, key=key, numbers=numbers, distinct=True, **settings
    )
    return coverage_of(held, shares, varies, **settings)


def coverage_of(
    held: np.ndarray, shares: np.ndarray, varies: np.ndarray, *, n_draws: int, latents: str
) -> Coverage:
    """Average the tallies of rows, shapes (n, 4) and (n, 20)."""
    return Coverage(
        np.asarray(LEVELS),
        *_mean_and_error(held),
        *_mean_and_error(_BINS * shares),
        n_rows=len(held),
        n_features=int(varies.sum()),
        n_draws=n_draws,
        latents=latents,
    )


def _tally(
    fixed: tuple[VAEModel, Tree], x: Point, *, key: PRNGKey, n_draws: int, latents: str
) -> tuple[Point, Point]:
    model, varies = fixed
    found, (latent_key, noise_key, tie_key) = model.infer(x, key=key), draw_keys(key, 3)
    draws = draw(model, found.q, latents, n_draws, keys=(latent_key, noise_key))
    return tally(ranks(found.y, draws, key=tie_key), varies)


def draw(
    model: VAEModel, q: Posterior, latents: str, n_draws: int, *, keys: tuple[PRNGKey, PRNGKey]
) -> jax.Array:
    """Draw s data given a datum, shape (s, d), model units; keys: latents, then noise."""
    latent_key, noise_key = keys
    each = jax.random.split(noise_key, n_draws)
    if latents == "posterior":
        return jax.vmap(model.decode(q.sample(latent_key)).sample)(each)
    origins = jax.random.split(latent_key, n_draws)
    return jax.vmap(lambda z, k: model.decode(model.prior.sample(key=z)).sample(k))(origins, each)


def tally(u: Point, counted: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Share of the features that count within each interval, (4,), and within each bin, (20,)."""
    inside = jnp.abs(u - 0.5)[None] <= 0.5 * jnp.asarray(LEVELS)[:, None]
    bins = jnp.minimum((_BINS * u).astype(int), _BINS - 1)
    within = bins[None] == jnp.arange(_BINS)[:, None]
    held, shares = ((part * counted).sum(axis=1) / counted.sum() for part in (inside, within))
    return held, shares


def ranks(y: Point, draws: jax.Array, *, key: PRNGKey) -> Point:
    """Rank of each feature among its draws (s, d), over [0, 1], ties broken at random."""
    below = (draws < y).sum(axis=0)
    ties = 1 + (draws == y).sum(axis=0)
    return (below + jax.random.uniform(key, y.shape) * ties) / (len(draws) + 1)


def _mean_and_error(of_rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return of_rows.mean(axis=0, dtype=np.float64), standard_error(of_rows)
