"""The thresholds that turn a figure into a verdict, and the rules that apply them.

Calibration, the variance split, the comparison of priors, the audit and the diagnosis take their
verdicts from this module, so that no two of them contradict each other. The verdict "fault" needs
a figure that is certainly outside its band, and the verdict "sound" needs enough rows to detect a
fault. Every other figure, and every figure that is missing or not finite, is "open": the rows are
too few to decide.
"""

import dataclasses
import math
from typing import Final, Literal

import numpy as np

from ._estimate import Estimate

Verdict = Literal["sound", "caution", "open", "fault"]
SOUND: Final = "sound"
CAUTION: Final = "caution"
OPEN: Final = "open"
FAULT: Final = "fault"

_LIKELY = 2.0  # smallest distance of a sound figure from the edges of its band, standard errors
_HOPELESS = 100  # times the rows at hand: beyond, no number of rows is named


@dataclasses.dataclass(frozen=True)
class Band:
    """Values of a figure that are sound, and values that are tolerable.

    Outside ``tolerable`` a figure is a fault; between the two bands it is a caution.

    Parameters
    ----------
    ideal : value of a model without fault, in the figure's unit
    sound : lowest and highest sound value
    tolerable : lowest and highest value that is no fault; those of ``sound`` by default
    clear : standard errors by which a figure that is certain is outside a band
    """

    ideal: float
    sound: tuple[float, float]
    tolerable: tuple[float, float] | None = None
    clear: float = 3.0

    def verdict(self, figure: Estimate) -> Verdict:
        """Compare a figure with the bands.

        A figure in the sound band is sound if it is two standard errors from both edges, or if
        two standard errors are less than the distance from the ideal value to an edge.

        Parameters
        ----------
        figure : in the unit of the bands

        Examples
        --------
        >>> band = Band(1.0, (0.9, 1.1), (0.5, 1.5))
        >>> [band.verdict(Estimate(value, 0.02)) for value in (1.05, 1.3, 1.7)]
        ['sound', 'caution', 'fault']
        >>> band.verdict(Estimate(1.05, 0.5)), band.verdict(Estimate(math.nan, 0.02))
        ('open', 'open')
        """
        if not is_known(figure):
            return OPEN
        away, error = self._outside(figure.value), figure.standard_error
        if away > 0:
            intolerable = _distance(figure.value, self.tolerable or self.sound) > 0
            return OPEN if away < self.clear * error else FAULT if intolerable else CAUTION
        return SOUND if _LIKELY * error <= self._slack(figure) else OPEN

    def is_off(self, figure: Estimate) -> bool:
        """Whether a figure is outside the sound band for certain, be it a fault or not.

        Parameters
        ----------
        figure : in the unit of the bands
        """
        away = _distance(figure.value, self.sound)
        return is_known(figure) and away > 0 and away >= self.clear * figure.standard_error

    def rows_needed(self, figure: Estimate, n_rows: int) -> str:
        """Return a sentence: the number of rows that would decide the verdict of an open figure.

        Parameters
        ----------
        figure : an open figure, measured on ``n_rows`` rows
        n_rows : number of rows, ≥ 1
        """
        cannot = f"{n_rows} rows cannot settle this"
        if not is_known(figure):
            return f"{cannot}: the figure is not finite."
        away = self._outside(figure.value)
        errors, room = (self.clear, away) if away > 0 else (_LIKELY, self._slack(figure))
        if room <= 0:
            return f"{cannot}."
        needed = math.ceil(n_rows * (errors * figure.standard_error / room) ** 2)
        if needed > _HOPELESS * n_rows:
            return f"{cannot}: the figure is at the limit of what is tolerable."
        return f"{cannot}; some {float(f'{needed:.2g}'):,.0f} would."

    def _outside(self, value: float) -> float:
        """Distance to the tolerable band, or, within it, to the sound band."""
        return _distance(value, self.tolerable or self.sound) or _distance(value, self.sound)

    def _slack(self, figure: Estimate) -> float:
        """Distance to the nearest edge: the larger of the figure's and the ideal value's."""
        low, high = self.sound
        return max(min(at - low, high - at) for at in (figure.value, self.ideal))


def is_known(figure: Estimate) -> bool:
    """Whether a figure and its standard error are finite.

    Parameters
    ----------
    figure : Estimate
    """
    return math.isfinite(figure.value) and math.isfinite(figure.standard_error)


def _distance(value: float, band: tuple[float, float]) -> float:
    return max(value - band[1], band[0] - value, 0.0)


# Coverage of central 90 % intervals of p(x | z).
COVERAGE = Band(0.9, (0.87, 0.93), (0.8, 0.97))
# σ² over the mean squared residual. A factor of 1.1 costs 0.0024 nats a feature, 1.5 costs 0.05.
NOISE_RATIO = Band(1.0, (1 / 1.1, 1.1), (1 / 1.5, 1.5))
# Variance of the model's own draws over that of the data.
DRAWN_VARIANCE = Band(1.0, (1 / 1.1, 1.1), (1 / 1.5, 1.5))
# Implied weight of the KL; below WEIGHTLESS the KL has no weight at all.
KL_WEIGHT = Band(1.0, (1 / 1.5, 1.5))
WEIGHTLESS = 0.03
# ELBO of the training rows less that of other rows, nats a feature.
OVERFITTING = Band(0.0, (-math.inf, 0.1))

