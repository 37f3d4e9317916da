"""How far the prior is from where the data are encoded: KL(q(z) ‖ p(z)) between two bounds."""

import dataclasses
import math
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
from .._thresholds import MISMATCH, OPEN, OUTSIDE, OUTSIDE_IDEAL, Verdict, prior_verdict
from ..likelihood.importance import log_likelihood
from .codes import Codes, codes, log_aggregate

_MOST_ROWS = 10_000  # of 10,000² densities: seconds
_DRAWS = 2_000
_SECOND_STAGE_DRAWS = 128


@dataclasses.dataclass(frozen=True)
class Mismatch:
    """One prior r(z) against the aggregate posterior q(z), in nats a datum.

    ``low`` and ``high`` bracket KL(q(z) ‖ r(z)) in expectation; ``low``, like its estimate, may be
    negative. ``log_density`` is E log r(z) over z ~ q(z), and ``gain`` its excess over that of the
    model's own prior: a mismatch taken away. ``outside`` is the share of draws from r where q(z)
    is smaller than at 95 % of the codes: 0.05 if r = q.
    """

    low: Estimate
    high: Estimate
    log_density: Estimate
    gain: Estimate
    outside: Estimate


@dataclasses.dataclass(frozen=True)
class PriorMismatch:
    """The rate, split into information and mismatch; nats a datum.

    ``information`` is the low and the high end of I(x; z), each with its standard error;
    ``priors`` holds a :class:`Mismatch` a prior, "standard" the model's own among them.
    """

    n_rows: int
    rate: Estimate
    information: tuple[Estimate, Estimate]
    priors: dict[str, Mismatch]

    @property
    def mismatch(self) -> tuple[float, float]:
        """Low and high end of KL(q(z) ‖ p(z)) for the model's own prior."""
        own = self.priors["standard"]
        return own.low.value, own.high.value

    @property
    def mutual_information(self) -> tuple[float, float]:
        """Low and high end of I(x; z): the rate less the mismatch."""
        low, high = self.mismatch
        return self.rate.value - high, self.rate.value - low

    @property
    def least_mismatch(self) -> float:
        """Best lower bound on KL(q(z) ‖ p(z)): it is no smaller than any prior's gain, nor zero.

        KL(q‖p) − KL(q‖r) is the gain of r, for an r not fitted to these rows.
        """
        gains = [prior.gain.value for prior in self.priors.values()]
        return max(0.0, self.mismatch[0], *gains)

    @property
    def saturated(self) -> bool:
        """Whether the rows are too few to show the information: I is within 0.1 of log n."""
        return self.mutual_information[0] > math.log(self.n_rows) - 0.1

    @property
    def judgement(self) -> Verdict:
        """Verdict on the match of q(z) and p(z): "sound", "caution", "open" or "fault".

        "open" if a figure is not finite, or the rows are too few to bound the mismatch.
        """
        own = self.priors["standard"]
        ends = [own.low.value, own.high.value, *(p.gain.value for p in self.priors.values())]
        low = self.least_mismatch if np.isfinite(ends).all() else math.nan
        return prior_verdict(low, own.high.value, self.rate.value, own.outside.value)

    def __str__(self) -> str:
        return " ".join([*self._split(), *self._own(), *self._others()])

    def _split(self) -> list[str]:
        information, high = self.mutual_information[0], self.mismatch[1]
        low = self.least_mismatch
        said = [
            f"The rate is {self.rate} nats a datum, over {self.n_rows} rows: the information "
            f"that z carries about x, {max(information, 0):.3g} to {self.rate.value - low:.3g} "
            f"nats, and the mismatch KL(q(z) ‖ p(z)) of the data's codes with N(0, I), "
            f"{low:.3g} to {max(high, low):.3g} nats."
        ]
        if self.saturated:
            said.append(
                f"No {self.n_rows} rows can show more information than their log, "
                f"{math.log(self.n_rows):.3g} nats, and this model reaches it: the upper end of "
                "the mismatch is a bound and no estimate."
            )
        return said

    def _own(self) -> list[str]:
        share = self.priors["standard"].outside
        said = [
            f"{_percent(share)} of the draws from N(0, I) lie outside the region that holds "
            f"{1 - OUTSIDE_IDEAL:.0%} of the codes ({OUTSIDE_IDEAL:.0%} would if "
            "the two were the same)"
        ]
        if self.judgement == OPEN:
            said[0] += f". {self.n_rows} rows cannot tell how far the codes are from N(0, I)."
            return said
        if share.value > OUTSIDE:
            said[0] += ": the decoder was hardly trained there, and samples suffer."
        elif self.least_mismatch > MISMATCH:
            said[0] += ", but the draws seldom reach where many of the codes are."
        else:
            said[0] += ": sampling from N(0, I) asks the decoder for little that it never saw."
            return said
        return [*said, 'Draw z from the codes\' own distribution: sample(prior="aggregate").']

    def _others(self) -> list[str]:
        return [
            f"Prior {name!r}: {prior.gain} nats more log density on the codes than N(0, I), a "
            f"mismatch of at most {max(prior.high.value, 0):.3g} nats, and "
            f"{_percent(prior.outside)} of its draws outside."
            for name, prior in self.priors.items()
            if name != "standard"
        ]


def _percent(share: Estimate) -> str:
    return f"{100 * share.value:.3g}%"


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
    noise_key = jax.random.fold_in(code_key, 1)
    some = codes(model, rows, key=key, most=most_rows, noise_key=noise_key)
    return _compare(some, {"standard": model.prior, **(priors or {})}, key=prior_key)


def _compare(found: Codes, priors: Mapping[str, Prior], *, key: PRNGKey) -> PriorMismatch:
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
    usual = np.quantile(without, OUTSIDE_IDEAL)
    own = log_p["standard"]
    return PriorMismatch(
        n_rows=n,
        rate=Estimate.of(found.rates),
        information=(
            Estimate.of(found.rates - _freed(all_rows - own, chance)),
            Estimate.of(found.rates - _freed(without - own, chance)),
        ),
        priors={
            name: Mismatch(
                low=_estimate(without - log_p[name], chance),
                high=_estimate(all_rows - log_p[name], chance),
                log_density=_estimate(log_p[name], chance),
                gain=_estimate(log_p[name] - log_p["standard"], chance),
                outside=_share_below(usual, found, prior, key=keys[2 * i + 1]),
            )
            for i, (name, prior) in enumerate(priors.items())
        },
    )


def _estimate(values: np.ndarray, chance: np.ndarray) -> Estimate:
    """Mean and standard error over rows, freed of what ``chance``, of mean zero, explains.

    That the rows also make up q(z) adds nothing to the error at first order: the influence of
    one row on E log q(z) that way is ∫ q(z | x) dz, the same for all.
    """
    return Estimate.of(_freed(values, chance))


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
    return Estimate.of(log_aggregate(found, drawn) < usual)


@compiled_soon
def _drawn(prior: Prior, key: PRNGKey) -> jax.Array:
    return jax.vmap(lambda key: prior.sample(key=key))(jax.random.split(key, _DRAWS))
