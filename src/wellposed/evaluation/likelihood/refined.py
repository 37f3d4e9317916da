r"""A proposal for the latents of one datum, refined in steps.

The first proposal q_0 is a mixture of t distributions: the posterior around a mode, with the
curvature there, and two with the encoder's variances, around that mode and around the encoder's
mean. Pilot draws from q_0 have weights, and their weighted moments give one more component. In four
more steps, pilot draws from both give its next version, from the weights of all pilot draws so far
under the average of the mixtures that they are from. The estimate uses new draws from the last
mixture only, so that the mean weight is unbiased: E w = p(x) for any proposal that does not depend
on these draws. The first components keep a share of the last mixture, which bounds the weights by a
multiple of those of each of them (Hesterberg, 1995).

If log p(y, z) − log q is constant over pilot draws, where q is the posterior around the mode with
Gaussian tails, the posterior is Gaussian (or a mixture of at most eight). The draws are then from
q, and every weight is p(x).

References: Owen & Zhou (2000); Cornuet, Marin, Mira & Robert (2012) for the steps.
"""

import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from wellposed._budget import at_once
from wellposed._typing import Latent, PRNGKey, Scalar
from wellposed.models import Inferred, VAEModel

from .importance_weights import LEAST, MOST
from .local_posterior import PriorParts, local_posterior, log_prior
from .student_mixture import StudentMixture, from_covariance, independent, join

# Shares of q_0: the posterior around the mode, and the encoder's scales there and at its own mean.
_SHARES = (0.7, 0.15, 0.15)
_FITTED = 0.8  # share of the component fitted to the pilot draws, in the last mixture
_CONSTANT = 0.02  # nats: standard deviation of the log weights of a Gaussian posterior
_LEFT_OUT = 1e-6  # share of a Gaussian posterior's mass that a proposal without tails may miss
_EFFECTIVE = 2.0  # effective pilot draws per latent that the moments are computed from
_SHRINK = 1.0  # weight of the former covariance, in effective draws per latent
_BISECTIONS = 10
_STEPS = 5  # of adaptation
_MOST_ROWS = 64  # at a time; the search for the mode is slow for few rows
_PILOT_PER_LATENT = 7
_LEAST_PILOT, _MOST_PILOT = 32, 256


