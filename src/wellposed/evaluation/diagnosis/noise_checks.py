"""Check of the variance split: comparison of σ² with the mean squared residual."""

import numpy as np

from wellposed.noise import Gaussian, Rescaled

from .._estimate import Estimate
from .._thresholds import (
    CAUTION,
    DRAWN_VARIANCE,
    FAULT,
    NOISE_RATIO,
    OPEN,
    SOUND,
    Verdict,
    is_known,
)
from .evidence import Evidence
from .record import MORE_ROWS, Finding

_QUESTION = "Variance split?"


def check_variance_split(evidence: Evidence) -> Finding:
    """Compare σ² with the mean squared residual, on the evaluation and on the training rows.

    Parameters
    ----------
    evidence : measures of the model
    """
    here = evidence.split.total_ratio
    there = evidence.train_split.total_ratio if evidence.train_split else None
    figures = _figures(evidence, here, there)
    answer = f"The noise variance is {here} of the mean squared residual"
    if there is not None:
        answer += f" ({there} of that of the training rows)"
    verdict = _verdict(here, there)
    foremost = _foremost(evidence, evidence.split.noise_excess)
    if verdict == SOUND:
        narrow = here.value < (NOISE_RATIO.tolerable or NOISE_RATIO.sound)[0]
        answer += ": too small for these rows only, see below." if narrow else ", as it should be."
        return Finding(_QUESTION, SOUND, answer, figures=figures)
    if verdict == OPEN:
        answer = f"{answer}.{foremost} {NOISE_RATIO.rows_needed(here, len(evidence.rows))}"
        return Finding(_QUESTION, OPEN, answer, MORE_ROWS, figures=figures)
    gain = evidence.split.gain
    increase = "" if gain is None else f" At the best σ² the ELBO is higher by {gain} nats a datum."
    if not _is_gaussian(evidence):
        answer = f"{answer}.{foremost}{increase}"
        return Finding(_QUESTION, CAUTION, answer, _HEAVY_TAILS, figures=figures)
    consequence, fault = _LARGE if here.value > 1 else _SMALL
    fault = fault if verdict == FAULT else ""
    return Finding(
        _QUESTION, verdict, f"{answer}: {consequence}{foremost}{increase}", _REMEDY, fault, figures
    )


def check_drawn_variance(evidence: Evidence) -> Finding:
    """Compare the variance of the model's own draws with that of the data.

    Parameters
    ----------
    evidence : measures of the model
    """
    question, split = "Draws as varied as the data?", evidence.split
    share, coded = split.prior.share, split.posterior.share
    figures = {
        "variance of draws over that of the data": share.value,
        "its standard error": share.standard_error,
        "the same, z from the codes": coded.value,
    }
    verdict, foremost = DRAWN_VARIANCE.verdict(share), _foremost(evidence, split.drawn_excess)
    if verdict == SOUND:
        return Finding(question, SOUND, split.drawn, figures=figures)
    if verdict == OPEN:
        needed = DRAWN_VARIANCE.rows_needed(share, len(evidence.rows))
        answer = (
            f"The variance of the model's own draws is {share} of the data's.{foremost} {needed}"
        )
        return Finding(question, OPEN, answer, MORE_ROWS, figures=figures)
    answer = split.drawn + foremost
    if evidence.model.noise.heavy_tailed:
        remedy = "A few draws dominate the variance under heavy tails: compare quantiles."
        return Finding(question, CAUTION, answer, remedy, figures=figures)
    side = "much" if share.value > 1 else "little"
    remedy = _REMEDIES_OF_DRAWS[side]
    if split.prior_is_cause:
        remedy = evidence.mismatch.remedy
    fault = f"draws have too {side} variance" if verdict == FAULT else ""
    return Finding(question, verdict, answer, remedy, fault, figures)


_REMEDIES_OF_DRAWS = {
    "much": (
        'Learn σ², with noise="shared" or "feature", and hold rows out, with a validation_fraction '
        "and patience: far from the training rows networks can put out anything."
    ),
    "little": (
        "Use narrower layers, weight_decay, or a validation_fraction with patience, so that σ² is "
        "not fitted to learned noise; recalibrate() on further held-out rows widens it."
    ),
}
_HEAVY_TAILS = (
    "Heavy tails can have this effect, since outliers dominate their variance. Compare with the "
    "calibration below."
)
_REMEDY = 'Learn σ², with noise="shared" or "feature".'
_LARGE = (
    "it includes variance that the latents could explain, and latents that explain less variance "
    "than it collapse.",
    "the noise variance is too large",
)
_SMALL = (
    "the decoder has to fit noise, and the latents have more information than the data justify.",
    "the noise variance is too small",
)


_MOSTLY = 0.5  # share of a difference


def _foremost(evidence: Evidence, excess: np.ndarray) -> str:
    """Return a sentence on the feature that has most of a difference; empty where none has.

    Parameters
    ----------
    evidence : measures of the model
    excess : difference of each feature, shape (d,)
    """
    size = np.abs(excess)
    j = int(size.argmax())
    share = size[j] / size.sum() if size.sum() > 0 else 0.0
    if len(size) < 3 or not share > _MOSTLY:
        return ""
    sentence = f" {share:.0%} of the difference is that of {evidence.name(j)}"
    if evidence.stands_apart(j):
        sentence += (
            ", where some values stand apart from all others: correct them if they are codes or "
            "errors, and fit again"
        )
    return f"{sentence}."


def _verdict(here: Estimate, there: Estimate | None) -> Verdict:
    """Return the verdict that both kinds of rows support: the milder one, if they agree."""
    ratios = [ratio for ratio in (here, there) if ratio is not None]
    verdicts = [NOISE_RATIO.verdict(ratio) for ratio in ratios]
    if not all(map(is_known, ratios)):
        return OPEN
    if SOUND in verdicts:
        return SOUND
    if OPEN in verdicts:
        return OPEN
    if len({ratio.value > 1 for ratio in ratios}) > 1:
        return SOUND  # σ² is between the two mean squared residuals
    return CAUTION if CAUTION in verdicts else FAULT


def _is_gaussian(evidence: Evidence) -> bool:
    noise = evidence.model.noise.whole
    return isinstance(noise.noise if isinstance(noise, Rescaled) else noise, Gaussian)


def _figures(evidence: Evidence, here: Estimate, there: Estimate | None) -> dict[str, float]:
    split = evidence.split
    figures = {
        "σ² over mean squared residual": here.value,
        "its standard error": here.standard_error,
        "share of the variance explained": split.posterior.share_explained.value,
        "share kept by the noise": split.posterior.share_kept.value,
        "share explained by pPCA": split.linear_shares[0],
    }
    if there is not None:
        figures["the same, training rows"] = there.value
    if split.gain is not None:
        figures["ELBO to gain, nats"] = split.gain.value
    return figures
