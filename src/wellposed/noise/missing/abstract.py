"""What noise of data with missing entries has in common, whatever makes them missing."""

from typing import Self

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from wellposed._errors import SettingError
from wellposed._fill import fill
from wellposed._typing import Fitted, Inputs, Point
from wellposed.numerics import on_device
from wellposed.transforms import Moments

from ..parts.abstract import AbstractNoise, require
from ..parts.wrapped import AbstractWrapped


class Fill(eqx.Module):
    r"""Conditional means of missing entries under a linear Gaussian model, for the encoder.

    .. math:: E[u_{mis} \mid u_{obs}] = \mu_{mis} + W_{mis}
       (I + W_{obs}^T \Psi_{obs}^{-1} W_{obs})^{-1} W_{obs}^T \Psi_{obs}^{-1} (u_{obs} - \mu_{obs})

    A linear encoder V(u − μ) of a datum that is filled so has the exact posterior mean
    E[z | u_obs] of the linear model.

    Parameters
    ----------
    mean : μ, shape (d,), in units of the encoder's input, as all of the model
    weight : W, shape (d, k)
    variance : diagonal of Ψ, shape (d,)
    """

    mean: Point
    weight: Float[Array, "d k"]
    variance: Point

    def __call__(self, u: Point, seen: Bool[Array, " d"]) -> Point:
        """Return u with its missing entries, where ``seen`` is false, filled."""
        scaled = jnp.where(seen, 1 / self.variance, 0.0)[:, None] * self.weight
        precision = jnp.eye(self.weight.shape[1]) + scaled.T @ self.weight
        latent = jax.scipy.linalg.solve(precision, (u - self.mean) @ scaled, assume_a="pos")
        return jnp.where(seen, u, self.mean + self.weight @ latent)


class AbstractMissing(AbstractWrapped):
    """Noise of data with missing entries, NaN, made of noise of whole data.

    The input of the encoder is the datum with conditional means in place of missing entries, see
    :class:`Fill`, then indicators of levels, zero where the level is missing, then 0 for each
    observed entry and −1 for each missing one.

    A subclass has the fields below and defines ``__call__``, ``initialise`` and what is learned.
    """

    noise: eqx.AbstractVar[AbstractNoise]
    show_mask: eqx.AbstractVar[bool]
    typical: eqx.AbstractVar[Fitted]  # (d,), model units
    filling: eqx.AbstractVar[Fill | None]

    @property
    def allows_missing(self) -> bool:
        return True

    @property
    def whole(self) -> AbstractNoise:
        return self.noise.whole

    def around(self, whole: AbstractNoise) -> Self:
        return fill(self, noise=self.noise.around(whole))

    def filled_by(self, filling: Fill) -> Self:
        """Return the noise whose encoder's input is filled by a linear model."""
        return fill(self, filling=filling)

    def input_columns(self, d: int) -> np.ndarray:
        inner = self.noise.input_columns(d)
        return np.append(inner, np.arange(d)) if self.show_mask else inner

    def encoder_input(self, y: Point) -> Inputs:
        d = len(y)
        inner, seen = self.inner_input(y)
        u, further = inner[:d], inner[d:]
        if self.filling is not None:
            u = self.filling(u, seen)
        of = self.noise.input_columns(d)[d:]
        parts = [u, jnp.where(seen[of], further, 0.0)] if len(of) else [u]
        return jnp.concatenate([*parts, seen - 1.0] if self.show_mask else parts)

    def inner_input(self, y: Point) -> tuple[Inputs, Bool[Array, " d"]]:
        """Return the encoder's input of the noise of whole data, and which features are observed.

        Missing entries are those of a typical datum.
        """
        seen = ~jnp.isnan(y)
        return self.noise.encoder_input(jnp.where(seen, y, require(self, self.typical))), seen

    def log_density_bound(self, d: int) -> float:
        """Supremum for data without missing entries; where it is finite, that of parts is too."""
        return self.noise.log_density_bound(d)


def check_whole(noise: AbstractNoise) -> None:
    """Refuse noise that itself allows missing entries.

    Raises
    ------
    SettingError
        For noise of data with missing entries.
    """
    if noise.allows_missing:
        raise SettingError(
            f"Noise of data with missing entries is made of noise of whole data; got "
            f"{type(noise).__name__}. Pass the noise that it is made of."
        )


def typical_of(moments: Moments) -> Array:
    """Return a datum inside the support, shape (d,), model units."""
    # The mean is inside the support, but for noise of levels; of these the data are known.
    typical = moments.mean if moments.sample is None else moments.sample[0]
    return on_device(np.asarray(typical))