def cut_refined(model: VAEModel, d: int, parts: PriorParts) -> tuple[int, int]:
    """Return the draws in a block and the rows in a chunk."""
    m, k = parts.means.shape
    product = max(LEAST, at_once(max(d * model.noise.n_raw, (m + 3) * k), MOST))
    # A curvature is of k products at once. A power of two: the last chunk is often full.
    chunk = 1 << (max(1, min(_MOST_ROWS, product // k)).bit_length() - 1)
    return product // chunk, chunk


def pilot_size(n_samples: int, k: int, block: int) -> int:
    """Return the pilot draws of each adaptive step, a multiple of the block.

    A covariance of k latents needs some draws a latent, whatever the number of samples.
    """
    wanted = min(max(n_samples // 8, _PILOT_PER_LATENT * k, _LEAST_PILOT), _MOST_PILOT)
    return block * -(-wanted // block)


class Proposal(eqx.Module):
    """Proposal of the latents of one datum, and the target p(y, z) of its draws."""

    model: VAEModel
    parts: PriorParts
    inferred: Inferred
    mixture: StudentMixture

    def draw(self, n: int, key: PRNGKey) -> tuple[Float[Array, "n k"], Float[Array, " n"]]:
        """Draw z_1 … z_n; return them and their log weights, nats in model units."""
        z = self.mixture.sample(n, key=key)
        log_p = log_joint(self.model, self.parts, self.inferred, z)
        return z, log_p - self.mixture.log_prob(z)

    def weigh(self, n: int, key: PRNGKey) -> Float[Array, " n"]:
        """Return the log weights of n draws."""
        return self.draw(n, key)[1]


def log_joint(
    model: VAEModel, parts: PriorParts, inferred: Inferred, z: Float[Array, "n k"]
) -> Float[Array, " n"]:
    """Return log p(y, z) of n latents, nats in model units."""
    log_p = log_prior(model, parts)
    return jax.vmap(lambda one: model.decode(one).log_prob(inferred.y) + log_p(one))(z)


def refine(
    model: VAEModel,
    parts: PriorParts,
    inferred: Inferred,
    *,
    n_pilot: int,
    block: int,
    key: PRNGKey,
) -> Proposal:
    """Return the refined proposal of one datum.

    Parameters
    ----------
    model : VAEModel
    parts : of the model's prior
    inferred : the datum
    n_pilot : draws of each of five adaptive steps, a multiple of ``block``
    block : draws at a time
    key : PRNG key of the pilot draws
    """
    mode, local, mass = local_posterior(model, parts, inferred)
    first = _first(mode, local, inferred)

    def draw(mixture: StudentMixture, key: PRNGKey) -> tuple[Array, Array, Array]:
        z = mixture.sample(block, key=key)
        return z, log_joint(model, parts, inferred, z), first.log_prob(z)

    def adapt(state: Any, given: Any) -> Any:
        fits, former, drawn = state
        i, key = given
        share = jnp.where(i > 0, _FITTED, 0.0)
        mixture = join([first, _entry(fits, i - 1)], [jnp.log1p(-share), jnp.log(share)])
        new = jax.lax.map(lambda one: draw(mixture, one), jax.random.split(key, n_pilot // block))
        drawn = jax.tree.map(
            lambda all_of, part: all_of.at[i].set(part.reshape(all_of.shape[1:])), drawn, new
        )
        z, log_p, log_first = (part.reshape(-1, *part.shape[2:]) for part in drawn)
        # Density of the draws of all steps so far: of q_0, and of a mixture for each later step.
        count = i + 1.0
        earlier = jnp.arange(_STEPS) < i
        log_fits = jax.nn.logsumexp(fits.log_probs(z), axis=1, where=earlier)
        log_q = jnp.logaddexp(
            log_first + jnp.log((1 + i * (1 - _FITTED)) / count),
            log_fits + math.log(_FITTED) - jnp.log(count),
        )
        fitted = _fit(z, log_p - log_q, *former)
        return (_with_entry(fits, i, fitted), fitted.moments(), drawn), None

    shape = _STEPS, n_pilot
    drawn = jnp.zeros((*shape, len(mode))), jnp.full(shape, -jnp.inf), jnp.zeros(shape)
    # Component i is fitted after step i; until then it has no share.
    nothing = independent(mode, jnp.asarray(inferred.q.scale))
    fits = join([nothing] * _STEPS, [0.0] * _STEPS)
    given = jnp.arange(_STEPS), jax.random.split(key, _STEPS)
    (fits, _, (z, log_p, _)), _ = jax.lax.scan(adapt, (fits, local.moments(), drawn), given)
    last = join([first, _entry(fits, _STEPS - 1)], [math.log(1 - _FITTED), math.log(_FITTED)])
    normal = local.with_tails(jnp.asarray(True))
    spread = (log_p[0] - normal.log_prob(z[0])).std()
    constant = (spread < _CONSTANT) & (mass > 1 - _LEFT_OUT)
    return Proposal(model, parts, inferred, _only_local(last, local, constant))


def _only_local(last: StudentMixture, local: StudentMixture, constant: Array) -> StudentMixture:
    """Return the local posterior without tails if the weights are ``constant``, or else ``last``.

    The components of ``local`` are the first of ``last``.
    """
    nowhere = jnp.full_like(last.log_weights, -jnp.inf)
    only_local = nowhere.at[: len(local.log_weights)].set(local.log_weights)
    log_weights = jnp.where(constant, only_local, last.log_weights)
    return eqx.tree_at(lambda m: m.log_weights, last, log_weights).with_tails(constant)


def _entry(fits: StudentMixture, i: Array | int) -> StudentMixture:
    return jax.tree.map(lambda leaf: leaf[i][None] if leaf.ndim else leaf, fits)


def _with_entry(fits: StudentMixture, i: Array, one: StudentMixture) -> StudentMixture:
    return jax.tree.map(lambda a, b: a.at[i].set(b[0]) if a.ndim else a, fits, one)


def _first(mode: Latent, local: StudentMixture, inferred: Inferred) -> StudentMixture:
    loc, scale = jnp.asarray(inferred.q.loc), jnp.asarray(inferred.q.scale)
    parts = [local, independent(mode, scale), independent(loc, scale)]
    return join(parts, [math.log(share) for share in _SHARES])


def _fit(
    z: Float[Array, "n k"],
    log_w: Float[Array, " n"],
    former_mean: Latent,
    former_covariance: Float[Array, "k k"],
) -> StudentMixture:
    """Return the t distribution with the weighted moments of draws.

    If few draws are effective, the weights are raised to the power below one that leaves enough of
    them. The covariance is shrunk towards the former one. Without finite weights, the former
    moments are kept.
    """
    k = z.shape[1]
    log_w = _temper(jnp.where(jnp.isfinite(log_w), log_w, -jnp.inf), _EFFECTIVE * k)
    w = jax.nn.softmax(log_w)
    size = 1 / (w**2).sum()
    mean = w @ z
    centred = z - mean
    covariance = (size * (w[:, None] * centred).T @ centred + _SHRINK * k * former_covariance) / (
        size + _SHRINK * k
    )
    finite = jnp.isfinite(mean).all() & jnp.isfinite(covariance).all()
    mean = jnp.where(finite, mean, former_mean)
    root = jnp.linalg.cholesky(jnp.where(finite, covariance, former_covariance))
    # With rounding, a matrix of nearly equal columns can fail to be positive definite.
    scale = jnp.sqrt(jnp.diag(former_covariance))
    return from_covariance(mean, jnp.where(jnp.isfinite(root).all(), root, jnp.diag(scale)))


def _temper(log_w: Float[Array, " n"], least: float) -> Float[Array, " n"]:
    """Return p · log w with the largest p ≤ 1 for which ``least`` draws are effective."""

    def enough(power: Scalar) -> Array:
        raised = jnp.where(log_w > -jnp.inf, power * log_w, -jnp.inf)
        log_sum, log_squares = jax.nn.logsumexp(raised), jax.nn.logsumexp(2 * raised)
        return 2 * log_sum - log_squares >= math.log(least)

    def halve(_: Array, ends: tuple[Scalar, Scalar]) -> tuple[Scalar, Scalar]:
        low, high = ends
        middle = 0.5 * (low + high)
        kept = enough(middle)
        return jnp.where(kept, middle, low), jnp.where(kept, high, middle)

    ends = jnp.zeros(()), jnp.ones(())
    low, _ = jax.lax.fori_loop(0, _BISECTIONS, halve, ends)
    power = jnp.where(enough(ends[1]), 1.0, low)
    return jnp.where(log_w > -jnp.inf, power * log_w, -jnp.inf)
