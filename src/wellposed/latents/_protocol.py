"""What anything must offer that z can be drawn from."""

from typing import Protocol

from wellposed._typing import Latent, PRNGKey


class Prior(Protocol):
    """p(z): a pytree that draws one z. Those with a density have ``log_prob(z)`` as well."""

    def sample(self, *, key: PRNGKey) -> Latent:
        """Draw one z, shape (k,)."""
        ...
