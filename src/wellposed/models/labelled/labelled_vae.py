"""VAEs of data with labels, some of them unknown."""

from collections.abc import Callable

import equinox as eqx
import jax
from jaxtyping import Array, Float, Int

from wellposed._typing import Covariates, Latent, Point, PRNGKey, Scalar, Tree
from wellposed.latents import AbstractPrior
from wellposed.noise import AbstractNoise

from .._trainable import trainable
from .._vae import VAEModel, draw_keys
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

    Parameters
    ----------
    vae : p(z), p(x | y, z) and q(z | x, y); its covariates are y as ``labels`` gives it
    classifier : network of q(y | x); its input is the encoder's
    labels : p(y) and the family of q(y | x)
    first : a VAE of the data, of whose latents ``vae`` then is; None where it is of the data

    References: Kingma, Rezende, Mohamed & Welling (2014), eqs 1-3 (M1, M2).
    """

    vae: VAEModel
    classifier: Callable
    labels: AbstractLabels
    first: FirstStage | Codes | None = None

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
        """Output of the classifier at a datum of ``vae``."""
        y = self.vae.to_model_units(data, key=key).value
        return self.classifier(self.vae.encoder_input(y))

    def log_q(self, x: Point, label: Scalar, *, key: PRNGKey) -> Scalar:
        """log q(y | x) at a known label, in nats."""
        first_key, key = jax.random.split(key)
        output = self.output(self.data_of(x, key=first_key), key=key)
        return self.labels.log_q(output, label)

    def with_fixed_prior(self) -> "LabelledVAE":
        """Return the model: its p(z) depends on no network."""
        return self

    def log_density_bound(self, d: int) -> float:
        """Upper bound of log p(x | y, z), in nats, of d features; of two stages, of the second."""
        return self.vae.log_density_bound(d if self.first is None else self.first.n)

    def trainable(self) -> Tree:
        """Mask of the leaves to train: those of ``vae``, the classifier, and a learned p(y)."""
        mask = jax.tree.map(lambda _: False, self)
        networks = jax.tree.map(eqx.is_inexact_array, self.classifier)
        mask = eqx.tree_at(lambda m: (m.vae, m.classifier), mask, (trainable(self.vae), networks))
        if isinstance(self.labels, Classes) and self.labels.learned:
            mask = eqx.tree_at(lambda m: m.labels.prior_logits, mask, True)
        return mask


def split_row(row: Float[Array, " e"]) -> tuple[Point, Scalar]:
    """Return the datum x of a row, and its label, the last number; NaN where it is unknown."""
    return row[:-1], row[-1]
