"""From a user's number or word to a noise model."""

from collections.abc import Callable

from wellposed._errors import unknown_name

from ._abstract import AbstractNoise
from ._bernoulli import Bernoulli
from ._beta_binomial import BetaBinomial
from ._categorical import Categorical
from ._causal_gaussian import CausalGaussian
from ._causal_logistic import CausalLogistic
from ._discretized_gaussian import DiscretizedGaussian
from ._discretized_logistic import DiscretizedLogistic
from ._gaussian import Gaussian
from ._negative_binomial import NegativeBinomial
from ._poisson import Poisson
from ._scale import LEARNED

# Families by name, each with its own defaults.
FAMILIES: dict[str, Callable[[], AbstractNoise]] = {
    "bernoulli": Bernoulli,
    "beta-binomial": BetaBinomial,
    "categorical": Categorical,
    "causal-gaussian": CausalGaussian,
    "causal-logistic": CausalLogistic,
    "discretized-gaussian": DiscretizedGaussian,
    "discretized-logistic": DiscretizedLogistic,
    "negative-binomial": NegativeBinomial,
    "poisson": Poisson,
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
    if isinstance(noise, str) and noise in FAMILIES:
        return FAMILIES[noise]()
    if isinstance(noise, str) and noise not in LEARNED:
        raise unknown_name("noise", noise, (*LEARNED, *FAMILIES))
    return Gaussian(noise)
