"""From a user's number or word to a noise model."""

from ._abstract import AbstractNoise
from ._gaussian import Gaussian


def resolve(noise: float | str | AbstractNoise) -> AbstractNoise:
    """Turn a positive number (σ² given), a name of a learned variance, or a model into a model."""
    return noise if isinstance(noise, AbstractNoise) else Gaussian(noise)
