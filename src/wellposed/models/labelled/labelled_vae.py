"""VAEs of data with labels, some of them unknown."""

import dataclasses
from collections.abc import Callable

import equinox as eqx
import jax
from jaxtyping import Array, Float, Int

from wellposed._typing import Covariates, Inputs, Latent, Point, PRNGKey, Scalar, Tree
from wellposed.latents import AbstractPrior
from wellposed.nn import call_with
from wellposed.noise import AbstractNoise

from .._trainable import trainable
from .._vae import VAEModel, draw_keys
from .auxiliary import AtAuxiliary, AuxiliaryDraw, AuxiliaryEncoder
from .labels import AbstractLabels, Classes


class FirstStage(eqx.Module):
    """A trained VAE, whose latents are the data of a second one.

    Parameters
    ----------
    model : the VAE
    kept : latents that the second model is of; the others have no information
    """

    model: VAEModel
    kept: Int[Array, " kept"]

    @property
    def n(self) -> int:
        """Number of latents that the second model is of."""
        return self.kept.shape[0]

    def draw(self, x: Point, *, key: PRNGKey) -> Latent:
        """Draw z ~ q(z | x) of a datum in data units; shape (kept,)."""
        found, (latent_key,) = self.model.infer(x, key=key), draw_keys(key, 1)
        return found.q.rsample(latent_key)[self.kept]

    def mean(self, x: Point, *, key: PRNGKey) -> Latent:
        """E[z | x] of a datum in data units; shape (kept,)."""
        return self.model.infer(x, key=key).q.loc[self.kept]

    def complete(self, z: Latent, *, key: PRNGKey) -> Latent:
        """Return all latents: z, shape (kept,), and draws from p(z) of the others."""
        return self.model.prior.sample(key=key).at[self.kept].set(z)


class Codes(eqx.Module):
    """A first stage whose q(z | x) are the data: rows of n means, then n standard deviations.

    Parameters
    ----------
    n : number of latents that the second model is of
    """

    n: int = eqx.field(static=True)

    def draw(self, x: Point, *, key: PRNGKey) -> Latent:
        """Draw z of a row; shape (n,)."""
        return x[: self.n] + x[self.n :] * jax.random.normal(key, (self.n,))

    def mean(self, x: Point, *, key: PRNGKey) -> Latent:
        """E[z] of a row; shape (n,)."""
        del key
        return x[: self.n]


