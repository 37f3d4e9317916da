"""Does the noise keep the variance that the likelihood wants it to keep?"""

from wellposed.noise import Gaussian, Rescaled

from .._estimate import Estimate
from .evidence import Evidence
from .judge import beyond, rows_needed
from .record import CAUTION, FAULT, OPEN, SOUND, Finding

_OFF = 1.5
_QUESTION = "Variance split?"


def variance_split(evidence: Evidence) -> Finding:
    """Is σ² the mean squared residual, on the rows at hand and on those of the training?"""
    here = evidence.split.total_ratio
    there = evidence.train_split.total_ratio if evidence.train_split else None
    figures = _figures(evidence, here, there)
    told = f"The noise variance is {here} of the mean squared residual"
    if there is not None:
        told += f" ({there} of that of the training rows)"
    side = _side(here, there)
    if side == 0:
        narrow = here.value < 1 / _OFF
        rest = ": too narrow for these rows alone, see below." if narrow else ", as it should be."
        return Finding(_QUESTION, SOUND, told + rest, figures=figures)
    if side is None:
        needed = rows_needed(here, 1 / _OFF, _OFF, len(evidence.rows))
        return Finding(_QUESTION, OPEN, f"{told}. {needed}", figures=figures)
    gain = evidence.split.gain
    worth = "" if gain is None else f" At the best σ² the ELBO gains {gain} nats a datum."
    if not _is_gaussian(evidence):
        return Finding(_QUESTION, CAUTION, f"{told}.{worth}", _CHECK, figures=figures)
    said, remedy, fault = _LARGE if side > 0 else _SMALL
    return Finding(_QUESTION, FAULT, f"{told}: {said}{worth}", remedy, fault, figures)


_CHECK = "Heavy tails do this, where variances are of the outliers: judge by the calibration below."
_LARGE = (
    "it takes for noise what the latents could explain, and latents whose variance is below it "
    "die.",
    'Let σ² be learned: noise="shared" or "feature".',
    "the noise variance is too large",
)
_SMALL = (
    "the decoder is forced to follow what is noise, and latents are paid too well.",
    'Let σ² be learned: noise="shared" or "feature".',
    "the noise variance is too small",
)


def _side(here: Estimate, there: Estimate | None) -> int | None:
    """1 or −1 where σ² is off on all rows, zero where not, None where these cannot tell."""
    verdicts = [beyond(found, 1 / _OFF, _OFF) for found in (here, there) if found is not None]
    above = [found.value > 1 for found in (here, there) if found is not None]
    if SOUND in verdicts or len(set(above)) > 1:
        return 0
    if OPEN in verdicts:
        return None
    return 1 if above[0] else -1


def _is_gaussian(evidence: Evidence) -> bool:
    noise = evidence.model.noise
    return isinstance(noise.noise if isinstance(noise, Rescaled) else noise, Gaussian)


def _figures(evidence: Evidence, here: Estimate, there: Estimate | None) -> dict[str, float]:
    split = evidence.split
    found = {
        "σ² over mean squared residual": here.value,
        "its standard error": here.standard_error,
        "share of the variance explained": split.posterior.share_explained.value,
        "share kept by the noise": split.posterior.share_kept.value,
        "share explained by pPCA": split.linear_shares[0],
    }
    if there is not None:
        found["the same, training rows"] = there.value
    if split.gain is not None:
        found["ELBO to gain, nats"] = split.gain.value
    return found
