"""Rows in model units, checks and warnings of the exact models."""

import dataclasses
import math
import warnings
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from sklearn.base import BaseEstimator

from wellposed import evaluation, models, transforms
from wellposed._errors import (
    ConstantFeatureWarning,
    DataError,
    FloorWarning,
    SettingError,
    TrainingWarning,
    named_features,
)

from .._build import resolution_of
from .._notices import warn_of_suspects
from .._words import Rows
from ..data.rows import open_table, validate_rows

# Largest relative errors of a noise variance for log p(x), learned and given.
_DIGITS, _FLOOR_DIGITS = 3e-7, 1e-3
_UNLIKE = 1e3  # standard deviations of columns


@dataclasses.dataclass(frozen=True)
class Exact:
    """Validated rows, the fitted map to model units, and the image shape where known."""

    rows: np.ndarray
    units: evaluation.ModelUnits
    resolution: np.ndarray | None  # in data units
    image_shape: tuple[int, ...] | None

    def floor(self, varies: np.ndarray) -> float:
        """Smallest resolution/√12 of the features that vary, in model units.

        One σ shared by all features takes the smallest floor of them, as ``noise="shared"`` does.
        """
        return float(self.floors()[varies].min())

    def floors(self) -> np.ndarray:
        """resolution/√12 of each feature, in model units, shape (d,)."""
        if isinstance(self.units.transform, transforms.Identity):
            return transforms.resolution_of(self.rows, self.resolution) / math.sqrt(12)
        one_unit = True if self.image_shape is not None else None
        summary = transforms.summarise(self.rows, self.resolution, one_unit=one_unit)
        with jax.enable_x64(True):
            moments = self.units.transform.moments(summary, key=self.units.key)
        return np.asarray(moments.resolution, np.float64) / math.sqrt(12)


def prepare(estimator: BaseEstimator, X: Rows, transform: Any, resolution: Any, seed: int) -> Exact:
    """Open, validate and map; ``resolution`` is the estimators' setting."""
    table = open_table(X)
    image_shape = table.image_shape
    rows = validate_rows(estimator, table, reset=True)
    given = resolution_of({"resolution": resolution}, rows.shape[1])
    names = getattr(estimator, "feature_names_in_", None)
    transform = transforms.place(transform, rows.shape[1], names)
    one_unit = image_shape is not None or transforms.share_levels(rows)
    unit_map = transforms.resolve(transform, one_unit=one_unit)
    if not isinstance(unit_map, transforms.Identity):
        with jax.enable_x64(True):
            unit_map = unit_map.fit(transforms.summarise(rows, given, one_unit=one_unit))
        unit_map = jax.tree.map(np.asarray, unit_map)
    warn_of_suspects(rows, names, image_shape)
    units = evaluation.ModelUnits(unit_map, jax.random.key(seed))
    return Exact(rows, units, given, image_shape)


def check_components(n_components: int, rows: np.ndarray) -> None:
    """Refuse more components than directions in which n rows of d features can vary."""
    n, d = rows.shape
    if n_components > min(n, d):
        raise SettingError(
            f"n_components must be at most min(n_samples, n_features) = {min(n, d)} "
            f"(n_samples = {n}, n_features = {d}); got {n_components}. No more directions vary: "
            "use fewer components."
        )


def check_digits(
    spectrum: models.Spectrum, noise_variance: float, *, learned: bool, transform: Any
) -> None:
    """Refuse noise that float64 cannot separate from the rounding of the largest direction.

    Raises
    ------
    DataError
        Naming the columns and the remedy.
    """
    error = spectrum.relative_error(noise_variance)
    if not learned and spectrum.rooted:
        return  # σ² is given; the squared rounding error is far below it
    if error <= (_DIGITS if learned else _FLOOR_DIGITS):
        return
    deviations = np.sqrt(spectrum.variances)
    at = np.flatnonzero(spectrum.varies)
    large, small = at[deviations[at].argmax()], at[deviations[at].argmin()]
    remedy = (
        "Drop columns that are sums or copies of others."
        if isinstance(transform, transforms.Standardize)
        or deviations[large] < _UNLIKE * deviations[small]
        else 'Rescale the columns, or pass transform="standardize".'
    )
    if not spectrum.rooted:
        remedy += ' Or leave the solver at "auto", which keeps twice the digits.'
    raise DataError(
        "The noise must be told from the rounding of what varies most; the standard deviation "
        f"along the largest direction is {math.sqrt(spectrum.eigenvalues[0]):.3g}, that of the "
        f"noise {math.sqrt(noise_variance):.3g}, known to a relative {error:.1g}. Feature {large} "
        f"has the standard deviation {deviations[large]:.3g}, feature {small} "
        f"{deviations[small]:.3g}. {remedy}"
    )


def warn_of_constants(
    moments: models.Covariance | models.Spectrum,
    names: Sequence[Any] | None = None,
    effect: str = "Each counts as a feature with residual zero, which lowers σ².",
) -> None:
    """Warn of features that never vary, and of their effect."""
    constant = np.flatnonzero(~moments.varies)
    if constant.size:
        warnings.warn(
            f"{constant.size} of {len(moments.mean)} features never vary "
            f"({named_features(constant, names=names)}). {effect} Drop them if they should not "
            "count in log p(x).",
            ConstantFeatureWarning,
            stacklevel=3,
        )


def warn_of_floor(noise_variance: float, n_components: int, spectrum: models.Spectrum) -> None:
    """Warn that the noise is at its floor."""
    warnings.warn(
        f"The noise is at its floor, resolution/√12 = {math.sqrt(noise_variance):.3g}: the "
        f"data have rank {spectrum.rank} of {spectrum.n_features}, {n_components} components "
        "carry all that varies beyond their rounding, and without a floor the likelihood would "
        "have no maximum. Use fewer components, or pass the measurement's `resolution`.",
        FloorWarning,
        stacklevel=3,
    )


def warn_of_collapse(noise_variance: float, spectrum: models.Spectrum, beta: float = 1.0) -> None:
    """Warn that every latent has collapsed, with the σ² or the start that keeps one active."""
    if beta * noise_variance < spectrum.eigenvalues[0]:
        warnings.warn(
            f"Every latent has collapsed, though σ² = {noise_variance:.4g} allows an active one: "
            'the iterations started at zero columns and stayed there. Use start="random".',
            TrainingWarning,
            stacklevel=3,
        )
        return
    weight = "" if beta == 1 else f" times β = {beta:g}"
    warnings.warn(
        f"Every latent has collapsed: σ² = {noise_variance:.4g}{weight} exceeds the variance "
        f"along every direction. A σ² below {spectrum.eigenvalues[0] / beta:.4g} keeps one active; "
        "noise='shared' learns it.",
        TrainingWarning,
        stacklevel=3,
    )


def warn_of_budget(n_iter: int, remedy: str = "raise max_iter or tol") -> None:
    """Warn that the iterations did not converge."""
    warnings.warn(
        f"The iterations stopped at {n_iter} before the objective settled; {remedy}.",
        TrainingWarning,
        stacklevel=3,
    )
