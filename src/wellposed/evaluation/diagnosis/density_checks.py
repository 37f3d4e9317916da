"""Checks of the density: is it bounded, in data units, and with the noise of the training?"""

import math

import jax
import jax.numpy as jnp
import numpy as np

from wellposed._errors import named_features
from wellposed._typing import Point, PRNGKey, Scalar
from wellposed.models import VAEModel

from .._passes import mean_noise_variance
from .._rows import over_rows
from .._thresholds import CAUTION, FAULT, JACOBIAN, NOISE_RATIO, OPEN, REFITTED, SOUND, is_known
from .evidence import Evidence
from .record import Finding

_JACOBIAN_ROWS = 20
_BOUND_ROWS = 256
_CLEAR = 4.0  # standard errors by which the training rows' ratio must differ


def check_bound(evidence: Evidence) -> Finding:
    """Check that the log density has a finite bound, and that σ is above its floor."""
    model, question = evidence.model, "Bounded?"
    bound = model.log_density_bound(evidence.d)
    if not math.isfinite(bound):
        return Finding(
            question,
            FAULT,
            "The log density has no upper bound: σ can shrink to zero on one datum, so that "
            "maximum likelihood has no maximum and log p means nothing.",
            'Leave the noise\'s floor to the data, or give a positive resolution; "shared" or '
            '"feature" noise is the safer start.',
            "the likelihood is unbounded",
            {"log density bound": bound},
        )
    variance = np.asarray(
        mean_noise_variance(model, evidence.rows[:_BOUND_ROWS], key=evidence.key(8))
    )
    at_floor = model.noise.on_floor(variance)
    said = f"No log density of this model exceeds {bound:.6g} nats."
    figures = {"log density bound": bound, "features on the floor": float(len(at_floor))}
    if np.isnan(variance).any():
        said += " The noise variance is not a number on some of these rows."
        return Finding(question, OPEN, said, "Train again, with a lower rate.", figures=figures)
    if not at_floor:
        return Finding(question, SOUND, said, figures=figures)
    return Finding(
        question,
        CAUTION,
        f"{said} The noise is at its floor, the rounding of the measurement, in "
        f"{named_features(np.asarray(at_floor))}: the density there measures the rounding.",
        "Use a discretised family, fewer latents, or a finer resolution if the data have one.",
        figures=figures,
    )


def check_jacobian(evidence: Evidence) -> Finding:
    """Check the log determinant of the transform against its derivative."""
    question = "In data units?"
    rows = evidence.rows[:_JACOBIAN_ROWS]
    reported, actual = over_rows(_log_dets, evidence.model, rows, key=evidence.key(9))
    error = float(np.abs(np.asarray(reported, np.float64) - actual).max())
    figures = {"largest error of log |det J|, nats": error}
    if not math.isfinite(error):
        said = "The log determinant of the transform is not finite on some of these rows."
        remedy = "Leave out rows outside the transform's domain."
        return Finding(question, OPEN, said, remedy, figures=figures)
    # Float32 loses digits where the logarithm is large.
    if error <= JACOBIAN * evidence.d + 1e-5 * float(np.abs(actual).max()):
        said = "The transform's log determinant is that of its derivative."
        return Finding(question, SOUND, said, figures=figures)
    return Finding(
        question,
        FAULT,
        f"The log |det dT/dx| of the transform differs by up to {error:.4g} nats a datum from "
        "its derivative, so that no value is a density of the data.",
        "Correct the transform's log_det, or use one of wellposed.transforms.",
        "the transform's Jacobian is wrong",
        figures,
    )


def _log_dets(model: VAEModel, x: Point, *, key: PRNGKey) -> tuple[Scalar, Scalar]:
    """Log determinants: as reported, and of the Jacobian, features one at a time."""

    def forward(value: Point) -> Point:
        return model.to_model_units(value, key=key).value

    # All transforms act on each feature alone, so that one tangent shows the whole diagonal.
    _, slope = jax.jvp(forward, (x,), (jnp.ones_like(x),))
    return model.to_model_units(x, key=key).log_det, jnp.log(jnp.abs(slope)).sum()


def check_refit(evidence: Evidence) -> Finding:
    """Check that σ² was not fitted to the rows that it is scored on."""
    question, remedy = "Noise as trained?", "Pass the training rows too."
    if evidence.train_split is None:
        said = "Only beside rows of the training is it visible whether σ² was fitted to these rows."
        return Finding(question, OPEN, said, remedy)
    here, there = evidence.split.total_ratio, evidence.train_split.total_ratio
    figures = {"σ² over residual, these rows": here.value, "training rows": there.value}
    if not (is_known(here) and is_known(there) and here.value > 0):
        said = "The ratio of σ² and the mean squared residual is not finite and positive."
        return Finding(question, OPEN, said, "Look at the variance split below.", figures=figures)
    differs = max(NOISE_RATIO.sound[1], 1 + _CLEAR * there.standard_error)
    if abs(math.log(here.value)) < REFITTED and there.value > differs:
        return Finding(
            question,
            FAULT,
            f"σ² is the mean squared residual of these rows ({here.value:.4f} of it), but "
            f"{there} of that of the training rows: it was fitted to the rows that it is "
            "evaluated on, and the scores are too good.",
            "Score with the σ² of the training; never refit it on held-out rows.",
            "the noise was refitted on the rows being scored",
            figures,
        )
    said = "σ² is not the mean squared residual of the rows being scored alone."
    return Finding(question, SOUND, said, figures=figures)
