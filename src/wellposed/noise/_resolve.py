"""From a user's number or word to a noise model."""

from collections.abc import Callable

from wellposed._errors import unknown_name

from ._abstract import AbstractNoise
from ._bernoulli import Bernoulli
from ._beta import Beta
from ._beta_binomial import BetaBinomial
from ._categorical import Categorical
from ._causal_gaussian import CausalGaussian
from ._causal_logistic import CausalLogistic
from ._continuous_bernoulli import ContinuousBernoulli
from ._discretized_gaussian import DiscretizedGaussian
from ._discretized_logistic import DiscretizedLogistic
from ._gamma import Gamma
from ._gaussian import Gaussian
from ._laplace import Laplace
from ._log_normal import LogNormal
from ._low_rank import LowRankGaussian
from ._negative_binomial import NegativeBinomial
from ._poisson import Poisson
from ._quantile import Quantile
from ._scale import LEARNED
from ._student_t import StudentT
from ._truncated_normal import TruncatedNormal
from ._zero_inflated import ZeroInflated

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
