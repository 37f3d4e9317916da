"""Every family on whole numbers, with data for it: what the contract is asked of."""

import jax
import jax.numpy as jnp

from wellposed.noise import (
    Bernoulli,
    BetaBinomial,
    Categorical,
    DiscretizedGaussian,
    DiscretizedLogistic,
    NegativeBinomial,
    Poisson,
)
from wellposed.transforms import Moments

LEVELS, D = 17, 4

FAMILIES = {
    "bernoulli": Bernoulli,
    "beta-binomial": BetaBinomial,
    "categorical": Categorical,
    "discretized-gaussian": DiscretizedGaussian,
    "discretized-gaussian, one a feature": lambda: DiscretizedGaussian(variance="feature"),
    "discretized-gaussian, conditional": lambda: DiscretizedGaussian(variance="conditional"),
    "discretized-gaussian, three": lambda: DiscretizedGaussian(mixture=3),
    "discretized-logistic": DiscretizedLogistic,
    "discretized-logistic, shared": lambda: DiscretizedLogistic(variance="shared"),
    "discretized-logistic, given": lambda: DiscretizedLogistic(variance=2.0),
    "discretized-logistic, five": lambda: DiscretizedLogistic(mixture=5),
    "negative-binomial": NegativeBinomial,
    "negative-binomial, shared": lambda: NegativeBinomial(dispersion="shared"),
    "negative-binomial, conditional": lambda: NegativeBinomial(dispersion="conditional"),
    "poisson": Poisson,
}
ON_LEVELS = [name for name in FAMILIES if "discretized" in name or "be" in name[:2]]


def moments(varies=(True,) * D, binary: bool = False) -> Moments:
    varies = jnp.asarray(varies)
    mean = jnp.array([0.5, 3.0, 8.0, 14.0])
    variance = jnp.array([0.7, 4.0, 20.0, 16.0])
    if binary:
        mean = jnp.array([0.1, 0.5, 0.7, 0.95])
        variance = mean * (1 - mean)
    return Moments(
        mean=jnp.where(varies, mean, jnp.round(mean)),
        variance=jnp.where(varies, variance, 0.0),
        resolution=jnp.ones(D),
        varies=varies,
        n=200,
        highs=jnp.full(D, 1.0 if binary else LEVELS - 1.0),
    )


def initialise(name: str, **of_moments):
    return FAMILIES[name]().initialise(moments(binary=name == "bernoulli", **of_moments))


def raw_of(noise, seed: int = 0, size: float = 0.7) -> jax.Array:
    return size * jax.random.normal(jax.random.key(seed), (noise.n_raw * D,))
