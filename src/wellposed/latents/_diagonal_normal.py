"""The Gaussian posterior with independent latents."""

from typing import cast

import equinox as eqx
from numpyro.distributions import Normal

from wellposed._typing import Posterior, Raw
from wellposed.numerics import positive, soft_clip


class DiagonalNormal(eqx.Module):
    """q(z | x) = N(z | μ(x), diag σ²(x)), from 2k encoder outputs: means, then raw scales.

    A raw scale of zero is σ = 1, the prior's. Any positive σ can be reached, so that a latent can
    be precise (σ ≪ 1) or collapsed (σ = 1). No raw scale makes σ zero: see
    :func:`wellposed.numerics.soft_clip`.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> q = DiagonalNormal()(jnp.array([0.5, -1.0, 0.0, 0.0]))
    >>> q.loc.tolist(), q.scale.round(4).tolist()
    ([0.5, -1.0], [1.0, 1.0])
    """

    n_raw: int = eqx.field(static=True, default=2)

    def __call__(self, raw: Raw) -> Posterior:
        """Return the posterior of one datum, batch shape (k,)."""
        k = raw.shape[0] // 2
        # numpyro types its attributes wider (ArrayLike) than they are.
        return cast(Posterior, Normal(raw[:k], positive(soft_clip(raw[k:]))))
