"""Operations that need care in float32, each with the reason."""

import functools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from wellposed._typing import Latent, PRNGKey, Scalar

LOG_2PI = 1.8378770664093453

# Beyond this bound the probability is zero; its square is still a float32.
_FAR = 1e18

# The positive half of eight-point Gauss-Legendre quadrature on [−1, 1], weights that sum to one.
_NODES, _WEIGHTS = (part[4:].tolist() for part in np.polynomial.legendre.leggauss(8))

# Limits of standardised residuals for values and for gradients, as explained below: in float32
# 10³⁰, half the square of the first, is added up over any number of features; the square of the
# second, and its square in an optimiser's memory, are finite too.
_VALUE_LIMIT = {4: 1e15, 8: 1e140}  # by the bytes of the float type
_GRADIENT_LIMIT = {4: 1e8, 8: 1e70}
_COUNT_LIMIT = {4: 1e30, 8: 1e290}
_FINITE_LIMIT = {4: 1e37, 8: 1e150}

# softplus(_UNIT) = 1, so that a network's raw output of zero means a scale of one.
_UNIT = 0.5413248546129181


def scalar(value: int | float) -> Scalar:
    """Make a number a leaf of the default float type.

    Not ``jnp.asarray(value)``, whose type is weak: a reloaded leaf is not of weak type, so a
    compiled function would be compiled again for it.
    """
    return on_device(value)


def on_device(values: Any) -> Array:
    """Put host numbers onto the device, as leaves of the default float type.

    Not ``jnp.asarray(values)``, which compiles a program for each new shape.
    """
    return jax.device_put(np.asarray(values, jnp.result_type(float)))


def host_generator(key: PRNGKey) -> np.random.Generator:
    """Return a generator of the host that is seeded by a key.

    For draws of the shape of the data: on the device each new shape compiles a program.
    """
    return np.random.default_rng(np.asarray(jax.random.key_data(key)).tolist())


def positive(raw: Any) -> Any:
    """Map the real line onto the positive numbers, zero to one.

    A softplus: it grows linearly, where an exponential overflows float32 from 88 upwards and
    turns one large gradient step into a NaN; its gradient is nowhere zero, unlike that of a clamp.
    """
    if _on_host(raw):
        return np.logaddexp(raw + np.asarray(_UNIT, raw.dtype), np.zeros((), raw.dtype))
    return jax.nn.softplus(raw + _UNIT)


def _on_host(values: object) -> bool:
    """Whether numbers are of NumPy, whose arithmetic compiles nothing."""
    return isinstance(values, np.ndarray | np.generic)


def inverse_positive(value: Any) -> Any:
    """Undo :func:`positive`.

    log(eᵛ − 1) is written v + log(−expm1(−v)): exact for small v, no overflow for large.
    """
    xp: Any = np if _on_host(value) else jnp
    return value + xp.log(-xp.expm1(-value)) - _UNIT


@jax.custom_jvp
def bounded(raw: Float[Array, "*shape"], limit: Float[Array, "#*shape"]) -> Float[Array, "*shape"]:
    """Map the real line onto (−limit, limit), with slope one at zero.

    raw/√(1 + (raw/limit)²): its gradient falls as a power of raw, where a tanh's is an exact zero
    in float32 from nine limits on. An infinite limit leaves ``raw`` as it is. Beyond 10¹⁵ limits,
    whose squares end at 10³⁸, it is constant.
    """
    raw = jnp.clip(raw, -1e15 * limit, 1e15 * limit)
    return raw * jax.lax.rsqrt(1.0 + (raw / limit) ** 2)


@bounded.defjvp
def _bounded_jvp(at: tuple[Array, Array], along: tuple[Array, Array]) -> tuple[Array, Array]:
    # By the product rule a difference of two terms, equal in float32 from 4,000 limits on.
    u = jnp.clip(at[0] / at[1], -1e15, 1e15)
    root = jax.lax.rsqrt(1.0 + u**2)
    return bounded(*at), root**3 * along[0] + (u * root) ** 3 * along[1]


