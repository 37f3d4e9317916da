"""Map a datum of which some entries are missing, or recorded at a limit."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool

from wellposed._typing import Point, PRNGKey

from ._abstract import AbstractTransform, Transformed


def forward_observed(
    transform: AbstractTransform,
    x: Point,
    typical: Point,
    *,
    key: PRNGKey,
    at_limit: Callable[[Point], Bool[Array, " d"]] | None = None,
) -> Transformed:
    """Map the observed entries of a datum to model units; missing ones, NaN, stay NaN.

    Every transform here maps each entry by a function of its own, so that log |det J| is a sum over
    entries, and of observed ones it leaves out log |dT_j/dx_j| of the others.

    Parameters
    ----------
    transform : fitted
    x : array of shape (d,), data units
    typical : array of shape (d,), a datum in the domain of the transform
    key : as of ``transform.forward``
    at_limit : of a datum in model units, which entries have a probability instead of a density, so
        that log |det J| leaves them out as well; None for none

    Examples
    --------
    >>> import numpy as np
    >>> from wellposed.transforms import Standardize, summarise
    >>> standardize = Standardize().fit(summarise(np.array([[1.0, 0.0], [3.0, 8.0]])))
    >>> x, typical = jnp.array([3.0, jnp.nan]), jnp.zeros(2)
    >>> mapped = forward_observed(standardize, x, typical, key=jax.random.key(0))
    >>> mapped.value.tolist(), float(mapped.log_det)
    ([1.0, nan], 0.0)
    """
    seen = ~jnp.isnan(x)

    def mapped(inside: Point) -> tuple[Point, Transformed]:
        whole = transform.forward(inside, key=key)
        return whole.value, whole

    inside = jnp.where(seen, x, typical)
    _, slope, whole = jax.jvp(mapped, (inside,), (jnp.ones_like(inside),), has_aux=True)
    counted = seen if at_limit is None else seen & ~at_limit(whole.value)
    left_out = jnp.where(counted, 0.0, jnp.log(jnp.abs(jnp.where(counted, 1.0, slope))))
    return Transformed(jnp.where(seen, whole.value, jnp.nan), whole.log_det - left_out.sum())
