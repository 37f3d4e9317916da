"""Priors p(z) and approximate posteriors q(z | x)."""

from ._diagonal_normal import DiagonalNormal as DiagonalNormal
from ._mixture import GaussianMixture as GaussianMixture
from ._protocol import Prior as Prior
from ._standard_normal import StandardNormal as StandardNormal