# KL(q(z) ‖ p(z)) above which it is a caution, nats, and above which it is a fault: the larger of a
# number of nats and a share of the rate.
MISMATCH, MUCH_MISMATCH, MUCH_OF_THE_RATE = 0.5, 2.0, 0.15
# Share of the draws of a prior outside the region of the codes; OUTSIDE_IDEAL if q(z) = p(z).
OUTSIDE_IDEAL, OUTSIDE = 0.05, 0.1

# Information of z on a covariate of a conditional model, as a share of its entropy; at a fault the
# covariate is known from z about as well as from itself.
DEPENDENCE = Band(0.0, (-math.inf, 0.05), (-math.inf, 0.5))

# VAE − rival, held-out log p(x): a difference below this many nats a feature is none, and a larger
# one is certain beyond so many standard errors.
SLIGHT, CLEAR = 0.005, 2.0

# Pareto k̂ above which a mean of importance weights is unreliable, and the largest share of such
# rows.
PARETO_K, UNTRUSTED_ROWS = 0.7, 0.05
# Effective draws below which one draw dominates: an error of a third of a nat.
EFFECTIVE_DRAWS = 10.0
# R̂ of chains that have not mixed.
MIXED = 1.05

# A latent is collapsed if its KL is below EPSILON nats on a share 1 − DELTA of the rows, and
# active if the variance of its posterior mean exceeds ACTIVE.
EPSILON, DELTA, ACTIVE = 0.01, 0.01, 0.01
# Smallest σ of q, in units of the prior's, above which σ has a floor, in latents whose posterior
# mean has a variance above MOVES.
POSTERIOR_FLOOR, MOVES = 0.95, 0.1

# Largest error of log |det dT/dx| from the rounding of float32, nats a feature.
JACOBIAN = 1e-3
# Largest |log σ²/residual| of a σ² that was fitted to the same rows.
REFITTED = 0.03


def room_for_a_latent(beta: float) -> Band:
    """Return the band of the largest residual eigenvalue over σ².

    Above β, another latent could become active.

    Parameters
    ----------
    beta : weight of the KL
    """
    return Band(beta, (-math.inf, beta), clear=2.0)


def prior_verdict(low: float, high: float, rate: float, outside: float) -> Verdict:
    """Compare the mismatch of q(z) and p(z) with its thresholds.

    Parameters
    ----------
    low, high : ends of the bracket of KL(q(z) ‖ p(z)), nats a datum
    rate : mean KL(q(z | x) ‖ p(z)), nats a datum
    outside : share of the draws of p(z) outside the region of the codes

    Examples
    --------
    >>> prior_verdict(0.1, 0.3, 8.0, 0.05), prior_verdict(0.1, 6.0, 8.0, 0.05)
    ('sound', 'open')
    """
    if not all(map(math.isfinite, (low, high, rate, outside))):
        return OPEN
    much = max(MUCH_MISMATCH, MUCH_OF_THE_RATE * rate)
    if low > much and outside > OUTSIDE:
        return FAULT
    if low > MISMATCH or outside > OUTSIDE:
        return CAUTION
    return OPEN if high > much else SOUND


Reading = Literal["better", "worse", "as good", "not distinguishable"]


def compare_densities(difference: Estimate, n_features: int) -> Reading:
    """Read the paired difference of two held-out log densities, first less second.

    Parameters
    ----------
    difference : nats a row
    n_features : number of features that vary, d

    Examples
    --------
    >>> [compare_densities(Estimate(value, 0.5), 10) for value in (-1.1, 0.9, 1.1)]
    ['worse', 'not distinguishable', 'better']
    >>> compare_densities(Estimate(0.01, 0.02), 10)
    'as good'
    """
    slight, clear = SLIGHT * n_features, CLEAR * difference.standard_error
    if not is_known(difference):
        return "not distinguishable"
    if abs(difference.value) > max(slight, clear):
        return "better" if difference.value > 0 else "worse"
    return "as good" if clear <= slight else "not distinguishable"


def weights_verdict(pareto_k: np.ndarray) -> Verdict:
    """Verdict on means of importance weights.

    Parameters
    ----------
    pareto_k : array of shape (n,), Pareto k̂ of each row

    Examples
    --------
    >>> weights_verdict(np.array([0.3, 0.9])), weights_verdict(np.array([0.3, np.nan]))
    ('caution', 'open')
    """
    if not np.isfinite(pareto_k).all():
        return OPEN
    return CAUTION if float(np.mean(pareto_k > PARETO_K)) > UNTRUSTED_ROWS else SOUND
