"""The mixture of Gaussians that may replace p(z) of a fitted model."""

import dataclasses
import warnings
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

from wellposed import evaluation, latents, models, training
from wellposed._errors import DataError
from wellposed._typing import PRNGKey
from wellposed.numerics import host_generator

from ._words import Progress
from .start.prior import FEWEST_ROWS

MOST_CODES = 60_000  # rows
# Draws z ~ q(z | x) of each row. With one draw, 100 components with full covariances overfit the
# draws: on MNIST three gave the held-out codes half a nat more.
_DRAWS = 3

_SIZES = (1, 5, 20, 50, 100, 200)  # components tried
_HELD_OUT = 0.2
_REFINED = 10  # maximum number of EM steps on all draws, after those on the first draws
# Share of the codes' mean variance, far below the posterior variance of useful latents.
_RIDGE = 1e-4


@dataclasses.dataclass(frozen=True)
class Aggregate:
    """A mixture fitted to codes, and the codes that chose its size.

    Parameters
    ----------
    prior : the mixture, fitted to all codes
    held : shape (m, r, k), draws of the rows held out
    log_density : shape (m, r), their log density under the mixture fitted to the other rows, nats
    """

    prior: latents.GaussianMixture
    held: np.ndarray
    log_density: np.ndarray

    def gain(self, present: latents.AbstractPrior) -> evaluation.Estimate:
        """Held-out mean of E_q log p(z) less that of the present prior, nats a datum.

        The rate falls, and the ELBO rises, by as much. The error is that of paired differences.
        """
        own = evaluation.log_prior(present, _draws(self.held)).reshape(self.log_density.shape)
        return evaluation.Estimate.of((self.log_density - own).mean(axis=1))


def draw_codes(model: models.VAEModel, rows: np.ndarray, *, key: PRNGKey) -> np.ndarray:
    """Three draws z ~ q(z | x) of each of at most 60,000 rows, shape (n, 3, k).

    Raises
    ------
    DataError
        For fewer than ten rows, or an encoder that gives some no finite posterior.
    """
    if len(rows) < FEWEST_ROWS:
        raise DataError(
            f"A prior is fitted to the codes of at least {FEWEST_ROWS} rows, a fifth of them held "
            f"out; there are {len(rows)}. Pass more rows."
        )
    codes = evaluation.codes(model, rows, key=key, most=MOST_CODES)
    noise = host_generator(key).normal(size=(len(codes.loc), _DRAWS, codes.loc.shape[1]))
    drawn = (codes.loc[:, None] + codes.scale[:, None] * noise).astype(np.float32)
    wrong = np.flatnonzero(~np.isfinite(drawn).all(axis=(1, 2)))
    if len(wrong):
        raise DataError(
            f"A prior is fitted to finite codes; those of {len(wrong)} rows are not finite. Train "
            "again with a lower learning_rate."
        )
    return drawn


def aggregate(codes: np.ndarray, *, key: PRNGKey, progress: Progress) -> Aggregate:
    """Fit a mixture of Gaussians with full covariances, which approximates the mean of q(z | x).

    ``codes`` are draws of each row, (n, r, k). The number of components, 1, 5, 20, 50, 100 or 200,
    rises as long as the log density of a held-out fifth of the rows does; all rows then refine it.
    One thread is used: the products are small, and waiting threads took fifty times as long on two
    busy cores.
    """
    rows = codes.astype(np.float64)
    order_key, start_key = (jax.random.fold_in(key, i) for i in range(2))
    order = host_generator(order_key).permutation(len(rows))
    n_held = max(1, round(_HELD_OUT * len(rows)))
    held = rows[order[:n_held]]
    settings = {
        "reg_covar": _RIDGE * max(rows.var(axis=(0, 1)).mean(), np.finfo(np.float32).tiny),
        "random_state": int(jax.random.bits(start_key) >> 1),
    }
    with threadpool_limits(limits=1), warnings.catch_warnings():
        # Without convergence the mixture is still valid: the held-out rows compare the mixtures.
        warnings.simplefilter("ignore", ConvergenceWarning)
        best = _choose(rows[order[n_held:]], held, settings, progress)
        whole = _refine(best, rows, settings)
        reached = best.score_samples(_draws(held)).reshape(held.shape[:2])
    prior = latents.GaussianMixture(
        jnp.asarray(np.log(whole.weights_), jnp.result_type(float)),
        jnp.asarray(whole.means_, jnp.result_type(float)),
        jnp.asarray(np.linalg.cholesky(whole.covariances_), jnp.result_type(float)),
    )
    return Aggregate(prior, held, reached)


def _choose(
    rows: np.ndarray, held: np.ndarray, settings: dict[str, Any], progress: Progress
) -> Any:
    """Return the mixture of highest held-out log density, for sizes that rise until it falls.

    Each component has at least k + 1 rows on average, which a covariance requires.
    """
    n, _, k = rows.shape
    best, highest, done = None, -np.inf, 0
    sizes = [size for size in _SIZES if size == 1 or size * (k + 1) <= n]
    bar = training.Bar(sum(sizes), progress, unit="component")
    for size in sizes:
        tried = _refine(GaussianMixture(size, **settings).fit(rows[:, 0]), rows, settings)
        reached = float(tried.score(_draws(held)))
        done += size
        bar.show(done, f"held-out log density {reached:.2f} nats with {size}")
        if best is not None and reached <= highest:
            break
        best, highest = tried, reached
    bar.close()
    return best


def _refine(start_mixture: Any, rows: np.ndarray, settings: dict[str, Any]) -> Any:
    """Continue the fit of a mixture on all draws of the rows."""
    start = {"weights_init": start_mixture.weights_, "means_init": start_mixture.means_}
    start["precisions_init"] = start_mixture.precisions_
    mixture = GaussianMixture(start_mixture.n_components, max_iter=_REFINED, **settings, **start)
    return mixture.fit(_draws(rows))


def _draws(rows: np.ndarray) -> np.ndarray:
    return rows.reshape(-1, rows.shape[-1])
