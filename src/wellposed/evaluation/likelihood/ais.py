"""log p(x) by annealed importance sampling."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from wellposed._budget import at_once
from wellposed._checks import check_count
from wellposed._errors import unknown_name
from wellposed._forks import check_process
from wellposed._typing import Point, PRNGKey
from wellposed.models import Inferred, VAEModel, draw_keys

from .._rows import over_rows
from .annealing_path import STEEP, Path, fit_start, forwards, step_sizes
from .importance_weights import effective_size, log_mean_weight, relative_error

STARTS = ("fitted", "posterior", "prior")
"""Values of ``start`` of :func:`ais`: the distribution of z from which annealing starts."""
_CHAINS = 512  # largest rows × chains of one decoder product


class AISEstimate(eqx.Module):
    """Annealed estimates of log p(x) of each datum, in nats and data units.

    All fields have shape (n,).

    Examples
    --------
    >>> from wellposed.evaluation import ais
    >>> found = ais(model, X[:3], key=key, n_chains=4, n_steps=10)
    >>> bool((found.standard_error > 0).all())
    True
    """

    value: Float[Array, "*batch"]
    standard_error: Float[Array, "*batch"]  # of value, over chains, by the delta method
    effective_sample_size: Float[Array, "*batch"]  # (Σw)² / Σw², between 1 and n_chains
    acceptance: Float[Array, "*batch"]  # share of proposals accepted, over steps and chains


def ais(
    model: VAEModel,
    rows: Any,
    *,
    key: PRNGKey,
    n_chains: int = 16,
    n_steps: int = 200,
    start: str = "fitted",
) -> AISEstimate:
    r"""Estimate log p(x) by annealed importance sampling with HMC.

    Each chain starts from a draw of a tractable density f_0 and ends at f_1 = p(z) p(x | z). The
    densities between them, and the log weight of a chain, are

    .. math:: f_t(z) \propto f_0(z)^{1 - t} (p(z) p(x \mid z))^t, \qquad
       \log w = \sum_i (t_{i+1} - t_i) \log \frac{f_1(z_i)}{f_0(z_i)}

    An HMC transition of ten leapfrog steps, which leaves f_{t_i} invariant, moves each z_i.
    Since E w = p(x), the log of the mean weight is below log p(x) on average: the estimate is a
    stochastic lower bound, and more steps make it tighter. :func:`sandwich` measures the gap. A
    separate pilot walk of a quarter of the steps adapts the step sizes of each datum; the
    estimate uses them unchanged.

    Parameters
    ----------
    model : VAEModel
    rows : array of shape (n, d), data units
    key : PRNG key; the chains of a row depend only on its content and this key
    n_chains : independent chains per row
    n_steps : temperatures; with more of them the time grows and the bias falls
    start : "prior" starts at N(0, I), as in Wu et al. (2017), or, for another prior, at independent
        Gaussians with the moments of its latents; "posterior" starts at q(z | x);
        "fitted" starts at a Gaussian fitted to the end of a pilot walk from q(z | x) with half
        as many steps

    Returns
    -------
    AISEstimate of the n rows

    Raises
    ------
    SettingError
        If a count is below one, or ``start`` is unknown.

    References: Neal (2001); Wu, Burda, Salakhutdinov & Grosse (2017), §4.

    Examples
    --------
    >>> ais(model, X[:3], key=key, n_chains=4, n_steps=10).value.shape
    (3,)
    """
    check_process()
    settings = check_settings(n_chains, n_steps, start)
    chunk = rows_at_once(model, np.asarray(rows).shape[1], n_chains)
    return over_rows(_estimate, model, rows, key=key, chunk=chunk, **settings)


def check_settings(n_chains: int, n_steps: int, start: str) -> dict[str, Any]:
    """Check the settings of a walk and return them as arguments of :func:`over_rows`."""
    if start not in STARTS:
        raise unknown_name("start", start, STARTS)
    return {
        "n_chains": check_count("n_chains", n_chains, "16 is a start."),
        "n_steps": check_count("n_steps", n_steps, "200 is a start."),
        "start": start,
    }


def rows_at_once(model: VAEModel, d: int, n_chains: int) -> int:
    """Number of rows in a chunk."""
    return max(1, at_once(d * model.noise.n_raw, _CHAINS) // n_chains)


def path_of(
    model: VAEModel, inferred: Inferred, n_chains: int, n_steps: int, start: str, *, key: PRNGKey
) -> Path:
    """Return the path of one datum from a start named in ``STARTS``."""
    origin_key, walk_key = jax.random.split(key)
    loc, scale = jnp.asarray(inferred.q.loc), jnp.asarray(inferred.q.scale)
    if start == "prior":
        mean, deviation = model.prior.moments()
        return Path(model, inferred.y, mean, jnp.diag(deviation), STEEP)
    path = Path(model, inferred.y, loc, jnp.diag(scale), STEEP)
    if start == "posterior":
        return path
    origin = jax.random.normal(origin_key, (n_chains, len(loc)))
    return fit_start(path, origin, n_steps, key=walk_key)


def log_mean(log_weight: Float[Array, " s"]) -> tuple[Array, Array, Array]:
    """Return the log of the mean weight, its standard error and the effective sample size."""
    n = len(log_weight)
    log_sum = jax.nn.logsumexp(log_weight)
    size = effective_size(log_sum, jax.nn.logsumexp(2 * log_weight), n)
    return log_mean_weight(log_sum, n), relative_error(size, n), size


def _estimate(
    model: VAEModel, x: Point, *, key: PRNGKey, n_chains: int, n_steps: int, start: str
) -> AISEstimate:
    inferred, (own_key,) = model.infer(x, key=key), draw_keys(key, 1)
    path_key, walk_key = jax.random.split(own_key)
    path = path_of(model, inferred, n_chains, n_steps, start, key=path_key)
    return climb(path, n_chains, n_steps, inferred.log_det, key=walk_key)[0]


def climb(
    path: Path, n_chains: int, n_steps: int, log_det: Array, *, key: PRNGKey
) -> tuple[AISEstimate, Float[Array, " m"]]:
    """Adapt the step sizes, walk forwards with them, and return the estimate and the sizes."""
    pilot_start, pilot_key, start_key, walk_key = jax.random.split(key, 4)
    shape = (n_chains, len(path.loc))
    sizes = step_sizes(path, jax.random.normal(pilot_start, shape), n_steps, key=pilot_key)
    walk = forwards(path, jax.random.normal(start_key, shape), sizes, key=walk_key)
    value, error, size = log_mean(walk.log_weight)
    return AISEstimate(value + log_det, error, size, walk.acceptance.mean()), sizes
