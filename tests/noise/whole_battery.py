"""What the contract of families on whole numbers asserts on: three programs a family.

Each is compiled once, whatever number of promises looks at its results, which are kept as NumPy.
"""

import functools
import math
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from whole_families import D, initialise, raw_of

QUANTILES = np.array([1e-4, 0.2, 0.5, 0.77, 0.999])
ROW = np.array([0.0, 1.0, 1.0, 0.0])
SIZES = (1.0, 30.0, 1e4)
FAR = (30.0, 1e4)


def values_of(noise) -> np.ndarray:
    """Every level; of counts, all but a tail of 1e-9."""
    return np.arange(noise.support.high + 1 if math.isfinite(noise.support.high) else 1500)


class Table(NamedTuple):
    """What a law states of its values, one a feature, in float64."""

    mass: np.ndarray  # (values, d)
    cdf: np.ndarray
    cdf_below: np.ndarray  # at −1, (d,)
    quantiles: np.ndarray  # at ``QUANTILES``, (levels, d)
    mean: np.ndarray
    variance: np.ndarray
    row: np.ndarray  # log density of ``ROW``, and of each of its features
    row_each: np.ndarray
    event_shape: tuple[int, ...]


@eqx.filter_jit
def _table(noise, raw, values, levels, row):
    p = noise(raw)
    spread = jnp.broadcast_to(values[:, None], (len(values), D))
    return (
        jax.vmap(p.feature_log_prob)(spread),
        jax.vmap(p.cdf)(spread),
        p.cdf(jnp.full(D, -1.0)),
        jax.vmap(p.icdf)(levels),
        p.mean,
        p.variance,
        p.log_prob(row),
        p.feature_log_prob(row),
        jnp.zeros(p.event_shape),
    )


@functools.cache
def table(name: str, varies: tuple[bool, ...] = (True,) * D) -> Table:
    with jax.enable_x64(True):
        noise = initialise(name, varies=varies)
        raw = raw_of(noise)
        values = jnp.asarray(values_of(noise), float)
        found = _table(noise, raw, values, jnp.asarray(QUANTILES), jnp.asarray(ROW))
        log_mass, *others, event = map(np.asarray, found)
        return Table(np.exp(log_mass), *others, event.shape)


@eqx.filter_jit
def _draws(noise, raw, values, key):
    p = noise(raw)
    each = jax.vmap(lambda v: p.feature_log_prob(jnp.full(D, v)))(values)
    return jax.vmap(p.sample)(jax.random.split(key, 20_000)), each


def draws(name: str, varies: tuple[bool, ...]) -> tuple[np.ndarray, np.ndarray]:
    """20,000 draws, and the probability of each value, both as float32 has them."""
    noise = initialise(name, varies=varies)
    values = jnp.asarray(values_of(noise), float)
    drawn, each = _draws(noise, raw_of(noise), values, jax.random.key(1))
    return np.asarray(drawn), np.exp(np.asarray(each, np.float64))


class Responses(NamedTuple):
    """In float32, at extreme raw outputs."""

    values: dict[float, np.ndarray]  # log densities by the size of the raw outputs
    slopes: dict[float, np.ndarray]
    facts: list[np.ndarray]  # mean, variance, draws and coupled draws


@eqx.filter_jit
def _responses(noise, raws, ys, far):
    def log_prob(raw, y):
        return noise(raw).log_prob(y)

    def everything(raw):
        p = noise(raw)
        return p.mean, p.variance, p.sample(jax.random.key(0)), p.coupled(jnp.asarray(1.0))

    both = jax.vmap(jax.vmap(jax.value_and_grad(log_prob), (0, None)), (None, 0))
    return both(raws, ys), jax.vmap(everything)(far)


@functools.cache
def responses(name: str) -> Responses:
    noise = initialise(name)
    top = noise.support.high if math.isfinite(noise.support.high) else 1e5
    ys = np.broadcast_to(np.array([[0.0], [1.0], [top // 2], [top]], np.float32), (4, D))
    signs = np.asarray(jax.random.rademacher(jax.random.key(2), (24, noise.n_raw * D)))
    normal = np.asarray(jax.random.normal(jax.random.key(3), signs.shape))
    unit = np.concatenate([signs, normal]).astype(np.float32)
    raws = np.concatenate([np.float32(size) * unit for size in SIZES])
    far = np.stack([np.asarray(raw_of(noise, seed, size)) for size in FAR for seed in range(4)])
    (values, slopes), facts = _responses(noise, *map(jnp.asarray, (raws, ys, far)))
    values = np.split(np.asarray(values), len(SIZES), axis=1)
    slopes = np.split(np.asarray(slopes), len(SIZES), axis=1)
    return Responses(
        dict(zip(SIZES, values, strict=True)),
        dict(zip(SIZES, slopes, strict=True)),
        [np.asarray(each) for each in facts],
    )


@eqx.filter_jit
def _fresh(noise, data):
    p = noise(jnp.zeros(noise.n_raw * D))
    return p.mean, p.variance, jax.vmap(noise.encoder_input)(data)


def fresh(noise, data: np.ndarray) -> tuple[np.ndarray, ...]:
    """Mean and variance of a fresh decoder, and what the encoder sees of data."""
    return tuple(map(np.asarray, _fresh(noise, jnp.asarray(data, jnp.float32))))
