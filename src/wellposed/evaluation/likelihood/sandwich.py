"""Bidirectional Monte Carlo: two bounds on log p(x) of data simulated from the model."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

from wellposed._checks import check_count
from wellposed._compiled import own_promotion
from wellposed._forks import check_process
from wellposed._typing import Point, PRNGKey, Scalar
from wellposed.models import Inferred, VAEModel, covariates_of_draws

from .._estimate import Estimate
from .._rows import over_rows
from .ais import AISEstimate, check_settings, climb, log_mean, path_of, rows_at_once
from .annealing_path import backwards


@dataclasses.dataclass(frozen=True, eq=False)
class Sandwich:
    """Bounds on log p(x) of data simulated from the model; nats in data units.

    Examples
    --------
    >>> from wellposed.evaluation import sandwich
    >>> sandwich(model, 4, key=key, n_chains=4, n_steps=10).y.shape
    (4, 4)
    """

    lower: AISEstimate  # (n,) each: from forward walks, on average at most log p(x)
    upper: AISEstimate  # (n,) each: from backward walks from the z that generated x, on average
    # at least log p(x); its standard errors are NaN, see :func:`sandwich`
    y: np.ndarray  # (n, d): the simulated data, model units
    log_det: np.ndarray  # (n,): log |det dT/dx| = log p(x) − log p(y), nats

    @property
    def gaps(self) -> np.ndarray:
        """Upper − lower of each datum, shape (n,), nats; a gap can be negative by chance."""
        return np.asarray(self.upper.value, np.float64) - np.asarray(self.lower.value, np.float64)

    @property
    def gap(self) -> Estimate:
        """Mean gap with its standard error over data, nats.

        Its expectation is at least the mean error of either bound.
        """
        return Estimate.of(self.gaps)

    def __str__(self) -> str:
        lower, upper = (np.mean(side.value, dtype=np.float64) for side in (self.lower, self.upper))
        return (
            f"On {len(self.gaps)} data simulated from the model, log p(x) lies between "
            f"{lower:.6g} and {upper:.6g} nats on average, a gap of {self.gap} nats "
            f"({self.gaps.max():.3g} at most). For real data that the model fits, the estimate "
            "from the same number of chains and steps is too low by about this gap at most."
        )


def sandwich(
    model: VAEModel,
    n_data: int,
    *,
    key: PRNGKey,
    n_chains: int = 16,
    n_steps: int = 200,
    start: str = "fitted",
    covariates: ArrayLike | None = None,
) -> Sandwich:
    r"""Bound log p(x) from both sides on data simulated from the model.

    If z ~ p(z) and y ~ p(y | z), then z is an exact draw from p(z | y). A forward walk, as in
    :func:`ais`, has E w = p(y). A backward walk from z along the same path has E 1/w' = 1/p(y).
    Therefore

    .. math:: E \log \frac1s \sum_i w_i \le \log p(y) \le -E \log \frac1s \sum_i 1/w'_i

    All backward chains of a datum start from the same z. This adds no bias, but the chains are
    dependent, and their scatter understates the error of ``upper``: its standard errors are
    therefore NaN, and the standard error of the mean gap is over data. y is stored as drawn. The
    values in data units include log |det dT/dx| at T⁻¹(y), dequantised again if the transform
    dequantises; the gap does not depend on it.

    Parameters
    ----------
    model : VAEModel
    n_data : n, the number of data to simulate
    key : PRNG key
    n_chains, n_steps, start : see :func:`ais`
    covariates : of a conditional model, array of shape (n_data, c), or (1, c) for all data

    Returns
    -------
    Sandwich of the n data

    Raises
    ------
    SettingError
        If a count is below one, ``start`` is unknown, or a conditional model has no covariates.

    References: Grosse, Ghahramani & Adams (2015); Grosse, Ancha & Roy (2016).

    Examples
    --------
    >>> sandwich(model, 4, key=key, n_chains=4, n_steps=10).gaps.shape
    (4,)
    """
    check_process()
    n_data = check_count("n_data", n_data, "100 is a start.")
    settings = check_settings(n_chains, n_steps, start)
    # d is the size of the decoder's mean.
    with own_promotion():
        d = jax.eval_shape(lambda z: model.decode(z).mean, jnp.zeros(model.prior.k)).shape[0]
    numbers = np.arange(n_data, dtype=np.float32)[:, None]
    given = covariates_of_draws(model, n_data, covariates)
    if given is not None:
        numbers = np.concatenate([numbers, given], axis=1)
    chunk = rows_at_once(model, d, n_chains)
    return Sandwich(*over_rows(_bounds, model, numbers, key=key, chunk=chunk, **settings))


def _bounds(
    model: VAEModel, number: Point, *, key: PRNGKey, n_chains: int, n_steps: int, start: str
) -> tuple[AISEstimate, AISEstimate, Point, Scalar]:
    del number  # data differ only in their keys
    latent_key, noise_key, transform_key, path_key, up_key, down_key = jax.random.split(key, 6)
    z = model.prior.sample(key=latent_key)
    y = model.decode(z).sample(noise_key)
    log_det = model.transform.forward(model.transform.inverse(y), key=transform_key).log_det
    simulated = Inferred(y, log_det, model.encode(y))
    path = path_of(model, simulated, n_chains, n_steps, start, key=path_key)
    lower, sizes = climb(path, n_chains, n_steps, log_det, key=up_key)
    origin = jnp.tile(path.position(z), (n_chains, 1))
    walk = backwards(path, origin, sizes, key=down_key)
    value, _, size = log_mean(-walk.log_weight)
    unknown = jnp.full((), jnp.nan)
    upper = AISEstimate(log_det - value, unknown, size, walk.acceptance.mean())
    return lower, upper, y, log_det
