"""From a user's number or word to a noise model."""

from collections.abc import Callable

from wellposed._errors import unknown_name

from .causal import CausalGaussian, CausalLogistic
from .counts import NegativeBinomial, Poisson
from .levels import (
    Bernoulli,
    BetaBinomial,
    Categorical,
    DiscretizedGaussian,
    DiscretizedLogistic,
)
from .parts import AbstractNoise
from .parts.scale import LEARNED
from .positive import Gamma, LogNormal, ZeroInflated
from .real import Gaussian, Laplace, LowRankGaussian, Quantile, StudentT
from .unit import Beta, ContinuousBernoulli, TruncatedNormal

FAMILIES: dict[str, Callable[[], AbstractNoise]] = {
    "bernoulli": Bernoulli,
    "beta": Beta,
    "beta-binomial": BetaBinomial,
    "categorical": Categorical,
    "causal-gaussian": CausalGaussian,
    "causal-logistic": CausalLogistic,
    "continuous-bernoulli": ContinuousBernoulli,
    "discretized-gaussian": DiscretizedGaussian,
    "discretized-logistic": DiscretizedLogistic,
    "gamma": Gamma,
    "laplace": Laplace,
    "log-normal": LogNormal,
    "low-rank": LowRankGaussian,
    "negative-binomial": NegativeBinomial,
    "poisson": Poisson,
    "quantile": Quantile,
    "student-t": StudentT,
    "truncated-normal": TruncatedNormal,
    "zero-inflated": ZeroInflated,
}
"""Noise families by the names that ``noise=`` takes, each with its default settings."""


def resolve(noise: float | str | AbstractNoise) -> AbstractNoise:
    """Turn a number or word into a noise model; a model is returned as it is.

    Parameters
    ----------
    noise : positive number, word or noise model
        A number is a Gaussian's σ², given; "shared", "feature" and "conditional" are Gaussians
        that learn it; the other words are families with their defaults.

    Raises
    ------
    SettingError
        For an unknown word, and for a variance that is not positive.

    Examples
    --------
    >>> resolve("student-t").n_raw, resolve("conditional").n_raw, resolve(0.1).variance().item()
    (1, 2, 0.10000000149011612)
    >>> sorted(FAMILIES)[:3]
    ['bernoulli', 'beta', 'beta-binomial']
    """
    if isinstance(noise, AbstractNoise):
        return noise
    if isinstance(noise, str) and noise.replace("_", "-") in FAMILIES:
        return FAMILIES[noise.replace("_", "-")]()
    if isinstance(noise, str) and noise not in LEARNED:
        raise unknown_name("noise", noise, (*LEARNED, *FAMILIES))
    return Gaussian(noise)
