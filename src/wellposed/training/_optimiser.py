"""Adam and AdamW with a cosine decay; rates are arrays, so that a new rate compiles nothing."""

import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from wellposed import nn
from wellposed._typing import Scalar, Tree
from wellposed.models import VAEModel

from ._plan import Plan

_MEAN_DECAY, _SQUARE_DECAY, _EPSILON = 0.9, 0.999, 1e-8
_MOST_STEPS = np.iinfo(np.int32).max


class Moments(eqx.Module):
    """Running means of gradients and of their squares, and the number of steps.

    The names are those of the arrays in a checkpoint.
    """

    count: Int[Array, ""]
    mu: Tree
    nu: Tree

    @classmethod
    def of(cls, params: Tree) -> "Moments":
        """Return the moments before the first step."""
        zeros = (jax.tree.map(jnp.zeros_like, params) for _ in range(2))
        return cls(jnp.zeros((), jnp.int32), *zeros)


def adam(gradient: Tree, moments: Moments) -> tuple[Tree, Moments]:
    r"""Return Adam's direction, and the moments after the step.

    .. math::
        m_t &= 0.9\, m_{t-1} + 0.1\, g_t, \qquad v_t = 0.999\, v_{t-1} + 0.001\, g_t^2 \\
        d_t &= \frac{m_t / (1 - 0.9^t)}{\sqrt{v_t / (1 - 0.999^t)} + 10^{-8}}

    References: Kingma & Ba (2015), algorithm 1.
    """
    mu = _averaged(moments.mu, gradient, _MEAN_DECAY)
    nu = _averaged(moments.nu, jax.tree.map(jnp.square, gradient), _SQUARE_DECAY)
    # It stays at the largest integer: a negative one would divide by infinity.
    count = jnp.where(moments.count < _MOST_STEPS, moments.count + 1, _MOST_STEPS)
    # Powers of the decays in the default precision: in bfloat16 0.999 is 1.
    of_mean, of_square = (1 - decay**count for decay in (_MEAN_DECAY, _SQUARE_DECAY))

    def scale(m: Array, v: Array) -> Array:
        return (m / of_mean.astype(m.dtype)) / (jnp.sqrt(v / of_square.astype(v.dtype)) + _EPSILON)

    return jax.tree.map(scale, mu, nu), Moments(count, mu, nu)


def _averaged(average: Tree, values: Tree, decay: float) -> Tree:
    """Return the running averages after one more value."""
    return jax.tree.map(lambda v, a: (1 - decay) * v + decay * a, values, average)


class Parts(eqx.Module):
    """Moments of the encoder and of the rest, each with a count of its own steps.

    Adam corrects its moments by their number of steps, which differ in an aggressive phase.
    """

    encoder: Moments
    rest: Moments

    @classmethod
    def of(cls, params: VAEModel) -> "Parts":
        """Return the moments before the first step."""
        encoder, rest = split_encoder(params)
        return cls(Moments.of(encoder), Moments.of(rest))


def split_encoder(params: VAEModel) -> tuple[VAEModel, VAEModel]:
    """Return the leaves of the encoder, and all others."""
    mask = jax.tree.map(lambda _: False, params)
    encoder = jax.tree.map(lambda _: True, params.encoder)
    return eqx.partition(params, eqx.tree_at(lambda m: m.encoder, mask, encoder))


class Rates(eqx.Module):
    """The rates of a plan as traced scalars, and the precision of products."""

    learning_rate: Scalar
    weight_decay: Scalar
    clip_norm: Scalar
    decay_steps: Scalar  # infinity: no decay
    warmup_steps: Scalar
    noise_pace: Scalar
    ema_decay: Scalar  # decay of the running average a step
    precision: str = eqx.field(static=True, default="float32")

    @classmethod
    def of(cls, plan: Plan, steps_per_epoch: int) -> "Rates":
        """Return the rates of a plan, its epochs counted in steps."""
        numbers = (
            plan.learning_rate,
            plan.weight_decay,
            plan.clip_norm,
            plan.max_epochs * steps_per_epoch if plan.decay else math.inf,
            plan.kl_warmup * steps_per_epoch,
            plan.noise_pace,
            plan.ema_decay,
        )
        arrays = (jnp.asarray(number, jnp.float32) for number in numbers)
        return cls(*arrays, precision=plan.precision)

    def at(self, step: Scalar) -> Scalar:
        """Learning rate at a step: a half cosine from its peak to zero."""
        step = jnp.minimum(step, self.decay_steps)  # beyond the end it stays zero
        return self.learning_rate * 0.5 * (1 + jnp.cos(jnp.pi * step / self.decay_steps))

    def annealing(self, step: Scalar) -> Scalar:
        """Weight of the KL at a step, from 1/warmup_steps up to 1."""
        return jnp.minimum(1.0, (step + 1) / jnp.maximum(self.warmup_steps, 1.0))

    def average(self, average: Tree, params: Tree, step: Scalar) -> Tree:
        """Return the running average after a step; None stays None.

        Its decay rises from zero, so that the first steps do not stay in it.
        """
        if average is None:
            return None
        decay = jnp.minimum(self.ema_decay, step / (step + 10))
        return jax.tree.map(lambda a, p: p + (decay * (a - p)).astype(p.dtype), average, params)


def squared_norm(tree: Tree) -> Scalar:
    """Sum of squares over all leaves."""
    return sum((jnp.vdot(leaf, leaf) for leaf in jax.tree.leaves(tree)), jnp.zeros(()))


def update(
    params: Any,
    gradient: Any,
    memory: Any,
    rates: Rates,
    step: Scalar,
    norm: Scalar,
) -> tuple[Any, Any]:
    """Take one step uphill along ``gradient``, whose norm is ``norm``.

    ``params`` is a model without the leaves that the optimiser does not own.
    """
    if isinstance(memory, Parts):
        encoder, rest = (
            update(part, slope, moments, rates, step, norm)
            for part, slope, moments in zip(
                split_encoder(params),
                split_encoder(gradient),
                (memory.encoder, memory.rest),
                strict=True,
            )
        )
        return eqx.combine(encoder[0], rest[0]), Parts(encoder[1], rest[1])
    shrink = jnp.minimum(1.0, rates.clip_norm / jnp.maximum(norm, 1e-30))
    clipped = jax.tree.map(lambda g: g * shrink.astype(g.dtype), gradient)
    direction: Any
    direction, memory = adam(clipped, memory)
    rate = rates.at(step)

    def move_noise(p, u):
        if isinstance(p, nn.Linear):  # the rate of the other networks
            return move_weights(p, u, rates, step)
        return p + (rates.noise_pace * rate * u).astype(p.dtype)

    moved = move_weights(params, direction, rates, step)
    noise = jax.tree.map(
        move_noise, params.noise, direction.noise, is_leaf=lambda p: isinstance(p, nn.Linear)
    )
    # No weight decay: it would draw every component of a mixture to the origin.
    prior = jax.tree.map(lambda p, u: p + (rate * u).astype(p.dtype), params.prior, direction.prior)
    return eqx.tree_at(lambda m: (m.noise, m.prior), moved, (noise, prior)), memory


def move_weights(params: Tree, direction: Tree, rates: Rates, step: Scalar) -> Tree:
    """Move weights along Adam's direction, uphill, with decoupled weight decay."""
    rate = rates.at(step)

    def move(p, u):
        return p + (rate * (u - rates.weight_decay * p)).astype(p.dtype)

    return jax.tree.map(move, params, direction)
