"""The shape alphabet: n data, d features, k latents, s Monte Carlo samples, r decoder outputs.

Core code sees one datum, so these shapes carry no batch axis; records that survive ``vmap``
(``ElboTerms``, for one) say ``*batch``.
"""

from typing import Any, Literal, TypeAlias

from jaxtyping import Array, Float, Key, Num, PyTree

Data: TypeAlias = Num[Array, "n d"]
Point: TypeAlias = Float[Array, " d"]
Latent: TypeAlias = Float[Array, " k"]
Raw: TypeAlias = Float[Array, " r"]
Scalar: TypeAlias = Float[Array, ""]
PRNGKey: TypeAlias = Key[Array, ""]
Tree: TypeAlias = PyTree[Any]

# Whether to show a progress bar; "auto" shows it on a terminal.
Progress: TypeAlias = bool | Literal["auto"]

# A numpyro distribution; numpyro types its attributes wider (ArrayLike) than they are.
Density: TypeAlias = Any
# A leaf that is an array once the data have been seen, and None before or where it has no part.
Fitted: TypeAlias = Any
# Leaves of a model: arrays, or what equinox.tree_at and masks put in their places.
Leaves: TypeAlias = tuple[Any, ...]
# A variance of shape () or (d,): an array of JAX, or of NumPy once it has been read back.
Variance: TypeAlias = Any
