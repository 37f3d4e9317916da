"""Are the model's numbers log densities, with a maximum to be found?"""

import math

import jax
import jax.numpy as jnp
import numpy as np

from wellposed._errors import named_features
from wellposed._typing import Point, PRNGKey, Scalar
from wellposed.models import VAEModel

from .._passes import mean_noise_variance
from .._rows import over_rows
from .evidence import Evidence
from .record import CAUTION, FAULT, OPEN, SOUND, Finding

_JACOBIAN_ROWS = 20
_WRONG = 1e-3  # nats a feature: beyond the rounding of float32
_SAME = 0.03  # of a σ² fitted to the rows at hand, by whatever draws of z
_OTHER = 1.1  # factor from which the training rows' residual is another
_CLEAR = 4.0  # standard errors


def bounded(evidence: Evidence) -> Finding:
    """Has the log density a finite supremum, and does σ rest on the floor that gives it?"""
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
    variance = mean_noise_variance(model, evidence.rows[:256], key=evidence.key(8))
    resting = model.noise.on_floor(variance)
    said = f"No log density of this model exceeds {bound:.6g} nats."
    figures = {"log density bound": bound, "features on the floor": float(len(resting))}
    if not resting:
        return Finding(question, SOUND, said, figures=figures)
    return Finding(
        question,
        CAUTION,
        f"{said} The noise rests on its floor, the rounding of the measurement, in "
        f"{named_features(np.asarray(resting))}: its density there measures the rounding.",
        "Use a discretised family, fewer latents, or state the resolution if it is finer.",
        figures=figures,
    )


def jacobian(evidence: Evidence) -> Finding:
    """Does the transform report the log determinant that its own derivative has?"""
    question = "In data units?"
    rows = evidence.rows[:_JACOBIAN_ROWS]
    told, own = over_rows(_log_dets, evidence.model, rows, key=evidence.key(9))
    off = float(np.abs(np.asarray(told, np.float64) - own).max())
    figures = {"largest error of log |det J|, nats": off}
    # Float32 loses digits where the logarithm is large.
    if off <= _WRONG * evidence.d + 1e-5 * float(np.abs(own).max()):
        said = "The transform's log determinant is that of its own derivative."
        return Finding(question, SOUND, said, figures=figures)
    return Finding(
        question,
        FAULT,
        f"The transform reports a log |det dT/dx| that is off by up to {off:.4g} nats a datum "
        "from its own derivative: no value is a density of the data.",
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


def refitted(evidence: Evidence) -> Finding:
    """Was σ² fitted to the rows that it is judged on?"""
    question = "Noise as trained?"
    if evidence.train_split is None:
        return Finding(
            question,
            OPEN,
            "Whether σ² was fitted to these very rows shows beside rows of the training alone.",
            "Pass the training rows too.",
        )
    here, there = evidence.split.total_ratio, evidence.train_split.total_ratio
    figures = {"σ² over residual, these rows": here.value, "training rows": there.value}
    apart = max(_OTHER, 1 + _CLEAR * there.standard_error)
    if abs(math.log(here.value)) < _SAME and there.value > apart:
        return Finding(
            question,
            FAULT,
            f"σ² is the mean squared residual of these very rows ({here.value:.4f} of it), and "
            f"{there} of that of the training rows: it was fitted to the data that it is to "
            "judge, and the scores are too good.",
            "Score with the σ² of the training; never refit it on held-out rows.",
            "the noise was refitted on the rows being scored",
            figures,
        )
    return Finding(question, SOUND, "σ² is not that of the rows being scored.", figures=figures)
