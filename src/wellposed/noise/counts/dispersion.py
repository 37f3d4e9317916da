"""How much wider than Poisson counts are: the concentration of a negative binomial."""

import dataclasses

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from wellposed._errors import unknown_name
from wellposed._typing import Fitted, Leaves
from wellposed.numerics import log_growth

from ..parts.scale import LEARNED

_LEAST = 1e-3


class Dispersion(eqx.Module):
    r"""Concentrations :math:`r = 10^{-3} + r_0 e^{g(\rho)}`: variance m + m²/r, Poisson at ∞.

    ρ is learned, one for all features or one each, or a decoder output; g is
    :func:`~wellposed.numerics.log_growth`.
    """

    kind: str = eqx.field(static=True)  # one of LEARNED
    rho: Fitted = None  # () shared, (d,) per feature
    start: Fitted = None  # () or (d,), log of r at raw zero

    def __check_init__(self):
        if self.kind not in LEARNED:
            raise unknown_name("dispersion", self.kind, LEARNED)

    @property
    def n_raw(self) -> int:
        """Decoder outputs that it needs for each feature."""
        return int(self.kind == "conditional")

    def start_at(self, at: np.ndarray) -> "Dispersion":
        """Return it with ``at`` (d,) at raw zero, or their median where it is shared."""
        log_start = np.log(np.median(at) if self.kind == "shared" else at)
        start = jnp.asarray(log_start, jnp.result_type(float))
        rho = None if self.kind == "conditional" else jnp.zeros_like(start)
        return dataclasses.replace(self, rho=rho, start=start)

    def __call__(self, raw: Array) -> Array:
        """Return r, of shape () or (d,); ``raw`` holds n_raw·d numbers."""
        rho = raw if self.kind == "conditional" else self.rho
        return _LEAST + jnp.exp(self.start + log_growth(rho))

    def parameters(self) -> Leaves:
        """Return the leaves that the optimiser updates."""
        return () if self.rho is None else (self.rho,)
