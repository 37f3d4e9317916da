"""What several families share: the contract, scales, constants, and products over features."""

from .abstract import AbstractNoise

__all__ = [
    "AbstractNoise",
]
