r"""Draws of some features of a datum given the others, x_mis ~ p(x_mis | x_obs), by Metropolis.

A chain moves over (z, x_mis): z' ~ q(z | x_obs, x_mis) is accepted with the probability

.. math:: \min\Bigl\{1, \frac{p(x_{obs}, x_{mis} \mid z') p(z')}{p(x_{obs}, x_{mis} \mid z) p(z)}
   \frac{q(z \mid x_{obs}, x_{mis})}{q(z' \mid x_{obs}, x_{mis})}\Bigr\}

and then x_mis ~ p(x_mis | z, x_obs), which is p(x_mis | z) where features are independent given
z. It leaves p(z, x_mis | x_obs) as it is, whatever the encoder, which only decides how fast. It
starts with a draw from the prior, and for the first half of the warm-up accepts every proposal,
or far from the data it might accept none.

References: Mattei & Frellsen (2018), §4.2, algorithm 1; Rezende, Mohamed & Wierstra (2014),
appendix F, for the start.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from wellposed._errors import SettingError
from wellposed._typing import Latent, Point, PRNGKey, Raw, Scalar
from wellposed.models import VAEModel
from wellposed.noise import independent

CHAINS = 11
WARM_UP = 60
THINNING = 5


class Completions(eqx.Module):
    """Draws of a datum's hidden features beside its given ones; model units."""

    draws: Float[Array, "s d"]  # those of one chain after another; given features as they are
    acceptance: Scalar  # share of proposals accepted after the warm-up
    within: Point  # variance within chains, of each feature
    between: Point  # variance of the chains' means


def check_independent(model: VAEModel) -> None:
    """Refuse noise whose features depend on each other given z.

    Raises
    ------
    SettingError
        Naming the noise.
    """
    if independent(model.decode(jnp.zeros(model.prior.k))):
        return
    noise = type(getattr(model.noise, "noise", model.noise)).__name__
    raise SettingError(
        'given="features" needs noise whose features are independent given z, so that the hidden '
        f"ones can be drawn from z alone; got {noise}, whose features are not. "
        'Use given="reconstruction" or "prior", or fit with an independent noise such as '
        '"feature".'
    )


def complete(
    model: VAEModel, y: Point, hidden: Bool[Array, " d"], *, n_draws: int, key: PRNGKey
) -> Completions:
    """Draw the hidden features of one datum given the others.

    Parameters
    ----------
    model : VAEModel with independent noise
    y : array of shape (d,), model units; hidden entries are not read
    hidden : which are hidden
    n_draws : s, of ``CHAINS`` chains that are started apart
    key : PRNG key
    """
    each = -(-n_draws // CHAINS)
    keys = jax.random.split(key, CHAINS)
    chains, accepted = jax.vmap(lambda k: _chain(model, y, hidden, n_kept=each, key=k))(keys)
    between = chains.mean(axis=1).var(axis=0, ddof=1)
    within = chains.var(axis=1, ddof=1).mean(axis=0) if each > 1 else jnp.full_like(between, 0.0)
    draws = chains.swapaxes(0, 1).reshape(-1, y.shape[0])[:n_draws]
    return Completions(draws, accepted.mean(), within, between)


def _chain(
    model: VAEModel, y: Point, hidden: Bool[Array, " d"], *, n_kept: int, key: PRNGKey
) -> tuple[Float[Array, "s d"], Scalar]:
    """One chain's draws after its warm-up, and the share of proposals that it accepted."""
    latent_key, noise_key, run_key = jax.random.split(key, 3)
    z = model.prior.sample(key=latent_key)
    raw = model.decoder(z)
    state = _State(z, raw, jnp.where(hidden, model.noise(raw).sample(noise_key), y))

    # One loop for the warm-up too: its body is what takes long to compile.
    def kept(state: _State, inputs: tuple) -> tuple[_State, tuple[Point, Scalar]]:
        kept_key, forced = inputs
        state, accepted = jax.lax.scan(
            lambda s, k: _step(model, s, hidden, forced, key=k),
            state,
            jax.random.split(kept_key, THINNING),
        )
        return state, (state.y, accepted.mean())

    warm = WARM_UP // THINNING
    forced = jnp.arange(warm + n_kept) < warm // 2
    keys = jax.random.split(run_key, warm + n_kept)
    _, (draws, accepted) = jax.lax.scan(kept, state, (keys, forced))
    return draws[warm:], accepted[warm:].mean()


class _State(eqx.Module):
    """Where a chain is; the decoder's outputs at z are kept, as they cost the most."""

    z: Latent
    raw: Raw
    y: Point


def _step(
    model: VAEModel,
    state: _State,
    hidden: Bool[Array, " d"],
    forced: Bool[Array, ""],
    *,
    key: PRNGKey,
) -> tuple[_State, Scalar]:
    propose_key, accept_key, noise_key = jax.random.split(key, 3)
    q = model.encode(state.y)

    def log_weight(z: Latent, raw: Raw) -> Scalar:
        joint = model.noise(raw).log_prob(state.y) + model.prior.log_prob(z)
        return joint - q.log_prob(z).sum()

    z = q.sample(propose_key)
    raw = model.decoder(z)
    log_ratio = log_weight(z, raw) - log_weight(state.z, state.raw)
    accepted = jnp.log(jax.random.uniform(accept_key)) < log_ratio
    taken = accepted | forced
    z, raw = jnp.where(taken, z, state.z), jnp.where(taken, raw, state.raw)
    y = jnp.where(hidden, model.noise(raw).sample(noise_key), state.y)
    return _State(z, raw, y), accepted.astype(y.dtype)
