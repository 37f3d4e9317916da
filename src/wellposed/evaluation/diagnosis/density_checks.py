"""Checks of the density: its bound, its units, and the origin of its noise variance."""

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
_CLEAR = 4.0  # standard errors by which the ratio of the training rows must differ from one


def check_bound(evidence: Evidence) -> Finding:
    """Check that the log density has a finite bound, and that σ is above its floor.

    Parameters
    ----------
    evidence : measures of the model
    """
    model, question = evidence.model, "Bounded?"
    bound = model.log_density_bound(evidence.d)
    if not math.isfinite(bound):
        return Finding(
            question,
            FAULT,
            "The log density has no upper bound: σ can approach zero at one datum, so that the "
            "likelihood has no maximum and log p has no meaning.",
            "Use the default floor of the noise, which the data determine, or a positive "
            'resolution. Start with "shared" or "feature" noise.',
            "the likelihood is unbounded",
            {"log density bound": bound},
        )
    variance = np.asarray(
        mean_noise_variance(model, evidence.rows[:_BOUND_ROWS], key=evidence.key(8))
    )
    at_floor = model.noise.on_floor(variance)
    answer = f"The log density of this model is at most {bound:.6g} nats."
    figures = {"log density bound": bound, "features on the floor": float(len(at_floor))}
    if np.isnan(variance).any():
        answer += " The noise variance is not a number on some of these rows."
        remedy = "Train again with a lower learning rate."
        return Finding(question, OPEN, answer, remedy, figures=figures)
    if not at_floor:
        return Finding(question, SOUND, answer, figures=figures)
    return Finding(
        question,
        CAUTION,
        f"{answer} The noise is at its floor, the rounding of the measurement, in "
        f"{named_features(np.asarray(at_floor), names=evidence.names)}: the density of these "
        "depends on the rounding.",
        "Use a discretised family, fewer latents, or a finer resolution if the data have one; of "
        'codes, kind="category" of the schema.',
        figures=figures,
    )


def check_jacobian(evidence: Evidence) -> Finding:
    """Check the log determinant of the transform against its derivative.

    Parameters
    ----------
    evidence : measures of the model
    """
    question = "In data units?"
    rows = evidence.rows[:_JACOBIAN_ROWS]
    reported, actual = over_rows(_log_dets, evidence.model, rows, key=evidence.key(9))
    error = float(np.abs(np.asarray(reported, np.float64) - actual).max())
    figures = {"largest error of log |det J|, nats": error}
    if not math.isfinite(error):
        answer = "The log determinant of the transform is not finite on some of these rows."
        remedy = "Remove rows outside the domain of the transform."
        return Finding(question, OPEN, answer, remedy, figures=figures)
    # The rounding error of float32 grows with the logarithm.
    if error <= JACOBIAN * evidence.d + 1e-5 * float(np.abs(actual).max()):
        answer = "The log determinant of the transform agrees with its derivative."
        return Finding(question, SOUND, answer, figures=figures)
    return Finding(
        question,
        FAULT,
        f"The log |det dT/dx| of the transform differs from its derivative by up to {error:.4g} "
        "nats a datum, so that p(x) is not a density in data units.",
        "Correct the transform's log_det, or use one of wellposed.transforms.",
        "the transform's Jacobian is wrong",
        figures,
    )


def _log_dets(model: VAEModel, x: Point, *, key: PRNGKey) -> tuple[Scalar, Scalar]:
    """Log determinant that the transform reports, and that of its Jacobian."""

    def forward(value: Point) -> Point:
        return model.to_model_units(value, key=key).value

    # Each transform acts on features separately: one tangent has the whole diagonal.
    y, slope = jax.jvp(forward, (x,), (jnp.ones_like(x),))
    each = jnp.where(model.noise.at_limit(y), 0.0, jnp.log(jnp.abs(slope)))
    return model.to_model_units(x, key=key).log_det, each.sum()


def check_refit(evidence: Evidence) -> Finding:
    """Check that σ² was not fitted to the rows that it is scored on.

    Parameters
    ----------
    evidence : measures of the model
    """
    question, remedy = "Noise as trained?", "Also pass the training rows."
    if evidence.train_split is None:
        answer = (
            "A check of whether σ² was fitted to these rows needs training rows to compare with."
        )
        return Finding(question, OPEN, answer, remedy)
    here, there = evidence.split.total_ratio, evidence.train_split.total_ratio
    figures = {"σ² over residual, these rows": here.value, "training rows": there.value}
    if not (is_known(here) and is_known(there) and here.value > 0):
        answer = "The ratio of σ² and the mean squared residual is not finite and positive."
        return Finding(question, OPEN, answer, "See the variance split below.", figures=figures)
    differs = max(NOISE_RATIO.sound[1], 1 + _CLEAR * there.standard_error)
    if abs(math.log(here.value)) < REFITTED and there.value > differs:
        return Finding(
            question,
            FAULT,
            f"σ² equals the mean squared residual of these rows (ratio {here.value:.4f}), but not "
            f"that of the training rows (ratio {there}): σ² was fitted to the evaluation rows, so "
            "that the scores are too high.",
            "Score with the σ² of the training. Do not fit σ² to held-out rows.",
            "the noise was refitted on the rows being scored",
            figures,
        )
    answer = "No sign that σ² was fitted to these rows rather than to the training rows."
    return Finding(question, SOUND, answer, figures=figures)
