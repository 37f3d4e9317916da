"""What the comparison of priors with the aggregate posterior found, and how to say it."""

import dataclasses
import math

from .._estimate import Estimate

OUTSIDE = 0.05  # share of the codes counted as outlying; of a prior's draws, if it fits, as well
_MANY = 2 * OUTSIDE
_MUCH = 0.5  # nats of mismatch


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
            f"{1 - OUTSIDE:.0%} of the codes ({OUTSIDE:.0%} would, were the two the same)"
        ]
        if share.value > _MANY:
            said[0] += ": the decoder was hardly trained there, and samples suffer."
        elif self.least_mismatch > _MUCH:
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
