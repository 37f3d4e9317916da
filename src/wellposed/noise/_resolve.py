"""From a user's number or word to a noise model."""

from collections.abc import Callable

from wellposed._errors import unknown_name

from .causal.gaussian import CausalGaussian
from .causal.logistic import CausalLogistic
from .counts.negative_binomial import NegativeBinomial
from .counts.poisson import Poisson
from .levels.bernoulli import Bernoulli
from .levels.beta_binomial import BetaBinomial
from .levels.categorical import Categorical
from .levels.discretized_gaussian import DiscretizedGaussian
from .levels.discretized_logistic import DiscretizedLogistic
from .parts.abstract import AbstractNoise
from .parts.scale import LEARNED
from .positive.gamma import Gamma
from .positive.log_normal import LogNormal
from .positive.zero_inflated import ZeroInflated
from .real.gaussian import Gaussian
from .real.laplace import Laplace
from .real.low_rank import LowRankGaussian
from .real.quantile import Quantile
from .real.student_t import StudentT
from .unit.beta import Beta
from .unit.continuous_bernoulli import ContinuousBernoulli
from .unit.truncated_normal import TruncatedNormal

# Families by name, each with its own defaults.
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


def resolve(noise: float | str | AbstractNoise) -> AbstractNoise:
    """Turn a number or word into a noise model; a model is returned as it is.

    A positive number is a Gaussian's σ², given; "shared", "feature" and "conditional" are
    Gaussians that learn it; the other words are families with their defaults.

    Raises
    ------
    SettingError
        For an unknown word, and for a variance that is not positive.
    """
    if isinstance(noise, AbstractNoise):
        return noise
    if isinstance(noise, str) and noise.replace("_", "-") in FAMILIES:
        return FAMILIES[noise.replace("_", "-")]()
    if isinstance(noise, str) and noise not in LEARNED:
        raise unknown_name("noise", noise, (*LEARNED, *FAMILIES))
    return Gaussian(noise)
