"""Every continuous observation family, with data for it: what the contract is asked of."""

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from wellposed.noise import (
    AbstractNoise,
    Beta,
    ContinuousBernoulli,
    Gaussian,
    Laplace,
    LowRankGaussian,
    Quantile,
    Rescaled,
    StudentT,
    TruncatedNormal,
)
from wellposed.transforms import UNIT, Moments

D = 4
LEARNED = ("shared", "feature", "conditional")
PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "own-noise.md"


def class_of_the_page() -> type[AbstractNoise]:
    """The family that docs/how-to/own-noise.md writes, by its first block of Python."""
    block = re.search(r"^```python\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    names: dict = {"__name__": "own_noise"}
    exec(block.group(1), names)
    return names["Logistic"]


Logistic = class_of_the_page()
RESCALED = 1.4

FAMILIES = {
    **{f"gaussian-{kind}": Gaussian(kind) for kind in (0.3, *LEARNED)},
    **{f"laplace-{kind}": Laplace(kind) for kind in (0.3, *LEARNED)},
    **{f"student-t-{kind}": StudentT(kind, degrees=kind) for kind in LEARNED},
    "student-t-given": StudentT(0.3, degrees=5.0),
    **{f"truncated-normal-{kind}": TruncatedNormal(kind) for kind in (0.02, *LEARNED)},
    **{f"beta-{kind}": Beta(kind) for kind in (12.0, *LEARNED)},
    "continuous-bernoulli": ContinuousBernoulli(),
    **{f"quantile-{kind}": Quantile(scale=kind) for kind in (0.3, *LEARNED)},
    "quantile-one-head": Quantile((0.2,)),
    "quantile-skew-levels": Quantile((0.05, 0.3, 0.6, 0.9), "feature"),
    **{f"low-rank-{kind}": LowRankGaussian(2, kind) for kind in (0.3, *LEARNED)},
    **{f"logistic-{kind}": Logistic(kind) for kind in ("shared", "conditional")},
    "rescaled-gaussian-shared": Rescaled(Gaussian("shared"), 0.6),
    "rescaled-laplace-conditional": Rescaled(Laplace("conditional"), RESCALED),
}


def moments_for(noise: AbstractNoise, d: int = D, *, varies: object = True) -> Moments:
    """Moments of data on the family's support, standardised where that is the real line."""
    if noise.support == UNIT:
        mean, variance = [0.5, 0.2, 0.9, 0.05], [0.04, 0.02, 0.01, 0.002]
        resolution = 0.02
    else:
        mean, variance, resolution = [0.0] * 4, [1.0, 4.0, 0.5, 2.0], 0.1
    varying = np.broadcast_to(varies, (d,))
    return Moments(
        mean=jnp.asarray(mean[:d]),
        variance=jnp.where(varying, jnp.asarray(variance[:d]), 0.0),
        resolution=jnp.full(d, resolution),
        varies=jnp.asarray(varying),
        n=100,
    )


def make_noise(name: str, d: int = D, *, varies: object = True) -> AbstractNoise:
    """A family of the registry, initialised."""
    noise = FAMILIES[name]
    return noise.initialise(moments_for(noise, d, varies=varies))


def raw_of(noise: AbstractNoise, d: int = D, *, seed: int = 0, size: float = 1.0) -> jax.Array:
    return size * jax.random.normal(jax.random.key(seed), (noise.n_raw * d,))


def fill(leaf: jax.Array, value: float) -> jax.Array:
    """Like ``jnp.full_like``, without a program."""
    return jnp.asarray(np.full(leaf.shape, value, leaf.dtype))


def extremes(noise: AbstractNoise, d: int = D, *, size: float = 1e4) -> Iterator[tuple]:
    """Pairs of a noise with its learned leaves driven far, and raw outputs, block by block.

    The location of a family on the real line stays: the density only moves with it.
    """
    leaves = noise.parameters()
    first = (-size, 0.0, size) if noise.support == UNIT else (0.0,)
    others = itertools.product((-size, 0.0, size), repeat=noise.n_raw - 1)
    blocks = np.array([(a, *rest) for a in first for rest in others])
    raws = jnp.asarray(np.repeat(blocks, d, axis=1), jnp.result_type(float))
    for signs in itertools.product((-size, 0.0, size), repeat=len(leaves)):
        values = tuple(fill(leaf, sign) for leaf, sign in zip(leaves, signs, strict=True))
        driven = eqx.tree_at(lambda n: n.parameters(), noise, values) if leaves else noise
        yield driven, raws


def probes(noise: AbstractNoise, raw: jax.Array) -> jax.Array:
    """Data at which a density may be highest, or its gradient lost, shape (m, d)."""
    p = noise(raw)
    levels = jnp.asarray([1e-6, 0.1, 0.16, 0.2, 0.5, 0.7, 0.86, 0.9, 1 - 1e-6], raw.dtype)
    points = jnp.concatenate([jax.vmap(p.icdf)(levels), p.mean[None]])
    if noise.support == UNIT:
        ends = jnp.asarray([0.0, 1e-6, 0.5, 1 - 1e-6, 1.0], raw.dtype)
        ends = jnp.broadcast_to(ends[:, None], (5, p.mean.size))
        return jnp.clip(jnp.concatenate([points, ends]), 0.0, 1.0)
    far = jnp.asarray([-1e4, -5.0, 0.0, 5.0, 1e4], raw.dtype)[:, None]
    return jnp.concatenate([points, jnp.broadcast_to(far, (5, p.mean.size))])


def panels(
    noise: AbstractNoise, raw: jax.Array, mean: float, variance: float, panels: int = 4000
) -> tuple[np.ndarray, ...]:
    """Nodes and weights of composite Gauss-Legendre over the support, kinks on panel edges."""
    if noise.support == UNIT:
        edges = 0.5 * (1 - np.cos(np.linspace(0, np.pi, panels + 1)))
    else:
        edges = mean + np.sqrt(variance) * np.sinh(np.linspace(-18, 18, panels + 1))
    kinks = [mean]
    if isinstance(noise, Quantile):
        kinks += [float(head) for head in np.asarray(noise.quantiles(raw))[:, 0]]
    edges = np.unique(np.concatenate([edges, kinks]))
    nodes, weights = np.polynomial.legendre.leggauss(12)
    half = 0.5 * np.diff(edges)[:, None]
    middle = 0.5 * (edges[1:] + edges[:-1])[:, None]
    return (middle + half * nodes).ravel(), (half * weights).ravel()
