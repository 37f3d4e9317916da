"""What anything must offer that z can be drawn from."""

from typing import Protocol, runtime_checkable

from wellposed._typing import Latent, PRNGKey


@runtime_checkable
class Prior(Protocol):
    """p(z): a pytree that draws one z. Those with a density have ``log_prob(z)`` as well.

    Examples
    --------
    >>> from wellposed.latents import StandardNormal
    >>> prior: Prior = StandardNormal(2)
    >>> prior.sample(key=key).shape
    (2,)
    """

    def sample(self, *, key: PRNGKey) -> Latent:
        """Draw one z, shape (k,)."""
        ...
