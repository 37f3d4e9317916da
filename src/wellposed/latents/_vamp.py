"""The aggregate posterior of pseudo-inputs as prior."""

from collections.abc import Callable
from typing import NoReturn

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from wellposed._errors import SettingError
from wellposed._typing import Latent, Leaves, Point, Posterior, PRNGKey, Scalar

from ._abstract import AbstractPrior
from ._mixture import GaussianMixture


class VampPrior(AbstractPrior):
    r"""The mean of q(z | u) over m pseudo-inputs u, which are learned with the ELBO.

    .. math:: p(z) = \frac1m \sum_i q(z \mid u_i)

    Given an encoder it is a :class:`GaussianMixture` with diagonal covariances, of which
    :meth:`fixed` returns the same one at every call. In training p(z) therefore changes with the
    encoder as well. The trained model has the mixture in its place: its scores, its draws and its
    file are those of a model with that mixture, bit for bit.

    Parameters
    ----------
    pseudo_inputs : array of shape (m, d), u, in the units of the encoder's input
    k : number of latents

    References: Tomczak & Welling (2018), eq. 9.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from wellposed.latents import DiagonalNormal
    >>> encode = DiagonalNormal()  # of an encoder that returns its input
    >>> prior = VampPrior(jnp.array([[-1.0, 0.0], [1.0, 0.0]]), k=1)
    >>> prior.fixed(encode).means.tolist()
    [[-1.0], [1.0]]
    """

    pseudo_inputs: Float[Array, "m d"]
    k: int = eqx.field(static=True)

    def parameters(self) -> Leaves:
        return (self.pseudo_inputs,)

    def fixed(self, encode: Callable[[Point], Posterior]) -> GaussianMixture:
        """Return p(z) of the model whose encoder is ``encode``.

        Parameters
        ----------
        encode : from an input of the encoder, shape (d,), to q(z | u), a diagonal normal
        """
        q = jax.vmap(encode)(self.pseudo_inputs)
        m = len(self.pseudo_inputs)
        return GaussianMixture(jnp.zeros(m), q.loc, jax.vmap(jnp.diag)(q.scale))

    def log_prob(self, z: Latent) -> Scalar:
        """Raise ``SettingError``: the density depends on the encoder."""
        self._refuse()

    def sample(self, *, key: PRNGKey) -> Latent:
        """Raise ``SettingError``: the distribution depends on the encoder."""
        self._refuse()

    def moments(self) -> tuple[Latent, Latent]:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise SettingError(
            f"A VampPrior of {len(self.pseudo_inputs)} pseudo-inputs has no density without an "
            "encoder. Use model.with_fixed_prior(), whose prior is the mixture at its encoder."
        )
