"""Gaussian noise in which each feature regresses on its neighbours drawn before it."""

from typing import Any, Self

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import cho_solve, solve_triangular
from jaxtyping import Array, Bool, Float

from wellposed._errors import unknown_name
from wellposed._fill import fill
from wellposed._typing import Density, Leaves, Point, PRNGKey, Raw, Scalar, Variance
from wellposed.numerics import LOG_2PI, clip_finite, on_device, restore_quadratic, shrink_residual
from wellposed.transforms import Moments

from ..parts.abstract import require
from ..parts.constants import ConstantDensity, Constants
from ..parts.density import AbstractDensity
from ..parts.scale import Scale
from ..parts.scale_noise import AbstractScaleNoise
from .window import Window, check_size

_KINDS = ("shared", "feature", "conditional")


class CausalGaussian(AbstractScaleNoise):
    r"""Gaussian noise with correlation, by regression on the neighbours already drawn.

    .. math:: y_i - \mu_i(z) = \sum_{j \in N(i)} a_{ij} (y_j - \mu_j(z)) + \sigma_i \epsilon_i,
       \qquad a_{ij} = \frac{w_{ij}}{1 + \sum_j |w_{ij}|}

    with N(i) the causal half of a window around feature i (see :class:`Window`) and ε standard
    normal. That is N(μ, Σ) with Σ⁻¹ = (I − A)ᵀ diag(σ)⁻² (I − A): the precision's Cholesky factor
    is sparse, so that the density costs O(d f²) without an inverse, and det(I − A) = 1.

    Parameters
    ----------
    window : odd whole number ≥ 3
        f, the side of the window. Features along a line have the (f − 1)/2 before them.
    variance : positive number, "shared", "feature" or "conditional"
        σ² of ε, the innovation, as in :class:`Gaussian`. The noise variance of a feature is
        larger by the part that comes from its neighbours.
    regression : "shared", "feature" or "conditional"
        Whether w is one for all features, one each, or a function of z that the decoder puts out.
    floor : as in :class:`Gaussian`, of the innovation

    Raises
    ------
    SettingError
        For a window that is even, below three, or larger than the image; unknown names.

    Notes
    -----
    log p(y|z) ≤ −Σ_j log(f_j √2π), f_j the floor of σ_j: the floor bounds the innovations,
    and I − A has determinant one.

    Draws are stable by construction: Σ_j |a_ij| < 1, so that no residual is larger than the
    largest of its neighbours' plus its own innovation, whatever the decoder puts out. A
    free regression could reach sharper correlations, and draws that grow along the raster.

    A feature that never varies has the density of a constant, and its residual is zero for its
    neighbours.

    References: Dorta et al. (2018), eq. 4, without the contraction; Vecchia (1988).

    Examples
    --------
    >>> import wellposed as wp
    >>> summary = wp.transforms.summarise(np.array([[0.0, 1, 4], [2, 3, 0], [4, 2, 1]]))
    >>> moments = wp.transforms.Identity().moments(summary, key=jax.random.key(0))
    >>> noise = CausalGaussian(window=3).initialise(moments)
    >>> noise.window.n_neighbours, noise(jnp.zeros(3)).sample(jax.random.key(0), (5,)).shape
    (1, (5, 3))
    """

    size: int = eqx.field(static=True)
    regression: str = eqx.field(static=True)
    scale: Scale
    # w: (neighbours,) shared, (neighbours, d) one each, None from the decoder
    weights: Array | None
    window: Window | None
    constants: Constants | None

    def __init__(
        self,
        window: int = 5,
        variance: float | str = "shared",
        *,
        regression: str = "shared",
        floor: float | None = None,
    ):
        check_size(window)
        if regression not in _KINDS:
            raise unknown_name("regression", regression, _KINDS)
        self.size, self.regression = window, regression
        self.scale = Scale(variance, floor=floor)
        self.weights = self.window = self.constants = None

    @property
    def n_raw(self) -> int:
        """Decoder outputs a feature; after :meth:`initialise` where w depends on z."""
        own = 1 + self.scale.n_raw
        if self.regression != "conditional":
            return own
        return own + (0 if self.window is None else self.window.n_neighbours)

    def initialise(self, moments: Moments, *, key: PRNGKey | None = None) -> Self:
        del key
        d = moments.mean.shape[0]
        window = Window(self.size, moments.image_shape, d)
        shapes = {"shared": (window.n_neighbours,), "feature": (window.n_neighbours, d)}
        shape = shapes.get(self.regression)
        return fill(
            self,
            scale=self.scale.initialise(moments),
            weights=None if shape is None else on_device(np.zeros(shape)),
            window=window,
            constants=Constants.of(moments),
        )

    @property
    def linear_location(self) -> bool:
        return True

    def start_at(self, variance: Point) -> Self:
        """Return the noise with the innovation at the variance, exact while w is zero."""
        require(self, self.scale.state)
        return fill(self, scale=self.scale.with_variance(variance))

    def __call__(self, raw: Raw) -> Density:
        require(self, self.window)
        window: Any = self.window
        d = raw.shape[0] // self.n_raw
        blocks = raw.reshape(self.n_raw, d)
        mean, scale = blocks[0], self.scale_of(blocks[1 : 1 + self.scale.n_raw].reshape(-1))
        w = blocks[1 + self.scale.n_raw :] if self.weights is None else self.weights
        w = jnp.broadcast_to(w.reshape(window.n_neighbours, -1), (window.n_neighbours, d))
        a = w / (1 + jnp.abs(w).sum(axis=0))
        scale = jnp.broadcast_to(scale, (d,))
        constants = self.constant_density(scale)
        if constants is not None:
            mean = jnp.where(constants.varies, mean, constants.density.mean)
            scale = jnp.where(constants.varies, scale, jnp.sqrt(constants.density.variance))
            a = jnp.where(constants.varies, a, 0.0)
        return CausalNormal(mean, a, scale, constants, window)

    def log_density_bound(self, d: int) -> float:
        return -0.5 * d * LOG_2PI - self.scale.log_least(d)

    def parameters(self) -> Leaves:
        weights = () if self.weights is None else (self.weights,)
        return self.scale.parameters() + weights

    def on_floor(self, variance: Variance) -> tuple[int, ...]:
        del variance  # of the feature; the innovation has the floor
        innovation = self.scale.variance()
        return () if innovation is None else self.scale.on_floor(innovation, self.varies)


