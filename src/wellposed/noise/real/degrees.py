"""The degrees of freedom of a Student t: given, learned, or a decoder output."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from wellposed._checks import check_number
from wellposed._errors import SettingError, unknown_name
from wellposed._fill import fill
from wellposed._typing import Leaves
from wellposed.numerics import on_device, positive, scalar
from wellposed.transforms import Moments

from ..parts.scale import LEARNED

# Learned degrees start here: tails that forgive an outlier, a variance near the Gaussian's.
_START = 8.0


class Degrees(eqx.Module):
    r"""Degrees of freedom ν > 2, so that the variance exists.

    .. math:: \nu_j = \nu_0 + (8 - \nu_0)\,\mathrm{softplus}(\rho_j)

    with ρ learned, one for all features or one each, or a decoder output.

    Parameters
    ----------
    degrees : number > 2, "shared", "feature" or "conditional"
    least : ν_0, in (2, 8)

    Raises
    ------
    SettingError
        For numbers out of range, and unknown names.
    """

    kind: str = eqx.field(static=True)  # "given" or one of LEARNED
    least: float = eqx.field(static=True)
    given: Array | None  # ()
    rho: Array | None  # () shared, (d,) per feature

    def __init__(self, degrees: float | str, *, least: float):
        self.kind = _kind(degrees)
        if not 2 < least < _START:
            raise SettingError(
                "least_degrees must lie between 2, where the variance is infinite, and "
                f"{_START:g}, where learning starts; got {least}. 2.1 is the default."
            )
        self.least = float(least)
        self.given = scalar(float(degrees)) if self.kind == "given" else None
        self.rho = None

    @property
    def n_raw(self) -> int:
        """Decoder outputs that the degrees need for each feature."""
        return int(self.kind == "conditional")

    @property
    def state(self) -> Array | None:
        """The number that ν is computed from; None before :meth:`initialise` if it is learned."""
        return {"given": self.given, "conditional": self.least}.get(self.kind, self.rho)

    def initialise(self, moments: Moments) -> "Degrees":
        """Take their number from the data."""
        if self.kind not in ("shared", "feature"):
            return self
        shape = () if self.kind == "shared" else moments.mean.shape
        return fill(self, rho=on_device(np.zeros(shape)))

    def __call__(self, raw: Array) -> Array | np.floating | None:
        """Return ν, of shape () or (d,); ``raw`` holds n_raw·d numbers."""
        if self.kind == "given":
            return self.given
        above = positive(raw if self.kind == "conditional" else self.rho)
        return self.least + (_START - self.least) * above

    @property
    def start(self) -> float:
        """ν before any training."""
        return _START if self.given is None else float(self.given)

    def parameters(self) -> Leaves:
        """Return the leaves that the optimiser updates."""
        return () if self.rho is None else (self.rho,)

    def known(self) -> Array | np.floating | None:
        """ν, or None where it depends on z."""
        return self(jnp.zeros(0)) if self.kind == "given" or self.rho is not None else None


def _kind(degrees: float | str) -> str:
    if isinstance(degrees, str):
        if degrees not in LEARNED:
            raise unknown_name("degrees", degrees, LEARNED)
        return degrees
    remedy = 'Up to 2 a t has no variance; "shared" learns the degrees from the data.'
    check_number("degrees", degrees, remedy, above=2)
    return "given"
