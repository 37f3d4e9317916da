"""How far the prior is from where the data are encoded: KL(q(z) ‖ p(z)) between two bounds."""

from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from wellposed._compiled import compiled_soon
from wellposed._errors import DataError
from wellposed._forks import check_process
from wellposed._typing import Latent, PRNGKey, Scalar
from wellposed.latents import Prior
from wellposed.models import SecondStage, VAEModel

from .._estimate import Estimate
from .._rows import over_rows
from ..likelihood.importance import log_likelihood
from .codes import Codes, codes, log_aggregate
from .prior_record import OUTSIDE, Mismatch, PriorMismatch

_MOST_ROWS = 10_000  # of 10,000² densities: seconds
_DRAWS = 2_000
_SECOND_STAGE_DRAWS = 128


def prior_mismatch(
    model: VAEModel,
    rows: Any,
    *,
    key: PRNGKey,
    priors: Mapping[str, Prior] | None = None,
    most_rows: int = _MOST_ROWS,
) -> PriorMismatch:
    r"""Split the rate of a model on rows of data into information and mismatch.

    With q(z) = E_x q(z | x), the aggregate posterior,

    .. math:: E_x KL(q(z|x) \| p(z)) = I_q(x; z) + KL(q(z) \| p(z))

    The mismatch is the mean of log q(z) − log p(z) over draws z_i ~ q(z | x_i), one a row. What
    q(z_i) is, n rows tell only in part. The mean of q(z_i | x_j) over all j holds the draw's own
    row, so that log q(z_i) comes out too large on average, KL too large and I too small, never
    above log n; leaving the own row out errs to the other side (Jensen). The two bracket the
    truth in expectation. Where the rate exceeds log n the bracket is wide: no distribution-free
    lower bound on I from n rows can pass log n by much (McAllester & Stratos, 2020).

    Parameters
    ----------
    model : VAEModel
    rows : array of shape (n, d), data units; rows that the model was not trained on tell the
        most, and are needed where ``priors`` were fitted to the others
    key : PRNG key
    priors : other priors by name. Those with a ``log_prob`` are measured exactly; a
        :class:`wellposed.models.SecondStage` by importance sampling, whose log density comes out
        too small on average, and its mismatch too large
    most_rows : used at most, spread over the data; time and memory grow with their square

    Raises
    ------
    DataError
        For fewer than two rows.

    References: Hoffman & Johnson (2016), §2; Poole, Ozair, van den Oord, Alemi & Tucker (2019),
    §2.4 for the bracket.
    """
    check_process()
    if len(rows) < 2:
        raise DataError(
            f"A mismatch is estimated from at least 2 rows; got {len(rows)}. Some thousand rows "
            "make a good estimate."
        )
    code_key, prior_key = (jax.random.fold_in(key, i) for i in range(2))
    found = codes(model, rows, key=code_key, most=most_rows)
    return _compared(found, {"standard": model.prior, **(priors or {})}, key=prior_key)


def _compared(found: Codes, priors: Mapping[str, Prior], *, key: PRNGKey) -> PriorMismatch:
    z = found.z
    without = log_aggregate(found, z, leave_out=True)
    n = len(z)
    all_rows = np.logaddexp(without + np.log(n - 1), found.log_density) - np.log(n)
    keys = [jax.random.fold_in(key, i) for i in range(2 * len(priors))]
    log_p = {
        name: _log_densities(prior, z, key=keys[2 * i])
        for i, (name, prior) in enumerate(priors.items())
    }
    # Of mean zero for each row: what one draw of z happened to be, and the rate has averaged out.
    chance = found.log_density - log_p["standard"] - found.rates
    usual = np.quantile(without, OUTSIDE)
    own = log_p["standard"]
    return PriorMismatch(
        n_rows=n,
        rate=estimate(found.rates),
        information=(
            estimate(found.rates - _freed(all_rows - own, chance)),
            estimate(found.rates - _freed(without - own, chance)),
        ),
        priors={
            name: Mismatch(
                low=estimate(without - log_p[name], chance),
                high=estimate(all_rows - log_p[name], chance),
                log_density=estimate(log_p[name], chance),
                gain=estimate(log_p[name] - log_p["standard"], chance),
                outside=_share_below(usual, found, prior, key=keys[2 * i + 1]),
            )
            for i, (name, prior) in enumerate(priors.items())
        },
    )


def estimate(values: np.ndarray, chance: np.ndarray | None = None) -> Estimate:
    """Mean and standard error over rows, freed of what ``chance``, of mean zero, explains.

    That the rows also make up q(z) adds nothing to the error at first order: the influence of
    one row on E log q(z) that way is ∫ q(z | x) dz, the same for all.
    """
    values = values if chance is None else _freed(values, chance)
    return Estimate(float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values))))


def _freed(values: np.ndarray, chance: np.ndarray) -> np.ndarray:
    if not chance.var() > 0:
        return values
    return values - np.cov(values, chance, bias=True)[0, 1] / chance.var() * chance


def _log_densities(prior: Any, z: np.ndarray, *, key: PRNGKey) -> np.ndarray:
    if isinstance(prior, SecondStage):
        found = log_likelihood(prior.model, z, n_samples=_SECOND_STAGE_DRAWS, key=key).value
    else:
        found = over_rows(_log_density, prior, z, key=key)
    return np.asarray(found, np.float64)


def _log_density(prior: Any, z: Latent, *, key: PRNGKey) -> Scalar:
    del key
    return prior.log_prob(z)


def _share_below(usual: float, found: Codes, prior: Prior, *, key: PRNGKey) -> Estimate:
    """Share of draws from a prior where q(z) is below a value, and its standard error."""
    drawn = np.asarray(_drawn(prior, key), np.float64)
    return estimate((log_aggregate(found, drawn) < usual).astype(np.float64))


@compiled_soon
def _drawn(prior: Prior, key: PRNGKey) -> jax.Array:
    return jax.vmap(lambda key: prior.sample(key=key))(jax.random.split(key, _DRAWS))
