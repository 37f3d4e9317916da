"""The rivals, by the names of the columns of the table."""

from collections.abc import Mapping
from typing import Any

from .fitted import FOLDS, Fitted, Rival, SkippedError
from .flow import flow
from .kernel import kernel_density
from .linear import factor_analysis, gaussian, ppca
from .mixtures import gaussian_mixture, mixture_ppca
from .ours import vae_of

VAE, MIXTURE, PPCA, FACTORS = "VAE", "GaussianMixture", "pPCA", "factors"
RIVALS: dict[str, Rival] = {
    "Gaussian": gaussian,
    PPCA: ppca,
    FACTORS: factor_analysis,
    MIXTURE: gaussian_mixture,
    "KernelDensity": kernel_density,
    "MixturePPCA": mixture_ppca,
    "flow": flow,
}


def rivals_of(settings: Mapping[str, Any]) -> dict[str, Rival]:
    """Return all rivals and our VAE with these settings, which comes last."""
    return {**RIVALS, VAE: vae_of(settings)}


__all__ = [
    "FACTORS",
    "FOLDS",
    "MIXTURE",
    "PPCA",
    "RIVALS",
    "VAE",
    "Fitted",
    "Rival",
    "SkippedError",
    "rivals_of",
    "vae_of",
]
