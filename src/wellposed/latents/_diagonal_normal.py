"""The Gaussian posterior with independent latents."""

import equinox as eqx
from numpyro.distributions import Normal

from wellposed._typing import Density, Raw
from wellposed.numerics import positive, settled


class DiagonalNormal(eqx.Module):
    """q(z | x) = N(z | μ(x), diag σ²(x)), from 2k encoder outputs: means, then raw scales.

    A raw scale of zero is σ = 1, the prior's; any positive σ can be reached, so that a latent may
    be certain (σ ≪ 1) as well as dead. No raw scale makes it zero: see
    :func:`wellposed.numerics.settled`.
    """

    n_raw: int = eqx.field(static=True, default=2)

    def __call__(self, raw: Raw) -> Density:
        """Return the posterior of one datum, batch shape (k,)."""
        k = raw.shape[0] // 2
        return Normal(raw[:k], positive(settled(raw[k:])))
