"""Steps of a training whose batches are spread over devices.

A step is three programs: each device sums over its shards; all exchange and add these sums; each
takes the same step. The first and the last are programs of one process, and the second holds
nothing but additions, so that processes with a device each round alike, however many they are: in a
program of several processes, what the compiler fuses, and so rounds, depends on their number.
"""

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jax.sharding import Mesh, PartitionSpec
from jaxtyping import Array, Float, Int

from wellposed import hosts
from wellposed._compiled import compiled, compiled_soon
from wellposed._typing import Data, PRNGKey, Scalar, Tree
from wellposed.nn import products_in
from wellposed.numerics import weighted_sum
from wellposed.objectives import AbstractObjective

from .._epoch import N_FIGURES, Metrics, TrainState, of_rows, steps_in
from .._optimiser import Rates, squared_norm, update
from .._rows import Rows
from .data_mesh import DataMesh, on_one_device
from .tree import AXIS, own_total, pairwise

_OWN, _ALL = PartitionSpec(AXIS), PartitionSpec()


class Given(eqx.Module):
    """Arrays and settings that no step changes."""

    fixed: Tree
    data: Data
    objective: AbstractObjective
    rates: Rates
    each: Int[Array, ""]  # shards of a device
    batch_size: int = eqx.field(static=True)
    shards: int = eqx.field(static=True)


class Carry(NamedTuple):
    """What a step reads and writes: parameters and moments, figures so far, and their number."""

    state: TrainState
    seen: Float[Array, "steps figures"]
    i: Int[Array, ""]


@dataclasses.dataclass(frozen=True)
class Steps:
    """Steps over some data on the devices of a mesh."""

    mesh: DataMesh
    given: Given
    firsts: jax.Array

    @classmethod
    def of(
        cls,
        mesh: DataMesh,
        fixed: Tree,
        data: Data,
        objective: AbstractObjective,
        rates: Rates,
        batch_size: int,
    ) -> "Steps":
        """Put what no step changes on all devices; each process passes equal arrays."""
        fixed, data, objective, rates = mesh.replicate((fixed, data, objective, rates))  # type: ignore[misc]
        firsts, each = mesh.firsts()
        given = Given(fixed, data, objective, rates, each, batch_size, mesh.shards)
        return cls(mesh, given, firsts)

    def train(self, state: TrainState, rows: Rows, *, key: PRNGKey) -> tuple[TrainState, Metrics]:
        """Visit every row once, in random order, as an epoch on one device does."""
        order, noise_key = _shuffled(rows, key)
        n_steps = steps_in(rows.n, self.given.batch_size)
        seen = np.zeros((rows.most_steps(self.given.batch_size), N_FIGURES), np.float32)
        seen = seen.astype(jnp.result_type(float))
        carry: Any = (state, seen, np.zeros((), np.int32))
        carry = Carry(*carry)
        carry, order, noise_key = self.mesh.replicate((carry, order, noise_key))
        for _ in range(n_steps):
            total = self.total(own_slope, carry, order, noise_key)
            carry = _everywhere(move, self.mesh.own, (total, self.given, carry, order, noise_key))
        state, seen, _ = on_one_device(carry)
        return state, _METRICS(seen)

    def total(self, function: Callable[..., Array], *args: Any) -> Array:
        """Sum ``function(first, given, *args)`` over devices, which have equal ``args``."""
        mesh = self.mesh
        parts = _each(function, mesh.own, self.firsts, (self.given, *args))
        if len(mesh.devices) == 1:
            return parts[0]
        total = _exchange(mesh.mesh, mesh.joined(parts))
        total.block_until_ready()  # programs that wait for one another must not fill the threads
        hosts.beat()
        return mesh.of_process(total)

    def held(self, params: Tree, rows: Rows, *, key: PRNGKey) -> Metrics:
        """Evaluate held-out rows, as :func:`evaluate_held_out` does on one device."""
        params, placed, key = self.mesh.replicate((params, rows, key))
        sums = on_one_device(self.total(own_held, params, placed, key))
        return _METRICS(sums.reshape(-1, N_FIGURES))


def own_slope(
    first: Scalar, given: Given, carry: Carry, rows: Rows, key: PRNGKey
) -> Float[Array, " numbers"]:
    """Return the gradient of the sum over this device's shards, and the sums of the figures."""
    state, annealing = carry.state, given.rates.annealing(carry.state.step)

    def of_shard(batch: tuple[Array, Array, PRNGKey]) -> Array:
        def rise(params: Tree) -> tuple[Scalar, Array]:
            sums = shard_sums(eqx.combine(params, given.fixed), given, annealing, *batch)
            return sums[0], sums

        with products_in(given.rates.precision):
            (_, sums), gradient = jax.value_and_grad(rise, has_aux=True)(state.params)
        return ravel_pytree((gradient, sums))[0]

    zeros = jnp.zeros_like(ravel_pytree((state.params, jnp.zeros(N_FIGURES)))[0])
    batch = _batch(given, rows, carry.i, key)
    return own_total(lambda i: of_shard(_shard(batch, first + i)), zeros, given.each, given.shards)


