"""What the contract of continuous families asserts on: three programs a law, two a family.

Each is compiled once, whatever number of promises looks at its results, which are kept as NumPy.
"""

import functools
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from continuous_families import D, extremes, make_noise, panels, probes, raw_of

LEVELS = np.array([1e-5, 0.01, 0.15, 0.4, 0.5, 0.77, 0.99, 1 - 1e-5])
ALPHAS = np.array([-1.0, 0.0, 2.0])
FLOAT32_LEVELS = np.array([0.01, 0.3, 0.5, 0.9], np.float32)
FLOAT32_SIZES = (1.0, 4.0)
FAR = (-30.0, 0.0, 30.0)
RANDOM_SIZES = (1.0, 30.0)


class Facts(NamedTuple):
    """Of each row of raw outputs, shape (m, d), but for the last, (m,)."""

    mean: np.ndarray
    variance: np.ndarray
    median: np.ndarray
    log_prob_of_mean: np.ndarray


@eqx.filter_jit
def _facts(noise, raws):
    def of(raw):
        p = noise(raw)
        half = jnp.full(raw.size // noise.n_raw, 0.5)
        return Facts(p.mean, p.variance, p.icdf(half), p.log_prob(p.mean))

    return jax.vmap(of)(raws)


def facts(noise, *raws) -> Facts:
    """Moments, medians and densities of up to three rows; shapes, and so programs, are shared."""
    filled = [*raws, *[raws[0]] * (3 - len(raws))]
    found = _facts(noise, jnp.asarray(np.stack([np.asarray(raw) for raw in filled])))
    return Facts(*(np.asarray(each)[: len(raws)] for each in found))


class Panel(NamedTuple):
    """One feature by quadrature, in float64: its mass at each node, and what the law states."""

    nodes: np.ndarray
    mass: np.ndarray
    cdf: np.ndarray
    mean: float
    variance: float


@eqx.filter_jit
def _density(noise, raw, y):
    p = noise(raw)
    return jax.vmap(p.log_prob)(y), jax.vmap(p.cdf)(y)


@functools.cache
def panel(name: str) -> Panel:
    with jax.enable_x64(True):
        noise = make_noise(name, 1)
        raw = raw_of(noise, 1, seed=3)
        stated = facts(noise, raw)
        mean, variance = float(stated.mean[0, 0]), float(stated.variance[0, 0])
        y, weights = panels(noise, raw, mean, variance)
        log_prob, cdf = _density(noise, raw, jnp.asarray(y)[:, None])
        return Panel(y, weights * np.exp(log_prob), np.asarray(cdf)[:, 0], mean, variance)


@eqx.filter_jit
def _undone(noise, raws, levels, alphas):
    """cdf of quantiles, and of coupled draws, at each row of raw outputs."""

    def of(raw):
        p = noise(raw)
        found = jnp.concatenate([jax.vmap(p.icdf)(levels), jax.vmap(p.coupled)(alphas)])
        return jax.vmap(p.cdf)(found)

    return jax.vmap(of)(raws)


@functools.cache
def undone(name: str) -> tuple[np.ndarray, np.ndarray]:
    """cdf of the quantiles at ``LEVELS``, and of the draws coupled at ``ALPHAS``, in float64."""
    with jax.enable_x64(True):
        noise = make_noise(name)
        raws = jnp.stack([raw_of(noise, seed=5), raw_of(noise, seed=9)])
        found = np.asarray(_undone(noise, raws, jnp.asarray(LEVELS), jnp.asarray(ALPHAS)))
    return found[0, : len(LEVELS)], found[1, len(LEVELS) :]


class Single(NamedTuple):
    """In float32, as models compute."""

    quantiles: np.ndarray  # (sizes, levels, d)
    reached: np.ndarray  # cdf of the quantiles, and of them a rounding below and above
    below: np.ndarray
    above: np.ndarray
    drawn: np.ndarray  # (4000, d)
    drawn_cdf: np.ndarray
    far: np.ndarray  # draws coupled at ``FAR``, (3, d)
    mapped: np.ndarray  # log densities of three rows mapped over, and one by one
    one_by_one: np.ndarray


@eqx.filter_jit
def _single(noise, raws, key):
    def quantiles(raw):
        p = noise(raw)
        y = jax.vmap(p.icdf)(jnp.asarray(FLOAT32_LEVELS))
        step = 4e-7 * jnp.maximum(jnp.abs(y), 0.1)
        return y, jax.vmap(jax.vmap(p.cdf))(jnp.stack([y, y - step, y + step]))

    y, reached = jax.vmap(quantiles)(raws["sized"])
    drawn = noise(raws["drawn"]).sample(key, (4000,))
    far = jax.vmap(noise(raws["rows"][0]).coupled)(jnp.asarray(FAR))

    def density(raw):
        return noise(raw).log_prob(jnp.full(D, 0.4))

    mapped, one_by_one = jax.vmap(density)(raws["rows"]), jax.lax.map(density, raws["rows"])
    cdf = jax.vmap(noise(raws["drawn"]).cdf)(drawn)
    return Single(y, *jnp.moveaxis(reached, 1, 0), drawn, cdf, far, mapped, one_by_one)


@functools.cache
def single(name: str) -> Single:
    noise = make_noise(name)
    raws = {
        "sized": jnp.stack([raw_of(noise, seed=6, size=size) for size in FLOAT32_SIZES]),
        "drawn": raw_of(noise, seed=7),
        "rows": jnp.stack([raw_of(noise, seed=seed) for seed in range(3)]),
    }
    return Single(*map(np.asarray, _single(noise, raws, jax.random.key(8))))


class Responses(NamedTuple):
    """Densities and gradients at the probes of extreme raw outputs, and of random ones."""

    extreme: list[np.ndarray]  # log densities, one array for each setting of the learned leaves
    gradients: list[Any]  # with the values that came with them
    random: dict[float, np.ndarray]  # log densities by the size of the raw outputs


@eqx.filter_jit
def _responses(noise, raws):
    def of(leaves, raw, y):
        driven = eqx.tree_at(lambda n: n.parameters(), noise, leaves) if leaves else noise
        return driven(raw).log_prob(y)

    slopes = jax.vmap(jax.value_and_grad(of, argnums=(0, 1)), (None, None, 0))

    def at(raw):
        y = probes(noise, raw)
        return jax.vmap(noise(raw).log_prob)(y), slopes(noise.parameters(), raw, y)

    return jax.vmap(at)(raws)


@functools.cache
def responses(name: str) -> Responses:
    noise = make_noise(name)
    random = [
        np.asarray(raw_of(noise, seed=seed, size=size))
        for size in RANDOM_SIZES
        for seed in range(20)
    ]
    extreme, gradients = [], []
    for driven, raws in extremes(noise):
        n = len(raws)
        rows = jnp.asarray(np.concatenate([raws, random]))
        values, slopes = jax.tree.map(np.asarray, _responses(driven, rows))
        extreme.append(values[:n])
        gradients.append(jax.tree.map(lambda leaf, n=n: leaf[:n], slopes))
    if noise.parameters():
        values = np.asarray(_responses(noise, rows)[0])
    by_size = np.split(values[n:], len(RANDOM_SIZES))
    return Responses(extreme, gradients, dict(zip(RANDOM_SIZES, by_size, strict=True)))
