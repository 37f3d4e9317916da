r"""Draws of some features of a datum given the others, x_mis ~ p(x_mis | x_obs), by Metropolis.

A chain moves over (z, x_mis): z' ~ q(z | x_obs, x_mis) is accepted with the probability

.. math:: \min\Bigl\{1, \frac{p(x_{obs}, x_{mis} \mid z') p(z')}{p(x_{obs}, x_{mis} \mid z) p(z)}
   \frac{q(z \mid x_{obs}, x_{mis})}{q(z' \mid x_{obs}, x_{mis})}\Bigr\}

and then x_mis ~ p(x_mis | z, x_obs), which is p(x_mis | z) if features are independent given
z. These moves leave p(z, x_mis | x_obs) invariant for any encoder; the encoder only affects
the speed of mixing. An encoder depends on the current x_mis: if x_mis is far from the data, it
proposes latents that reproduce x_mis. Therefore chains start from draws of the prior, resampled
with weights p(x_obs | z), and at intervals propose z' ~ p(z), accepted with the ratio
p(x_obs | z')/p(x_obs | z), which lets a chain leave such a region. If no draw of the prior is near
the posterior, the first proposals of the encoder, which are always accepted, move the chain there.

With a proposal r(z) that is refined for the datum, chains start from draws of r, resampled with
weights p(x_obs, z)/r(z). At intervals a chain takes one of its own z and n draws of r, with the
probabilities given by these weights; x_mis is then drawn given z.

References: Mattei & Frellsen (2018), §4.2, algorithm 1; Rubin (1988) and Rezende,
Mohamed & Wierstra (2014), appendix F, for the start; Tjelmeland (2004) and Andrieu, Lee & Vihola
(2018), iterated sampling importance resampling, for the choice among n draws.
"""

from typing import Protocol, runtime_checkable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from wellposed._errors import SettingError
from wellposed._typing import Latent, Point, PRNGKey, Raw, Scalar
from wellposed.models import VAEModel

CHAINS = 11
_WARM_UP = 10  # draws that are discarded at the start
_REFINED_WARM_UP = 2  # after a start from draws of r that are resampled
_FORCED = 1  # of these, the draws for which every proposal of the encoder is accepted
_THINNING = 10  # proposals of the encoder per draw, after one from the prior
_STARTS = 256  # draws of the prior or of r, resampled for the starts of all chains
_CHOICES = 20  # draws of r per draw of a chain
_AFTER_CHOICE = 5  # proposals of the encoder per draw of a chain, after a choice among draws of r


@runtime_checkable
class LatentProposal(Protocol):
    """r(z), from which any number of latents can be drawn at once."""

    def sample(self, n: int, *, key: PRNGKey) -> Float[Array, "n k"]:
        """Draw z_1 … z_n."""
        ...

    def log_prob(self, z: Float[Array, "n k"]) -> Float[Array, " n"]:
        """Return log r(z) of n latents, in nats."""
        ...


class Completions(eqx.Module):
    """Draws of the hidden features of a datum, with the given features unchanged; model units."""

    draws: Float[Array, "s d"]  # interleaved over chains, one draw of each in turn
    acceptance: Scalar  # share of proposals accepted after the warm-up
    mean: Point  # (d,), average of E[y | z] over all moves after the warm-up
    within: Point  # (d,), variance within chains
    between: Point  # (d,), variance of the means of chains


def check_independent(model: VAEModel) -> None:
    """Raise an error if the features of the noise depend on each other given z.

    Raises
    ------
    SettingError
        If they do; the message names the noise.
    """
    if model.has_independent_noise:
        return
    noise = type(getattr(model.noise, "noise", model.noise)).__name__
    raise SettingError(
        'given="features" needs noise whose features are independent given z, so that z alone '
        f"determines the hidden ones' distribution; got {noise}, whose features are dependent. "
        'Use given="reconstruction" or "prior", or fit with an independent noise such as '
        '"feature".'
    )


