"""Check of the variance split: is σ² the mean squared residual?"""

from wellposed.noise import Gaussian, Rescaled

from .._estimate import Estimate
from .._thresholds import CAUTION, FAULT, NOISE_RATIO, OPEN, SOUND, Verdict, is_known
from .evidence import Evidence
from .record import Finding

_QUESTION = "Variance split?"


def check_variance_split(evidence: Evidence) -> Finding:
    """Compare σ² with the mean squared residual, on these rows and on those of the training."""
    here = evidence.split.total_ratio
    there = evidence.train_split.total_ratio if evidence.train_split else None
    figures = _figures(evidence, here, there)
    said = f"The noise variance is {here} of the mean squared residual"
    if there is not None:
        said += f" ({there} of that of the training rows)"
    verdict = _verdict(here, there)
    if verdict == SOUND:
        narrow = here.value < (NOISE_RATIO.tolerable or NOISE_RATIO.sound)[0]
        said += ": too narrow for these rows alone, see below." if narrow else ", as it should be."
        return Finding(_QUESTION, SOUND, said, figures=figures)
    if verdict == OPEN:
        said = f"{said}. {NOISE_RATIO.rows_needed(here, len(evidence.rows))}"
        return Finding(_QUESTION, OPEN, said, "Pass more rows.", figures=figures)
    gain = evidence.split.gain
    worth = "" if gain is None else f" At the best σ² the ELBO gains {gain} nats a datum."
    if not _is_gaussian(evidence):
        return Finding(_QUESTION, CAUTION, f"{said}.{worth}", _HEAVY_TAILS, figures=figures)
    consequence, fault = _LARGE if here.value > 1 else _SMALL
    fault = fault if verdict == FAULT else ""
    return Finding(_QUESTION, verdict, f"{said}: {consequence}{worth}", _REMEDY, fault, figures)


_HEAVY_TAILS = (
    "Heavy tails have this effect, since their variance is that of the outliers: compare with the "
    "calibration below."
)
_REMEDY = 'Let σ² be learned: noise="shared" or "feature".'
_LARGE = (
    "it counts as noise what the latents could explain, and latents whose variance is below it "
    "collapse.",
    "the noise variance is too large",
)
_SMALL = (
    "the decoder has to follow what is noise, and latents carry more information than the data "
    "justify.",
    "the noise variance is too small",
)


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
        return SOUND  # σ² is between the two residuals
    return CAUTION if CAUTION in verdicts else FAULT


def _is_gaussian(evidence: Evidence) -> bool:
    noise = evidence.model.noise
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