def saturating(x: Float[Array, "*shape"], limit: Float[Array, "#*shape"]) -> Float[Array, "*shape"]:
    """x itself up to ±limit, and from there 2·limit − limit²/|x|: at most twice the limit.

    Its slope is continuous. A network then receives a bounded value for a datum 10⁹ spreads away,
    so its outputs do not overflow.
    """
    size = jnp.abs(x)
    beyond = limit * (2.0 - limit / jnp.maximum(size, jnp.maximum(limit, 1e-30)))
    return jnp.where(size <= limit, x, jnp.sign(x) * beyond)


def soft_clip(raw: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """``raw`` within ±40; beyond, it grows as a logarithm.

    For use before a softplus, which is exactly zero in float32 below −104: a posterior of σ = 0 has
    an infinite rate. The gradient falls as 1/|raw|, where that of a clamp is zero.
    """
    clipped = jnp.clip(raw, -40.0, 40.0)
    return clipped + jnp.sign(raw) * jnp.log1p(jnp.abs(raw - clipped))


def clip_finite(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """x, clipped so that differences and sums stay finite: to ±10³⁷ in float32."""
    most = _FINITE_LIMIT[x.dtype.itemsize]
    return jnp.clip(x, -most, most)


def shrink_residual(
    residual: Float[Array, " d"], scale: Float[Array, "#d"]
) -> tuple[Float[Array, " d"], Scalar]:
    """Scale the residuals of one datum to at most 10⁸ scales; return them and the factor.

    For quadratic forms of all features together; :func:`restore_quadratic` puts the factor back.
    """
    most = _GRADIENT_LIMIT[residual.dtype.itemsize]
    furthest = jnp.max(jnp.abs(residual) / most / scale)
    times = jax.lax.stop_gradient(jnp.maximum(furthest, 1.0))
    return residual / times, times


def restore_quadratic(fall: Scalar, times: Scalar) -> Scalar:
    """Undo :func:`shrink_residual` in a quadratic form: factor times², up to 10¹⁵ scales.

    Further out it grows as the logarithm does. Its gradient grows as the logarithm throughout:
    see :func:`half_square`.
    """
    size = times.dtype.itemsize
    most = _VALUE_LIMIT[size] / _GRADIENT_LIMIT[size]
    near = jnp.minimum(times, most)
    factor = near**2 * (1.0 + 2.0 * jnp.log(times / near))
    differentiable = fall * (1.0 + 2.0 * jnp.log(times))
    return differentiable + jax.lax.stop_gradient(fall * factor - differentiable)


def _octaves(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """log₂ x for x ≥ 1, linear between powers of two: the bits of x, read as a whole number.

    It rises strictly with x, is continuous, has slope one at one, and costs a subtraction.
    """
    whole = jnp.int32 if x.dtype.itemsize == 4 else jnp.int64
    bits = jax.lax.bitcast_convert_type(x, whole)
    one = jax.lax.bitcast_convert_type(jnp.ones((), x.dtype), whole)
    return (bits - one).astype(x.dtype) * jnp.finfo(x.dtype).eps


def _compressed(size: Float[Array, "*shape"], limit: float) -> Float[Array, "*shape"]:
    """size ≥ 0 up to the limit; beyond, about limit · (1 + log₂(size/limit))."""
    beyond = _octaves(jnp.maximum(size, limit) / limit)
    return jnp.minimum(size, limit) + limit * beyond


def finite_count(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """A count x ≥ 0 for the computation of its probability: x up to 10³⁰ in float32.

    Beyond, it grows as a logarithm, so that x log x is finite, and falls with x, up to the
    largest float. It has no gradient: counts are data.
    """
    x = jax.lax.stop_gradient(x)
    return _compressed(x, _COUNT_LIMIT[x.dtype.itemsize])


@jax.custom_jvp
def half_square(
    residual: Float[Array, "*shape"], scale: Float[Array, "#*shape"]
) -> Float[Array, "*shape"]:
    r"""½ t² with t = residual/scale, in nats: the exponent of a Gaussian; always finite.

    .. math:: \tfrac12 t^2 \; (|t| \le T), \qquad
       \tfrac12 T^2 + T^2 \log_2(|t| / T) \; (|t| > T), \qquad T = 10^{15}

    in float32, whose squares end at |t| = 10¹⁹ (T = 10¹⁴⁰ in float64). The logarithm is the one
    of :func:`_octaves`; value and slope are continuous, and the value rises with |t| up to the
    type's largest number. At these distances the density falls as a power of the distance; both
    densities are negligible there.

    Gradients use min(|t|, 10⁸) (10⁷⁰), since an optimiser squares them and one row must not make
    its moments infinite. They are written out, since t/scale can overflow where the product with
    its weight does not.
    """
    t = jnp.abs(residual / scale)
    limit = _VALUE_LIMIT[t.dtype.itemsize]
    near = jnp.minimum(t, limit)
    return 0.5 * near * near + limit**2 * _octaves(jnp.maximum(t, limit) / limit)


@half_square.defjvp
def _half_square_jvp(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    residual, scale = primals
    t = residual / scale
    most = _GRADIENT_LIMIT[t.dtype.itemsize]
    clipped = jnp.clip(t, -most, most)
    tangent = clipped * (tangents[0] / scale) - clipped * clipped * (tangents[1] / scale)
    return half_square(residual, scale), tangent


@jax.custom_jvp
def absolute(
    residual: Float[Array, "*shape"], scale: Float[Array, "#*shape"]
) -> Float[Array, "*shape"]:
    """|residual|/scale, in nats: the exponent of a Laplace density; always finite.

    Exact up to 10³⁰ in float32; beyond, it grows as a logarithm. Gradients are limited as in
    :func:`half_square`.
    """
    t = jnp.abs(residual / scale)
    return _compressed(t, _COUNT_LIMIT[t.dtype.itemsize])


@absolute.defjvp
def _absolute_jvp(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    residual, scale = primals
    t = jnp.abs(residual / scale)
    clipped = jnp.minimum(t, _GRADIENT_LIMIT[t.dtype.itemsize])
    tangent = jnp.sign(residual) * (tangents[0] / scale) - clipped * (tangents[1] / scale)
    return absolute(residual, scale), tangent


@jax.custom_jvp
def log_one_plus_square(
    residual: Float[Array, "*shape"], scale: Float[Array, "#*shape"]
) -> Float[Array, "*shape"]:
    """log(1 + t²) with t = residual/scale: 2 log|t| where the square would overflow."""
    t = jnp.abs(residual / scale)
    t = jnp.minimum(t, jnp.finfo(t.dtype).max)
    far = t > _GRADIENT_LIMIT[t.dtype.itemsize]
    value = jnp.log1p(jnp.where(far, t, t * t))
    return jnp.where(far, 2.0 * value, value)


@log_one_plus_square.defjvp
def _log_one_plus_square_jvp(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    residual, scale = primals
    t = residual / scale
    most = _GRADIENT_LIMIT[t.dtype.itemsize]
    clipped = jnp.clip(t, -most, most)
    slope = 2.0 * clipped / (1.0 + clipped * clipped)
    tangent = slope * (tangents[0] / scale) - slope * clipped * (tangents[1] / scale)
    return log_one_plus_square(residual, scale), tangent


def invert(
    increasing: Callable[[Array], Array],
    value: Float[Array, "*shape"],
    low: float | Float[Array, "*shape"],
    high: float | Float[Array, "*shape"],
) -> Float[Array, "*shape"]:
    """Solve increasing(x) = value for x in [low, high], entry by entry.

    Bisection with one step for each bit of the type, since Newton steps can leave the support. A
    value outside the range gives the nearer end of the interval.
    """
    value = jnp.asarray(value)
    ends = jnp.full_like(value, low), jnp.full_like(value, high)

    def halve(_: Any, ends: tuple[Array, Array]) -> tuple[Array, Array]:
        middle = 0.5 * (ends[0] + ends[1])
        short = increasing(middle) < value
        return jnp.where(short, middle, ends[0]), jnp.where(short, ends[1], middle)

    ends = jax.lax.fori_loop(0, jnp.finfo(value.dtype).nmant + 8, halve, ends)
    return 0.5 * (ends[0] + ends[1])


def log_mean_exp(log_w: Float[Array, "s *batch"]) -> Float[Array, "*batch"]:
    """Log of the mean of exp(log_w) over the first axis.

    The maximum is subtracted first: importance weights of a VAE span hundreds of nats.
    """
    return jax.nn.logsumexp(log_w, axis=0) - jnp.log(log_w.shape[0])


def kl_to_standard_normal(mean: Latent, scale: Latent) -> Float[Array, " k"]:
    r"""KL(N(mean, scale²) ‖ N(0, 1)) for each latent, in nats.

    .. math:: \tfrac12 (\mu_j^2 + \sigma_j^2 - 1) - \log \sigma_j

    Near the prior the naive form cancels: with σ = 1 + e it subtracts numbers of size one to
    get e². (σ − 1)(σ + 1)/2 − log1p(σ − 1) keeps the digits, so that a collapsed latent's rate
    is zero rather than rounding noise. Far below one, σ − 1 rounds to −1 and the plain log is
    the exact one; each branch gets only arguments in its range, or its gradient is NaN.

    References: Kingma & Welling (2014), appendix B.
    """
    near = scale > 0.5
    excess = scale - 1.0
    log_near = jnp.log1p(jnp.where(near, excess, 0.0))
    log_far = jnp.log(jnp.where(near, 1.0, scale))
    return 0.5 * mean**2 + 0.5 * excess * (scale + 1.0) - jnp.where(near, log_near, log_far)


def log_growth(raw: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Log of a positive factor: ``raw`` up to 10, and 10 + log1p(raw − 10) beyond.

    The factor is an exponential, which suits rates that span decades, and grows linearly beyond
    e¹⁰, where an exponential would overflow float32 at 88. Its slope is continuous.
    """
    return jnp.minimum(raw, 10.0) + jnp.log1p(jnp.maximum(raw - 10.0, 0.0))


def compress_tails(value: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """``value`` up to ±10, and ±(10 + log1p(|value| − 10)) beyond.

    For the input of a network, where an outlier may be a million spreads away: without it, that row
    alone would determine the gradient and Adam's second moments. Its slope is continuous.
    """
    beyond = jnp.maximum(jnp.abs(value) - 10.0, 0.0)
    return value - jnp.sign(value) * (beyond - jnp.log1p(beyond))


def log_from(x: Float[Array, "*shape"], least: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    r"""``log x`` from ``least`` upwards, and its tangent there below: log ℓ + x/ℓ − 1.

    Its slope is 1/max(x, ℓ), so that a density of log x is bounded as one of x, and is finite at
    zero. ℓ is the resolution of the measurement.
    """
    above = jnp.maximum(x, least)
    return jnp.log(above) + (jnp.minimum(x, least) / least - 1.0)


def bounded_exp(value: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """exp, limited to finite positive numbers of its type."""
    kept = jnp.finfo(value.dtype)
    return jnp.exp(jnp.clip(value, math.log(kept.tiny) + 1.0, math.log(kept.max) - 1.0))


def weighted_mean(values: Float[Array, "*batch"], weights: Float[Array, "*batch"]) -> Scalar:
    """Mean over data with weights that are one, or zero for padding.

    Padding rows may hold any number: they are replaced before the sum, since 0·inf is NaN.
    """
    return weighted_sum(values, weights) / jnp.sum(weights)


def weighted_sum(values: Float[Array, "*batch"], weights: Float[Array, "*batch"]) -> Scalar:
    """Sum over data with weights that are zero for padding; see :func:`weighted_mean`."""
    return jnp.sum(jnp.where(weights > 0, values * weights, 0.0))


def stirling_excess(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    r"""s(x) = log Γ(1 + x) − x log x + x for x ≥ 0: concave, s(0) = 0, ½ log 2πx for large x.

    A log beta function, and that of a probability of counts, is a difference of numbers of size
    x; written with s it is one of size log x. By Stirling's series from 16 upwards, and at x + 8
    below, corrected by the product of the eight factors between: logarithms and divisions, which a
    processor vectorises, unlike log Γ and its derivative. The terms are ratios, so that none is
    large. Below 10⁻¹⁸, where s is zero to any precision and the square of x in the ratio's
    derivative underflows, the slope, infinite at zero, is that at 10⁻¹⁸.
    """
    large = x > 16.0
    w = jnp.where(large, x, x + 8.0)
    v = 1.0 / (w * w)
    series = 1 / 12 - v * (1 / 360 - v * (1 / 1260 - v * (1 / 1680 - v / 1188)))
    below = jnp.where(large, 8.0, x)
    ratios = functools.reduce(jnp.multiply, [(below + i) / (below + 8.0) for i in range(1, 8)])
    step = below * jnp.log((below + 8.0) / jnp.maximum(below, 1e-18))
    back = jnp.where(large, 0.0, step - 8.0 - jnp.log(ratios))
    return 0.5 * (LOG_2PI + jnp.log(w)) + series / w + back


def whiten_low_rank(
    value: Float[Array, " d"], factor: Float[Array, "k d"]
) -> tuple[Float[Array, " d"], Scalar]:
    r"""Whiten N(0, I + F⊤F): return v with \|v\|² = value⊤(I + F⊤F)⁻¹value, and log det(I + F⊤F).

    One factor f at a time: (I + f f⊤)^{−1/2} = I − c f f⊤, with c = 1/(√t (1 + √t)) and
    t = 1 + \|f\|². Cholesky of the k×k matrix I + F F⊤, as numpyro has it, fails in float32 as
    soon as two factors agree and \|f\|² exceeds 10⁷: the ones are lost to rounding. Here each term
    of the log determinant is log(1 + \|f\|²) ≥ 0 and \|v\|² is a sum of squares, so rounding cannot
    raise a density above its bound.
    """

    def step(
        carry: tuple[Array, Array, Scalar], _: None
    ) -> tuple[tuple[Array, Array, Scalar], None]:
        v, rest, log_det = carry
        f = rest[0]
        size = f @ f
        root = jnp.sqrt(1.0 + size)
        shrunk = f / (root * (1.0 + root))
        rest = rest - (rest @ f)[:, None] * shrunk
        return (v - (f @ v) * shrunk, jnp.roll(rest, -1, axis=0), log_det + jnp.log1p(size)), None

    start = (value, factor, jnp.zeros((), value.dtype))
    (whitened, _, log_det), _ = jax.lax.scan(step, start, length=factor.shape[0])
    return whitened, log_det


def log_normal_interval(
    low: Float[Array, "*shape"], high: Float[Array, "*shape"]
) -> Float[Array, "*shape"]:
    r"""Log of the standard normal probability of an interval, log[Φ(high) − Φ(low)], in nats.

    Ends are standardised, low < high, and may be infinite. The plain formula is −∞ in the tails
    and rounding noise for short intervals, and a difference of log Φ cancels in both. Reflected
    so that its middle m is at most zero, an interval of width w = b − a is one of three:

    - short, w < 1 and w|m| < 2: eight-point Gauss-Legendre quadrature around the middle, exact
      to 1e-15, whose nodes pair up into cosh;
    - left of zero: φ(b)·[M(−b) − e^{mw} M(−a)] with Mills' ratio M = (1 − Φ)/φ, where
      (b² − a²)/2 = mw is exact, so nothing cancels;
    - across zero and wide: 1 − Φ(a) − Φ(−b), of which at least a third is left.

    Each branch gets only arguments in its range, so gradients are finite in float32 from 1e-30 to
    1e18. Ends that round to one number are taken one rounding step apart.

    Examples
    --------
    >>> round(float(log_normal_interval(jnp.array(40.0), jnp.array(jnp.inf))), 3)
    -804.608
    """
    a, b = jnp.clip(low, -_FAR, _FAR), jnp.clip(high, -_FAR, _FAR)
    a, b = jnp.where(a + b > 0, -b, a), jnp.where(a + b > 0, -a, b)
    middle = 0.5 * (a + b)
    step = jnp.finfo(middle.dtype).eps * jnp.maximum(-0.5 * middle, 1e-30)
    width = jnp.maximum(b - a, step)
    short = (width < 1.0) & (-middle * width < 2.0)
    left, across = ~short & (b <= 0), ~short & (b > 0)
    near = _log_short(jnp.where(short, middle, 0.0), jnp.where(short, width, 0.5))
    tail = _log_left(jnp.where(left, b, -1.0), jnp.where(left, width, 1.0))
    wide = _log_across(jnp.where(across, a, -1.0), jnp.where(across, b, 1.0))
    return jnp.where(short, near, jnp.where(left, tail, wide))


def log_normal_below(residual: Array, scale: Array) -> Array:
    """log Φ(residual/scale), in nats, in both tails.

    Left of zero log φ + log M with Mills' ratio M, so that values and gradients are finite as those
    of :func:`half_square`; right of zero log1p of the other tail.
    """
    most = _VALUE_LIMIT[residual.dtype.itemsize] * scale
    t = jnp.clip(residual, -most, most) / scale
    left = t < 0
    tail = jnp.log(_mills(jnp.where(left, -t, 1.0))) - 0.5 * LOG_2PI
    tail = tail - half_square(jnp.where(left, residual, 0.0), scale)
    return jnp.where(left, tail, jnp.log1p(-jax.scipy.special.ndtr(jnp.where(left, 0.0, -t))))


def log_laplace_below(residual: Array, scale: Array) -> Array:
    """Log of the distribution function of a Laplace density, as :func:`log_normal_below`."""
    fall = absolute(residual, scale) + math.log(2.0)
    return jnp.where(residual < 0, -fall, jnp.log1p(-jnp.exp(-fall)))


def _log_short(middle: Array, width: Array) -> Array:
    nodes = [0.5 * width * node for node in _NODES]
    terms = [jnp.cosh(middle * node) * jnp.exp(-0.5 * node**2) for node in nodes]
    mean = sum(weight * term for weight, term in zip(_WEIGHTS, terms, strict=True))
    return -0.5 * (middle**2 + LOG_2PI) + jnp.log(width) + jnp.log(mean)


def _log_left(b: Array, width: Array) -> Array:
    faded = jnp.exp((b - 0.5 * width) * width)
    return -0.5 * (b**2 + LOG_2PI) + jnp.log(_mills(-b) - faded * _mills(width - b))


_erfcx = jax.custom_jvp(jax.scipy.special.erfcx)
_erfcx.defjvps(lambda g, ans, x: g * (2.0 * x * ans - 2.0 / math.sqrt(math.pi)))


def _mills(t: Array) -> Array:
    """Mills' ratio (1 − Φ(t))/φ(t) for t ≥ 0.

    From 11 upwards in float32, and 30 in float64, by its asymptotic series, exact to rounding
    there: JAX's erfcx is zero where exp(−t²/2) is a subnormal number that the processor flushes,
    and fails in JAX 0.12 at its second derivative under vmap, hence :func:`_erfcx`.
    """
    far = t > (11.0 if t.dtype == jnp.float32 else 30.0)
    near = math.sqrt(0.5 * math.pi) * _erfcx(jnp.where(far, 0.0, t) * math.sqrt(0.5))
    distant, series = jnp.where(far, t, 100.0), 1.0
    for odd in (11.0, 9.0, 7.0, 5.0, 3.0, 1.0):
        series = 1.0 - odd * (1.0 / distant**2) * series
    return jnp.where(far, series / distant, near)


def _log_across(a: Array, b: Array) -> Array:
    return jnp.log1p(-jax.scipy.special.ndtr(a) - jax.scipy.special.ndtr(-b))
