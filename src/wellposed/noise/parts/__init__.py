"""Parts of noise models, for new families: bases, scales, constants and densities."""

from .abstract import AbstractNoise, require
from .constants import ConstantDensity, Constants
from .density import AbstractDensity, pearson_residuals
from .features import Features
from .scale import Scale
from .scale_noise import AbstractLocationScale, AbstractScaleNoise
from .units import FeatureUnits
from .whole import AbstractWhole, LevelUnits
from .wrapped import AbstractWrapped

__all__ = [
    "AbstractDensity",
    "AbstractLocationScale",
    "AbstractNoise",
    "AbstractScaleNoise",
    "AbstractWhole",
    "AbstractWrapped",
    "ConstantDensity",
    "Constants",
    "FeatureUnits",
    "Features",
    "LevelUnits",
    "Scale",
    "pearson_residuals",
    "require",
]
