"""Checks and warnings of the exact models."""

import math
import warnings
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from wellposed import evaluation, models, transforms
from wellposed._errors import (
    ConstantFeatureWarning,
    DataError,
    FloorWarning,
    SettingError,
    TrainingWarning,
    named_features,
)

# Largest relative errors of a noise variance for log p(x), learned and given.
_DIGITS, _FLOOR_DIGITS = 3e-7, 1e-3
_UNLIKE = 1e3  # standard deviations of columns


def spectrum_of(model: models.PPCAModel, n_rows: int, log_det: float) -> models.Spectrum:
    """Return the first k directions of the covariance of a model."""
    axes, scales, _ = np.linalg.svd(model.weight, full_matrices=False)
    return models.Spectrum(
        mean=model.mean,
        variances=(model.weight**2).sum(axis=1) + model.noise_variance,
        eigenvalues=scales**2 + model.noise_variance,
        eigenvectors=models.orient(axes),
        n_rows=n_rows,
        log_det=log_det,
        complete=False,
    )


def linear_vae_of(
    mean: np.ndarray, weight: np.ndarray, noise_variance: float
) -> models.LinearVAEModel:
    """Return the linear VAE with the best encoder for rows without gaps."""
    blank = np.zeros((weight.shape[1], len(mean)))
    plain = models.LinearVAEModel(
        mean, weight, blank, np.ones(weight.shape[1]), np.float64(noise_variance)
    )
    with jax.enable_x64(True):
        return jax.tree.map(np.asarray, models.with_best_encoder(plain))


def check_components(n_components: int, rows: evaluation.Sliceable) -> None:
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
