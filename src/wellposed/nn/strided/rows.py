"""Products over the last axis, all leading axes joined into the rows of one matrix."""

from jaxtyping import Array, Float


def rows(x: Float[Array, "*rows k"], m: Float[Array, "k N"]) -> Float[Array, "*rows N"]:
    """Multiply each last axis by ``m``."""
    return (x.reshape(-1, x.shape[-1]) @ m).reshape(*x.shape[:-1], m.shape[-1])


def gram(x: Float[Array, "*rows k"], c: Float[Array, "*rows N"]) -> Float[Array, "k N"]:
    """Sum the outer products of all rows."""
    return x.reshape(-1, x.shape[-1]).T @ c.reshape(-1, c.shape[-1])
