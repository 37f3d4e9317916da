"""What the families with a location inside [0, 1] have in common."""

import abc
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array
from numpyro.distributions import Distribution

from wellposed._compiled import compiled_soon
from wellposed._typing import Density, Inputs, Point, Raw
from wellposed.numerics import invert, on_device
from wellposed.transforms import UNIT, Moments, Support

from ..parts.constants import Constants
from ..parts.features import Features
from ..parts.scale import Scale
from ..parts.scale_noise import AbstractScaleNoise
from ..parts.units import FeatureUnits

# Locations start within (0.001, 0.999): nearer to an end the sigmoid has almost no slope.
_FURTHEST = 7.0


class AbstractUnit(AbstractScaleNoise):
    """Noise on [0, 1] by the logit η of a location and a scale of each feature."""

    logit: eqx.AbstractVar[Array | None]  # (d,), η at raw zero
    centred: eqx.AbstractVar[FeatureUnits | None]

    @property
    def support(self) -> Support:
        return UNIT

    @abc.abstractmethod
    def law(self, logit: Point, scale: Array) -> Distribution:
        """Return the distribution of each feature, batch shape (d,)."""

    def start(self, scale: Scale, moments: Moments) -> dict[str, Any]:
        """Return the fields other than the scale, taken from the data.

        Locations start where the law of the starting scale has the data's mean.
        """
        return {
            "logit": _logit_of(self, scale, on_device(moments.mean)),
            "centred": FeatureUnits.of(moments),
            "constants": Constants.of(moments),
        }

    def __call__(self, raw: Raw) -> Density:
        d = raw.shape[0] // self.n_raw
        scale = self.scale_of(raw[d:])
        eta = raw[:d] if self.logit is None else raw[:d] + self.logit
        return Features(self.law(eta, scale), self.constant_density(scale))

    def encoder_input(self, y: Point) -> Inputs:
        return y if self.centred is None else self.centred(y)


@compiled_soon
def _logit_of(noise: AbstractUnit, scale: Scale, mean: Point) -> Point:
    """Logits at which the noise of that scale has the mean; one program, kept."""
    start = jnp.broadcast_to(scale(jnp.zeros_like(mean)), mean.shape)
    return invert(lambda eta: noise.law(eta, start).mean, mean, -_FURTHEST, _FURTHEST)
