r"""The posterior predictive p(x* | x) = ∫ p(x* | z) q(z | x) dz, evaluated at x* = x.

It is not log p(x): z depends on the row, so that an autoencoder scores well. Papers on variance
networks report it with the errors of its mean and of its variance, because a model with a higher
density may have a worse mean.

References: Stirn & Knowles (2020), §5; Skafte, Jørgensen & Hauberg (2019).
"""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from wellposed._checks import check_count
from wellposed._forks import check_process
from wellposed._typing import Point, PRNGKey, Scalar
from wellposed.models import VAEModel, draw_keys
from wellposed.numerics import log_mean_exp

from .._rows import over_rows


@dataclasses.dataclass(frozen=True, eq=False)
class PosteriorPredictive:
    """Scores of each row by the mean and variance of the mixture over draws of z.

    Examples
    --------
    >>> from wellposed.evaluation import posterior_predictive
    >>> found = posterior_predictive(model, X, key=key)
    >>> found.rmse > 0
    True
    """

    log_density: np.ndarray  # (n,), nats, data units
    squared_error: np.ndarray  # (n,), mean over features of (x − mean)², squared model units
    variance: np.ndarray  # (n,), mean over features, squared model units

    @property
    def rmse(self) -> float:
        """Root mean squared error of the mean, model units."""
        return float(np.sqrt(self.squared_error.mean(dtype=np.float64)))

    @property
    def variance_bias(self) -> float:
        """Mean of variance − squared error, squared model units; zero if calibrated."""
        return float((self.variance - self.squared_error).mean(dtype=np.float64))


def posterior_predictive(
    model: VAEModel, rows: Any, *, key: PRNGKey, n_samples: int = 20
) -> PosteriorPredictive:
    """Score rows by the mixture of p(x | z) over ``n_samples`` draws of z ~ q(z | x).

    Parameters
    ----------
    model : VAEModel
    rows : array of shape (n, d), data units
    key : PRNG key of the draws and of dequantisation
    n_samples : draws of z per row

    Returns
    -------
    PosteriorPredictive of the n rows

    Raises
    ------
    SettingError
        If ``n_samples`` is below one.

    Examples
    --------
    >>> posterior_predictive(model, X, key=key).log_density.shape
    (150,)
    """
    check_process()
    n_samples = check_count("n_samples", n_samples, "20 is usual.")
    rows = np.asarray(rows)
    numbers = n_samples * rows.shape[1]
    scores = over_rows(_score, model, rows, key=key, numbers=numbers, n_samples=n_samples)
    return PosteriorPredictive(*scores)


def _score(model: VAEModel, x: Point, *, key: PRNGKey, n_samples: int) -> tuple[Scalar, ...]:
    inferred, (latent_key,) = model.infer(x, key=key), draw_keys(key, 1)

    def one(draw: jax.Array) -> tuple[Scalar, Point, Point]:
        p = model.decode(inferred.q.sample(jax.random.fold_in(latent_key, draw)))
        return p.log_prob(inferred.y), p.mean, p.variance

    log_p, means, variances = jax.vmap(one)(jnp.arange(n_samples))
    mean = means.mean(axis=0)
    variance = variances.mean(axis=0) + means.var(axis=0)
    error = ((inferred.y - mean) ** 2).mean()
    return log_mean_exp(log_p) + inferred.log_det, error, variance.mean()