class LabelledVAE(eqx.Module):
    r"""p(y) p(z) p(x | y, z) with q(y | x) q(z | x, y), for one datum in data units.

    With an auxiliary variable a it is p(y) p(z) p(x | y, z) p(a | x, y, z) with
    q(a | x) q(y | x, a) q(z | x, y, a). As p(a | x, y, z) integrates to one, p(x, y) is the same;
    q(y | x) and q(z | x, y) become mixtures over a.

    Parameters
    ----------
    vae : p(z), p(x | y, z) and q(z | x, y); its covariates are y as ``labels`` gives it. With a,
        its encoder is an ``AuxiliaryEncoder``
    classifier : network of q(y | x); its input is the encoder's, with a after it
    labels : p(y) and the family of q(y | x)
    first : a VAE of the data, of whose latents ``vae`` then is; None where it is of the data
    auxiliary : network of p(a | x, y, z); its input is the encoder's, then y, then z. None
        without a

    References: Kingma, Rezende, Mohamed & Welling (2014), eqs 1-3 (M1, M2); Maaløe, Sønderby,
    Sønderby & Winther (2016), §2 (auxiliary deep generative models).
    """

    vae: VAEModel
    classifier: Callable
    labels: AbstractLabels
    first: FirstStage | Codes | None = None
    auxiliary: Callable | None = None

    @property
    def noise(self) -> AbstractNoise:
        """p(x | y, z): its family."""
        return self.vae.noise

    @property
    def prior(self) -> AbstractPrior:
        """p(z)."""
        return self.vae.prior

    @property
    def n_covariates(self) -> int:
        """Numbers of a row after its datum: its label."""
        return 1

    def at(self, label: Scalar) -> VAEModel:
        """Return the VAE of p(x | y) at a known label."""
        return self.vae.at(self.labels.give(label))

    def data_of(self, x: Point, *, key: PRNGKey) -> Point:
        """Return the datum of ``vae``: x, or a draw of the first stage's latents."""
        return x if self.first is None else self.first.draw(x, key=key)

    def typical_data_of(self, x: Point, *, key: PRNGKey) -> Point:
        """Return :meth:`data_of` with the mean in place of a draw."""
        return x if self.first is None else self.first.mean(x, key=key)

    def output(self, data: Point, *, key: PRNGKey) -> Covariates:
        """Output of the classifier at a datum of ``vae``, and at E[a | x]."""
        inputs = self._inputs(data, key=key)
        a = None if self.auxiliary is None else self._encoder.posterior(inputs).loc
        return call_with(self.classifier, inputs, a)

    def log_q(self, x: Point, label: Scalar, *, key: PRNGKey) -> Scalar:
        """log q(y | x) at a known label, in nats; of a model with a, log q(y | x, a) at a draw."""
        first_key, key = jax.random.split(key)
        data = self.data_of(x, key=first_key)
        model = self.at_draw(self.draw_auxiliary(data, key=key))
        return self.labels.log_q(model.output(data, key=key), label)

    def draw_auxiliary(self, data: Point, *, key: PRNGKey) -> AuxiliaryDraw | None:
        """Draw a ~ q(a | x) for a datum of ``vae``; None without a.

        It is independent of a draw of z with the same key.
        """
        if self.auxiliary is None:
            return None
        inputs = self._inputs(data, key=key)
        return AuxiliaryDraw.of(self._encoder, self.auxiliary, inputs, key=draw_keys(key, 2)[1])

    def at_draw(self, draw: AuxiliaryDraw | None) -> "LabelledVAE":
        """Return the model with q(y | x, a) and q(z | x, y, a) at a draw of a, or as it is."""
        if draw is None:
            return self
        vae = dataclasses.replace(self.vae, encoder=self._encoder.at(draw.value))
        classifier = AtAuxiliary(self.classifier, draw.value)
        return dataclasses.replace(self, vae=vae, classifier=classifier, auxiliary=None)

    @property
    def _encoder(self) -> AuxiliaryEncoder:
        """The encoder of a model with a."""
        return self.vae.encoder  # type: ignore[return-value]

    def _inputs(self, data: Point, *, key: PRNGKey) -> Inputs:
        """Return a datum of ``vae`` as its encoder takes it."""
        return self.vae.encoder_input(self.vae.to_model_units(data, key=key).value)

    def with_fixed_prior(self) -> "LabelledVAE":
        """Return the model: its p(z) depends on no network."""
        return self

    def log_density_bound(self, d: int) -> float:
        """Upper bound of log p(x | y, z), in nats, of d features; of two stages, of the second."""
        return self.vae.log_density_bound(d if self.first is None else self.first.n)

    def trainable(self) -> Tree:
        """Mask of the leaves to train: those of ``vae``, the other networks, and a learned p(y)."""
        mask = jax.tree.map(lambda _: False, self)
        others = (self.classifier, self.auxiliary)
        networks = (trainable(self.vae), *jax.tree.map(eqx.is_inexact_array, others))
        mask = eqx.tree_at(
            lambda m: (m.vae, m.classifier, m.auxiliary),
            mask,
            networks,
            is_leaf=lambda part: part is None,
        )
        if isinstance(self.labels, Classes) and self.labels.learned:
            mask = eqx.tree_at(lambda m: m.labels.prior_logits, mask, True)
        return mask


def split_row(row: Float[Array, " e"]) -> tuple[Point, Scalar]:
    """Return the datum x of a row, and its label, the last number; NaN where it is unknown."""
    return row[:-1], row[-1]