class CausalNormal(AbstractDensity):
    """N(μ, Σ) with Σ⁻¹ = (I − A)ᵀ diag(σ)⁻² (I − A); event shape (d,).

    Parameters
    ----------
    loc : array of shape (d,)
    coefficients : array of shape (neighbours, d), the rows of A at the window's places
    scale : array of shape (d,), of the innovations
    constants : features that never vary, whose residual is zero for their neighbours, or None
    window : Window
    """

    pytree_data_fields = ("loc", "coefficients", "scale", "constants")
    pytree_aux_fields = ("window",)

    def __init__(
        self,
        loc: Point,
        coefficients: Float[Array, "neighbours d"],
        scale: Point,
        constants: ConstantDensity | None,
        window: Window,
    ):
        self.loc, self.coefficients, self.scale = loc, coefficients, scale
        self.constants, self.window = constants, window
        super().__init__(batch_shape=(), event_shape=loc.shape)

    @property
    def varies(self) -> Bool[Array, " d"] | None:
        """Which features are not constants; None where all are not."""
        return None if self.constants is None else self.constants.varies

    def _residual(self, residual: Point) -> Point:
        return residual if self.varies is None else jnp.where(self.varies, residual, 0.0)

    def log_prob(self, value: Point, intermediates: Any = None) -> Scalar:
        del intermediates
        residual, times = shrink_residual(self._residual(clip_finite(value - self.loc)), self.scale)
        return self._log_density(value, residual, times, jnp.ones(self.loc.shape, bool))

    def _log_density(
        self, value: Point, residual: Point, times: Scalar, seen: Bool[Array, " d"]
    ) -> Scalar:
        """Log density of the residuals, their peaks summed over the entries that are seen."""
        near = self.window.neighbours(residual)
        innovation = residual - jnp.sum(self.coefficients.T * near, axis=-1)
        fall = restore_quadratic(0.5 * jnp.sum((innovation / self.scale) ** 2), times)
        peaks = -0.5 * LOG_2PI - jnp.log(self.scale)
        if self.constants is not None:
            apart = self.constants.density.log_prob(value)
            peaks = jnp.where(self.constants.varies, peaks, apart)
        return jnp.where(seen, peaks, 0.0).sum() - fall

    def observed_log_prob(self, value: Point, seen: Bool[Array, " d"]) -> Scalar:
        r"""log p(y_obs | z) of the entries that are ``seen``, in nats: O(d³).

        .. math:: \log p(y_o) = \log p(y_o, \hat y_m) - \log p(\hat y_m \mid y_o), \qquad
           y_m \mid y_o \sim N\bigl(\hat y_m, [(\Sigma^{-1})_{mm}]^{-1}\bigr)

        with o the entries that are seen and m the others.
        """
        residual = jnp.where(seen, self._residual(clip_finite(value - self.loc)), 0.0)
        residual, times = shrink_residual(residual, self.scale)
        filled, root = self._given(residual, seen)
        log_density = self._log_density(value, filled, times, seen)
        return log_density - jnp.log(jnp.diagonal(root)).sum()

    def conditional_mean(self, value: Point, seen: Bool[Array, " d"]) -> Point:
        """E[y | y_obs, z] given the entries that are ``seen``, shape (d,)."""
        filled, _ = self._given(jnp.where(seen, self._residual(value - self.loc), 0.0), seen)
        return self._completed(value, seen, self.loc + filled)

    def complete(self, value: Point, seen: Bool[Array, " d"], *, key: PRNGKey) -> Point:
        """Draw y ~ p(y | y_obs, z) given the entries that are ``seen``, shape (d,)."""
        filled, root = self._given(jnp.where(seen, self._residual(value - self.loc), 0.0), seen)
        standard = jax.random.normal(key, self.loc.shape, self.loc.dtype)
        own = self.scale * solve_triangular(root.T, standard, lower=False)
        return self._completed(value, seen, self.loc + filled + own)

    def _given(self, residual: Point, seen: Bool[Array, " d"]) -> tuple[Point, Float[Array, "d d"]]:
        """Residuals with the conditional mean of the missing ones, which are zero in ``residual``.

        Beside them the Cholesky factor of the precision of the missing ones, in units of σ, with
        the identity for all others: of one shape whatever is missing.
        """
        missing = ~seen if self.varies is None else ~seen & self.varies
        root = self._precision_root()
        own = jnp.where(missing, root, 0.0)
        precision = own.T @ own + jnp.diag(jnp.where(missing, 0.0, 1.0))
        factor = jnp.linalg.cholesky(precision)
        towards = own.T @ (root @ (residual / self.scale))
        return residual - self.scale * cho_solve((factor, True), towards), factor

    def _precision_root(self) -> Float[Array, "d d"]:
        """R = diag(σ)⁻¹ (I − A) diag(σ): the precision of residuals in units of σ is RᵀR."""
        d = self.loc.shape[0]
        # Positions of neighbours, counted from one: an empty place holds zero.
        places = self.window.neighbours(jnp.arange(1.0, d + 1.0)).astype(int)
        scaled = self.coefficients.T * self.window.neighbours(self.scale) / self.scale[:, None]
        below = jnp.zeros((d, d + 1), self.scale.dtype)
        below = below.at[jnp.arange(d)[:, None], places].add(scaled)
        return jnp.eye(d, dtype=self.scale.dtype) - below[:, 1:]

    def _completed(self, value: Point, seen: Bool[Array, " d"], filled: Point) -> Point:
        if self.constants is not None:
            filled = self.constants.replace(filled, lambda p: p.mean)
        return jnp.where(seen, value, filled)

    def sample(self, key: PRNGKey, sample_shape: tuple[int, ...] = ()) -> Array:
        if sample_shape:
            keys = jax.random.split(key, int(np.prod(sample_shape)))
            return jax.vmap(self.sample)(keys).reshape(*sample_shape, -1)
        own_key, constant_key = jax.random.split(key)
        innovations = self.scale * jax.random.normal(own_key, self.loc.shape)
        drawn = self.loc + self._unrolled(innovations)
        if self.constants is None:
            return drawn
        return self.constants.replace(drawn, lambda p: p.sample(constant_key))

    def _unrolled(self, innovations: Point) -> Point:
        """Solve (I − A) r = innovations."""
        counts = jnp.ones(self.loc.shape) if self.varies is None else self.varies

        def draw(i: Array, near: Array) -> tuple[Scalar, Scalar]:
            residual = innovations[i] + self.coefficients[:, i] @ near
            return residual, residual * counts[i]

        return self.window.raster(draw)

    def root(self) -> Float[Array, "d d"]:
        """B = (I − A)⁻¹ diag(σ), with Σ = BBᵀ: the effect of each innovation on each feature."""
        units = jnp.eye(self.loc.shape[0], dtype=self.loc.dtype)
        return jax.lax.map(lambda e: self._unrolled(self.scale * e), units, batch_size=64).T

    def covariance(self) -> Float[Array, "d d"]:
        """Σ, dense: O(d² f²)."""
        root = self.root()
        return root @ root.T

    @property
    def mean(self) -> Point:
        return self.loc

    @property
    def variance(self) -> Point:
        """Diagonal of Σ, shape (d,)."""
        return jnp.sum(self.root() ** 2, axis=1)

    def coupled(self, alpha: Scalar) -> Point:
        """μ + α times the standard deviation of each feature, its neighbours' share included."""
        return self.loc + alpha * jnp.sqrt(self.variance)
