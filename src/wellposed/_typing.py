"""The shape alphabet.

n data, d features, k latents, c covariates, s Monte Carlo samples, r decoder outputs.

Core code sees one datum, so these shapes have no batch axis; records that ``vmap`` returns
(``ElboTerms``, for example) are annotated with ``*batch``.
"""

from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

import numpy as np
from jaxtyping import Array, Float, Key, Num, PyTree

Data: TypeAlias = Num[Array, "n d"]
RowData: TypeAlias = Num[Array, "n row"]  # see Row
Point: TypeAlias = Float[Array, " d"]
Latent: TypeAlias = Float[Array, " k"]
Covariates: TypeAlias = Float[Array, " c"]
Row: TypeAlias = Float[Array, " row"]  # a datum, followed by its covariates if it has some
Inputs: TypeAlias = Float[Array, " inputs"]  # what an encoder takes of a datum
Raw: TypeAlias = Float[Array, " r"]
Scalar: TypeAlias = Float[Array, ""]
PRNGKey: TypeAlias = Key[Array, ""]
Tree: TypeAlias = PyTree[Any]

# Whether to show a progress bar; "auto" shows it on a terminal.
Progress: TypeAlias = bool | Literal["auto"]

# A leaf that is an array after initialise, and None before or where it has no part.
Fitted: TypeAlias = Any
# Leaves of a model: arrays, or what equinox.tree_at and masks put in their places.
Leaves: TypeAlias = tuple[Any, ...]
# A variance of shape () or (d,): an array of JAX, or of NumPy once it has been read back.
Variance: TypeAlias = Array | np.ndarray | np.floating


@runtime_checkable
class Density(Protocol):
    """p(y | z) of one datum in model units, event shape (d,): what a noise model returns.

    Moments, cdf and quantiles are those of each feature alone, shape (d,). A density whose
    features are not independent may leave out ``cdf``, ``icdf`` and ``feature_log_prob``, which
    then raise.
    """

    @property
    def event_shape(self) -> tuple[int, ...]:
        """(d,)."""
        ...

    @property
    def independent(self) -> bool:
        """Whether p(y | z) is ∏_j p(y_j | z)."""
        ...

    @property
    def mean(self) -> Point:
        """E[y | z]."""
        ...

    @property
    def variance(self) -> Point:
        """Var[y_j | z] of each feature."""
        ...

    def log_prob(self, value: Point, /) -> Scalar:
        """log p(y | z), in nats."""
        ...

    def feature_log_prob(self, value: Point, /) -> Point:
        """log p(y_j | z) of each feature, in nats; only where features are independent."""
        ...

    def sample(self, key: PRNGKey, sample_shape: tuple[int, ...] = ()) -> Array:
        """Draw y ~ p(y | z), shape (*sample_shape, d)."""
        ...

    def cdf(self, value: Point, /) -> Point:
        """P(Y_j ≤ y_j | z) of each feature."""
        ...

    def icdf(self, q: Point, /) -> Point:
        """Quantile of each feature at probabilities q in (0, 1)."""
        ...

    def coupled(self, alpha: Scalar, /) -> Point:
        """Every feature at the quantile Φ(α) of its noise; μ + ασ for a Gaussian."""
        ...


@runtime_checkable
class Posterior(Protocol):
    """q(z | x) of one datum: a normal distribution of each latent, batch shape (k,)."""

    @property
    def batch_shape(self) -> tuple[int, ...]:
        """(k,)."""
        ...

    @property
    def loc(self) -> Latent:
        """Mean of each latent."""
        ...

    @property
    def scale(self) -> Latent:
        """Standard deviation of each latent."""
        ...

    @property
    def mean(self) -> Latent:
        """Mean of each latent."""
        ...

    @property
    def variance(self) -> Latent:
        """Variance of each latent."""
        ...

    def log_prob(self, value: Latent, /) -> Latent:
        """log q(z_i | x) of each latent, in nats."""
        ...

    def sample(self, key: PRNGKey, sample_shape: tuple[int, ...] = ()) -> Array:
        """Draw z ~ q(z | x), shape (*sample_shape, k)."""
        ...

    def rsample(self, key: PRNGKey, sample_shape: tuple[int, ...] = ()) -> Array:
        """Draw z as :meth:`sample` does, with a gradient by ``loc`` and ``scale``."""
        ...