def move(
    total: Float[Array, " numbers"], given: Given, carry: Carry, rows: Rows, key: PRNGKey
) -> Carry:
    """Take a step along the gradient of the mean over the batch."""
    state, seen, i = carry
    restore = ravel_pytree((state.params, jnp.zeros(N_FIGURES)))[1]
    gradient, sums = restore(total)

    def beside(params: Tree) -> Scalar:
        model, own = eqx.combine(params, given.fixed), jax.random.fold_in(key, i)
        further = given.objective.beside(model, given.data, key=jax.random.fold_in(own, 1))
        return jnp.asarray(further, jnp.result_type(float))

    divisor = sums[3] if rows.weights is None else sums[4]  # the number of rows: see share()
    with products_in(given.rates.precision):
        further = jax.grad(beside)(state.params)
    gradient = jax.tree.map(lambda g, b: g / divisor + b, gradient, further)
    norm = jnp.sqrt(squared_norm(gradient))
    params, memory = update(state.params, gradient, state.memory, given.rates, state.step, norm)
    average = given.rates.average(state.average, params, state.step)
    after = TrainState(params, memory, state.step + 1, average)
    return Carry(after, seen.at[i].set(sums.at[4].set(norm)), i + 1)


def own_held(
    first: Scalar, given: Given, params: Tree, rows: Rows, key: PRNGKey
) -> Float[Array, " numbers"]:
    """Return the sums of each batch of held-out rows over this device's shards, in one vector."""
    model = eqx.combine(params, given.fixed)
    zeros = jnp.zeros(N_FIGURES)

    def visit(i: Array, seen: Array) -> Array:
        batch = _batch(given, rows, i, key)

        def of_shard(j: Array) -> Array:
            sums = shard_sums(model, given, jnp.ones(()), *_shard(batch, first + j))
            return sums.at[4].set(0.0)  # there is no gradient

        return seen.at[i].set(own_total(of_shard, zeros, given.each, given.shards))

    seen = jnp.zeros((rows.most_steps(given.batch_size), N_FIGURES))
    return jax.lax.fori_loop(0, rows.steps(given.batch_size), visit, seen).reshape(-1)


def shard_sums(
    model: Tree, given: Given, annealing: Scalar, chosen: Array, weight: Array, keys: Array
) -> Float[Array, " figures"]:
    """Return sums over a shard: objective, log likelihood, KL, weights, and number of rows."""
    each = of_rows(model, given.data, chosen, given.objective, annealing, keys)
    values = each.value, each.terms.log_likelihood, each.terms.kl
    sums = [weighted_sum(value, weight) for value in values]
    count = (weight > 0).sum().astype(weight.dtype)
    return jnp.stack([*sums, weight.sum(), count]).astype(jnp.result_type(float))


def pass_sums(seen: Float[Array, "steps figures"]) -> Metrics:
    """Return means over the rows of all batches from their sums, and the largest norm."""
    value, log_likelihood, kl, count = seen[:, : N_FIGURES - 1].sum(axis=0)
    return Metrics(value / count, log_likelihood / count, kl / count, seen[:, -1].max())


_METRICS: Callable[..., Metrics] = compiled_soon(pass_sums)


@compiled_soon
def _shuffled(rows: Rows, key: PRNGKey) -> tuple[Rows, PRNGKey]:
    order_key, noise_key = jax.random.split(key)
    return rows.shuffled(key=order_key), noise_key


def _batch(given: Given, rows: Rows, i: Array, key: PRNGKey) -> tuple[Array, Array, PRNGKey]:
    """Return indices, weights and keys of the rows of batch i, by shards.

    The key of a row depends on its place in the batch. Where the batch is no multiple of the
    number of shards, rows of weight zero fill it up.
    """
    chosen, weight = rows.batch(i, given.batch_size)
    short = -given.batch_size % given.shards
    keys = jax.random.split(jax.random.fold_in(key, i), given.batch_size + short)
    parts = jnp.pad(chosen, (0, short)), jnp.pad(weight, (0, short)), keys
    return jax.tree.map(lambda a: a.reshape(given.shards, -1), parts)


def _shard(batch: tuple[Array, Array, PRNGKey], j: Array) -> Any:
    return jax.tree.map(lambda a: a[j], batch)


@compiled
def _each(function: Callable[..., Array], mesh: Mesh | None, firsts: Array, args: Any) -> Array:
    """Return ``function(first, *args)`` of each device of this process, stacked."""
    if mesh is None:
        return function(firsts[0], *args)[None]
    arrays, rest = eqx.partition(args, eqx.is_array)

    def run(first: Array, arrays: Any) -> Array:
        return function(first[0], *eqx.combine(arrays, rest))[None]

    return _spread(run, mesh, (_OWN, _ALL), _OWN)(firsts, arrays)


@compiled
def _exchange(mesh: Mesh, parts: Array) -> Array:
    def run(part: Array) -> Array:
        return pairwise(jax.lax.all_gather(part, AXIS, tiled=True))

    return _spread(run, mesh, _OWN, _ALL)(parts)


@compiled
def _everywhere(function: Callable[..., Any], mesh: Mesh | None, args: Any) -> Any:
    """Return ``function(*args)``, computed by each device of this process."""
    if mesh is None:
        return function(*args)
    arrays, rest = eqx.partition(args, eqx.is_array)
    return _spread(lambda given: function(*eqx.combine(given, rest)), mesh, (_ALL,), _ALL)(arrays)


def _spread(run: Callable, mesh: Mesh, in_specs: Any, out_specs: Any) -> Callable:
    return jax.shard_map(run, mesh=mesh, in_specs=in_specs, out_specs=out_specs, check_vma=False)
