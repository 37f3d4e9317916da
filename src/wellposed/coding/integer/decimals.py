"""Functions to thirty digits in decimal arithmetic, which is the same on every machine."""

import decimal
import functools
from collections.abc import Callable
from decimal import Decimal

Function = Callable[[Decimal], Decimal]

_DIGITS = 34
_CONTEXT = decimal.Context(prec=_DIGITS, rounding=decimal.ROUND_HALF_EVEN)

# softplus(_UNIT) = 1, as in wellposed.numerics: log(e − 1).
_FAR_NORMAL = 10  # deviations, beyond which a tail has less than 2^-75
_PI = Decimal("3.141592653589793238462643383279502884")
with decimal.localcontext(_CONTEXT):
    _UNIT = (Decimal(1).exp() - 1).ln()
    _ROOT_TWO_PI = (2 * _PI).sqrt()


def exp(x: Decimal) -> Decimal:
    """eˣ."""
    return x.exp()


def sigmoid(x: Decimal) -> Decimal:
    """1/(1 + e⁻ˣ)."""
    return 1 / (1 + (-x).exp())


def softplus(x: Decimal) -> Decimal:
    """log(1 + eˣ), to 34 significant digits where x is negative too."""
    small = (-abs(x)).exp()
    if small > Decimal("1e-8"):
        log_one_plus = (1 + small).ln()
    else:
        log_one_plus = small * (1 - small / 2 + small * small / 3 - small**3 / 4)
    return max(x, Decimal(0)) + log_one_plus


def positive(x: Decimal) -> Decimal:
    """The map from raw scales to scales: softplus(x + log(e − 1)), which is one at zero."""
    return softplus(x + _UNIT)


def inverse_positive(x: Decimal) -> Decimal:
    """One over :func:`positive`."""
    return 1 / positive(x)


def laplace(x: Decimal) -> Decimal:
    """Distribution function of a Laplace density of scale one."""
    tail = (-abs(x)).exp() / 2
    return tail if x < 0 else 1 - tail


def tanh(x: Decimal) -> Decimal:
    """tanh x."""
    return 2 * sigmoid(2 * x) - 1


def gelu(x: Decimal) -> Decimal:
    """x Φ(x) in its usual approximation by tanh (Hendrycks & Gimpel, 2016)."""
    inner = (2 / _PI).sqrt() * (x + Decimal("0.044715") * x**3)
    return x * (1 + tanh(inner)) / 2


def normal(x: Decimal) -> Decimal:
    r"""Φ(x) = ½ + φ(x) Σ_n x^{2n+1}/(2n + 1)!!, for |x| ≤ 10."""
    term = total = x
    n = 1
    while abs(term) > Decimal("1e-36"):
        n += 2
        term = term * x * x / n
        total += term
    return Decimal("0.5") + (-x * x / 2).exp() / _ROOT_TWO_PI * total


def beyond_relu(function: Function) -> Function:
    """The function less max(x, 0)."""
    return lambda x: function(x) - max(x, Decimal(0))


def grown(limit: Decimal) -> Function:
    """e to the power of x/√(1 + (x/limit)²): see :func:`wellposed.numerics.bounded`."""
    return lambda x: (x / (1 + (x / limit) ** 2).sqrt()).exp()


def student_tail(degrees: str) -> Function:
    r"""P(T > t) of a Student t of even degrees ν, or of a normal for "inf", by octaves of 1 + t.

    .. math:: 1 + t = 2^{\lfloor x \rfloor} (1 + x - \lfloor x \rfloor), \qquad
       P(|T| < t) = \sin θ \sum_{i < ν/2} \frac{(2i - 1)!!}{(2i)!!} \cos^{2i} θ, \quad
       \tan θ = t/\sqrt ν

    References: Abramowitz & Stegun (1964), 26.7.4.
    """

    def tail(x: Decimal) -> Decimal:
        octave = int(x)
        t = 2**octave * (1 + x - octave) - 1
        if degrees == "inf":
            return 1 - normal(t) if t < _FAR_NORMAL else Decimal(0)
        nu = int(degrees)
        square = nu / (nu + t * t)
        term = inside = Decimal(1)
        for i in range(1, nu // 2):
            term = term * square * (2 * i - 1) / (2 * i)
            inside += term
        return (1 - inside * t / (nu + t * t).sqrt()) / 2

    return tail


def inverse_degrees(least: Decimal) -> Function:
    """One over ν = ν₀ + (8 − ν₀) positive(x): see :class:`wellposed.noise.StudentT`."""
    return lambda x: 1 / (least + (8 - least) * positive(x))


def exp_rest(x: Decimal) -> Decimal:
    """(eˣ − 1 − x)/x², ½ at zero; of points that are zero or no nearer to it than 1/64."""
    return (x.exp() - 1 - x) / (x * x) if x else Decimal("0.5")


FUNCTIONS: dict[str, Function] = {
    "exp": exp,
    "exp-rest": exp_rest,
    "sigmoid": sigmoid,
    "positive": positive,
    "inverse_positive": inverse_positive,
    "laplace": laplace,
    "log": lambda x: (1 + x).ln(),
    "log2": lambda x: (1 + x).ln() / Decimal(2).ln(),
    "normal": normal,
    "tanh": tanh,
    "silu": beyond_relu(lambda x: x * sigmoid(x)),
    "gelu": beyond_relu(gelu),
    "softplus": beyond_relu(softplus),
    "elu": beyond_relu(lambda x: x if x > 0 else x.exp() - 1),
}


@functools.cache
def values(name: str, low: int, high: int, per_unit: int, scale: int) -> tuple[int, ...]:
    """Return a function on a grid, times ``scale``, rounded to whole numbers.

    Parameters
    ----------
    name : of FUNCTIONS; or "grown:" and the limit, "degrees:" and the least, as decimal numbers;
        or "student:" and the degrees
    low, high : ends of the grid, both included
    per_unit : points to a unit
    scale : factor

    Examples
    --------
    >>> values("sigmoid", -1, 1, 1, 1000)
    (269, 500, 731)
    """
    function = _function(name)
    with decimal.localcontext(_CONTEXT):
        points = range(low * per_unit, high * per_unit + 1)
        each = (function(Decimal(point) / per_unit) * scale for point in points)
        return tuple(int(v.to_integral_value()) for v in each)


def _function(name: str) -> Function:
    kind, _, setting = name.partition(":")
    if kind == "student":
        return student_tail(setting)
    if kind == "degrees":
        return inverse_degrees(Decimal(setting))
    return grown(Decimal(setting)) if kind == "grown" else FUNCTIONS[kind]
