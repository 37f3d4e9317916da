"""Bidirectional Monte Carlo: log p(x) between two bounds, on data that the model made."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from wellposed._checks import check_count
from wellposed._compiled import own_promotion
from wellposed._forks import check_process
from wellposed._typing import Point, PRNGKey, Scalar
from wellposed.models import Inferred, VAEModel

from .._estimate import Estimate
from .._rows import over_rows
from .ais import AISEstimate, check_settings, climb, log_mean, path_of, rows_at_once
from .annealing_path import backwards


@dataclasses.dataclass(frozen=True, eq=False)
class Sandwich:
    """Bounds on log p(x) of data simulated from the model; nats in data units."""

    lower: AISEstimate  # (n,) each: forwards, on average at most log p(x)
    upper: AISEstimate  # (n,) each: backwards from the z that made x, on average at least log p(x);
    # its standard errors are NaN, see :func:`sandwich`
    y: np.ndarray  # (n, d): the simulated data, model units
    log_det: np.ndarray  # (n,): log |det dT/dx|, nats; log p(y) is that much less than log p(x)

    @property
    def gaps(self) -> np.ndarray:
        """Upper less lower of each datum, shape (n,); chance can make one negative."""
        return np.asarray(self.upper.value, np.float64) - np.asarray(self.lower.value, np.float64)

    @property
    def gap(self) -> Estimate:
        """Mean gap and its standard error over data: no less than the mean error of either."""
        return Estimate.of(self.gaps)

    def __str__(self) -> str:
        lower, upper = (np.mean(side.value, dtype=np.float64) for side in (self.lower, self.upper))
        return (
            f"On {len(self.gaps)} data simulated from the model, log p(x) lies between "
            f"{lower:.6g} and {upper:.6g} nats in the mean: a gap of {self.gap} nats, "
            f"{self.gaps.max():.3g} for the widest. The same chains on real data are too low by "
            "about as much at most, where the model fits them."
        )


def sandwich(
    model: VAEModel,
    n_data: int,
    *,
    key: PRNGKey,
    n_chains: int = 16,
    n_steps: int = 200,
    start: str = "fitted",
) -> Sandwich:
    r"""Bound log p(x) from both sides on data simulated from the model.

    z ~ p(z), y ~ p(y | z) leave z an exact draw from p(z | y). Forwards, as :func:`ais`
    walks, E w = p(y); backwards from that z along the same path, E 1/w = 1/p(y), whence

    .. math:: E \log \frac1s \sum_i w_i \le \log p(y) \le -E \log \frac1s \sum_i 1/w'_i

    The chains of a datum all set out from the one z, which is no bias but binds them: their
    scatter would understate the error of ``upper``, so that none is stated for a single datum,
    and the error of the mean gap is taken over data. y is held as it was drawn; its value in
    data units takes log |det dT/dx| at T⁻¹(y), dequantised anew where the transform does so,
    which the gap does not depend on.

    Parameters
    ----------
    model : VAEModel
    n_data : n, data to simulate
    key : PRNG key
    n_chains, n_steps, start : see :func:`ais`

    Raises
    ------
    SettingError
        If a number is below one, or ``start`` unknown.

    References: Grosse, Ghahramani & Adams (2015); Grosse, Ancha & Roy (2016).
    """
    check_process()
    n_data = check_count("n_data", n_data, "100 is a start.")
    settings = check_settings(n_chains, n_steps, start)
    # The transform's size is the data's: what the decoder puts out for one datum.
    with own_promotion():
        d = jax.eval_shape(lambda z: model.decode(z).mean, jnp.zeros(model.prior.k)).shape[0]
    numbers = np.arange(n_data, dtype=np.float32)[:, None]
    chunk = rows_at_once(model, d, n_chains)
    return Sandwich(*over_rows(_bounds, model, numbers, key=key, chunk=chunk, **settings))


def _bounds(
    model: VAEModel, number: Point, *, key: PRNGKey, n_chains: int, n_steps: int, start: str
) -> tuple[AISEstimate, AISEstimate, Point, Scalar]:
    del number  # data differ by their keys
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