def complete(
    model: VAEModel,
    y: Point,
    hidden: Bool[Array, " d"],
    *,
    n_draws: int,
    pseudo: bool = False,
    proposal: LatentProposal | None = None,
    key: PRNGKey,
) -> Completions:
    """Draw the hidden features of one datum given the others.

    Parameters
    ----------
    model : VAEModel with independent noise
    y : array of shape (d,), model units; hidden entries are not used
    hidden : bool array of shape (d,): which features are hidden
    n_draws : s, the number of draws of all ``CHAINS`` chains together
    pseudo : accept every proposal of the encoder and make none from the prior or from r:
        pseudo-Gibbs (Rezende, Mohamed & Wierstra, 2014, appendix F), which is right for an exact
        encoder only
    proposal : r(z), refined for the datum; None uses the prior
    key : PRNG key
    """
    each = -(-n_draws // CHAINS)
    start_key, run_key = jax.random.split(key)
    starts = _starts(model, y, hidden, proposal, key=start_key)
    chains, means, accepted = jax.vmap(
        lambda s, k: _chain(model, s, hidden, proposal, n_kept=each, pseudo=pseudo, key=k)
    )(starts, jax.random.split(run_key, CHAINS))
    between = chains.mean(axis=1).var(axis=0, ddof=1)
    within = chains.var(axis=1, ddof=1).mean(axis=0) if each > 1 else jnp.full_like(between, 0.0)
    draws = chains.swapaxes(0, 1).reshape(-1, y.shape[0])[:n_draws]
    mean = jnp.where(hidden, means.mean(axis=0), y)
    return Completions(draws, accepted.mean(), mean, within, between)


class _State(eqx.Module):
    """State of a chain, with the decoder's outputs at z, which are costly to compute."""

    z: Latent
    raw: Raw
    y: Point


def _starts(
    model: VAEModel,
    y: Point,
    hidden: Bool[Array, " d"],
    proposal: LatentProposal | None,
    *,
    key: PRNGKey,
) -> _State:
    """Return the first state of each chain, by resampling draws of the prior or of r."""
    latent_key, choice_key, noise_key = jax.random.split(key, 3)
    if proposal is None:
        z = jax.vmap(lambda k: model.prior.sample(key=k))(jax.random.split(latent_key, _STARTS))
        raw = jax.vmap(model.decoder_output)(z)
        log_weight = jax.vmap(lambda r: _log_given(model, r, y, hidden))(raw)
    else:
        z = proposal.sample(_STARTS, key=latent_key)
        raw = jax.vmap(model.decoder_output)(z)
        log_weight = _log_weights(model, proposal, z, raw, y, hidden)
    chosen = jax.random.categorical(choice_key, log_weight, shape=(CHAINS,))
    z, raw = z[chosen], raw[chosen]
    drawn = jax.vmap(lambda r, k: model.noise(r).sample(k))(
        raw, jax.random.split(noise_key, CHAINS)
    )
    return _State(z, raw, jnp.where(hidden, drawn, y))


def _log_given(model: VAEModel, raw: Raw, y: Point, hidden: Bool[Array, " d"]) -> Scalar:
    """Return log p(x_obs | z), in nats and model units."""
    return jnp.where(hidden, 0.0, model.noise(raw).feature_log_prob(y)).sum()


def _log_weights(
    model: VAEModel,
    proposal: LatentProposal,
    z: Float[Array, "n k"],
    raw: Float[Array, "n raw"],
    y: Point,
    hidden: Bool[Array, " d"],
) -> Float[Array, " n"]:
    """Return log p(x_obs, z) − log r(z) of n latents, in nats and model units."""
    log_p = jax.vmap(lambda one, r: _log_given(model, r, y, hidden) + model.prior.log_prob(one))
    return log_p(z, raw) - proposal.log_prob(z)


def _chain(
    model: VAEModel,
    start: _State,
    hidden: Bool[Array, " d"],
    proposal: LatentProposal | None,
    *,
    n_kept: int,
    pseudo: bool,
    key: PRNGKey,
) -> tuple[Float[Array, "s d"], Point, Scalar]:
    """Return the draws of one chain after its warm-up, their mean, and the share of acceptances."""
    chooses = proposal is not None and not pseudo

    def kept(state: _State, inputs: tuple) -> tuple[_State, tuple[Point, Point, Scalar]]:
        kept_key, forced = inputs
        other_key, encoder_key = jax.random.split(kept_key)
        if proposal is not None and not pseudo:
            state = _chosen(model, state, hidden, proposal, key=other_key)
        elif not pseudo:
            state = _from_prior(model, state, hidden, key=other_key)
        state, (accepted, means) = jax.lax.scan(
            lambda s, k: _step(model, s, hidden, forced, key=k),
            state,
            jax.random.split(encoder_key, _AFTER_CHOICE if chooses else _THINNING),
        )
        return state, (state.y, means.mean(axis=0), accepted.mean())

    warm_up = _REFINED_WARM_UP if chooses else _WARM_UP
    keys = jax.random.split(key, warm_up + n_kept)
    # Starts that are resampled from r need no move that is always accepted.
    n_forced = warm_up + n_kept if pseudo else 0 if chooses else _FORCED
    forced = jnp.arange(warm_up + n_kept) < n_forced
    _, (draws, means, accepted) = jax.lax.scan(kept, start, (keys, forced))
    return draws[warm_up:], means[warm_up:].mean(axis=0), accepted[warm_up:].mean()


def _chosen(
    model: VAEModel,
    state: _State,
    hidden: Bool[Array, " d"],
    proposal: LatentProposal,
    *,
    key: PRNGKey,
) -> _State:
    """Choose among the current z and draws of r by their weights, then draw x_mis given z."""
    latent_key, choice_key, noise_key = jax.random.split(key, 3)
    new = proposal.sample(_CHOICES, key=latent_key)
    z = jnp.concatenate([state.z[None], new])
    raw = jnp.concatenate([state.raw[None], jax.vmap(model.decoder_output)(new)])
    log_weight = _log_weights(model, proposal, z, raw, state.y, hidden)
    chosen = jax.random.categorical(choice_key, log_weight)
    drawn = model.noise(raw[chosen]).sample(noise_key)
    return _State(z[chosen], raw[chosen], jnp.where(hidden, drawn, state.y))


def _from_prior(
    model: VAEModel, state: _State, hidden: Bool[Array, " d"], *, key: PRNGKey
) -> _State:
    """Propose z' ~ p(z) with x_mis ~ p(x_mis | z')."""
    propose_key, accept_key, noise_key = jax.random.split(key, 3)
    z = model.prior.sample(key=propose_key)
    raw = model.decoder_output(z)
    now, then = (_log_given(model, r, state.y, hidden) for r in (state.raw, raw))
    return _moved(model, state, z, raw, then - now, hidden, keys=(accept_key, noise_key))[0]


def _step(
    model: VAEModel,
    state: _State,
    hidden: Bool[Array, " d"],
    forced: Bool[Array, ""],
    *,
    key: PRNGKey,
) -> tuple[_State, tuple[Scalar, Point]]:
    """Propose z' ~ q(z | x_obs, x_mis); always accept it if ``forced``. Also return E[y | z]."""
    propose_key, accept_key, noise_key = jax.random.split(key, 3)
    q = model.encode(state.y)

    def log_weight(z: Latent, raw: Raw) -> Scalar:
        joint = model.noise(raw).log_prob(state.y) + model.prior.log_prob(z)
        return joint - q.log_prob(z).sum()

    z = q.sample(propose_key)
    raw = model.decoder_output(z)
    log_ratio = log_weight(z, raw) - log_weight(state.z, state.raw)
    log_ratio = jnp.where(forced, 0.0, log_ratio)
    keys = accept_key, noise_key
    state, accepted = _moved(model, state, z, raw, log_ratio, hidden, keys=keys)
    return state, (accepted, model.noise(state.raw).mean)


def _moved(
    model: VAEModel,
    state: _State,
    z: Latent,
    raw: Raw,
    log_ratio: Scalar,
    hidden: Bool[Array, " d"],
    *,
    keys: tuple[PRNGKey, PRNGKey],
) -> tuple[_State, Scalar]:
    """Accept or reject the proposal, and draw x_mis given the resulting z."""
    accept_key, noise_key = keys
    accepted = jnp.log(jax.random.uniform(accept_key)) < log_ratio
    z, raw = jnp.where(accepted, z, state.z), jnp.where(accepted, raw, state.raw)
    y = jnp.where(hidden, model.noise(raw).sample(noise_key), state.y)
    return _State(z, raw, y), accepted.astype(y.dtype)
