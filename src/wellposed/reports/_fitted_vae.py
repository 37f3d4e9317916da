"""Protocol of the estimator that a report describes."""

from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np

from wellposed._typing import PRNGKey
from wellposed.evaluation import Forecast
from wellposed.models import VAEModel
from wellposed.tables import Schema


@runtime_checkable
class FittedVAE(Protocol):
    """What a report reads of a fitted :class:`wellposed.VAE`."""

    model_: VAEModel
    history_: dict[str, np.ndarray]
    best_epoch_: int | None
    noise_variance_: float | np.ndarray
    image_shape_: tuple[int, ...] | None
    schema_: Schema | None

    def key(self, use: Literal["sample"]) -> PRNGKey:
        """Return the PRNG key of draws."""
        ...

    def sample(self, n_samples: int, /) -> Any:
        """Draw rows, shape (n_samples, d), data units; a frame by the schema."""
        ...

    def in_data_units(self, values: np.ndarray) -> np.ndarray:
        """Add the offset to rows that ``model_`` takes or returns."""
        ...

    def inverse_transform(self, Z: np.ndarray) -> Any:
        """Decode latents of shape (n, k) to means of shape (n, d), data units; likewise."""
        ...

    def forecast(self, X: np.ndarray) -> Forecast:
        """Forecast which latents collapse on rows of shape (n, d), data units."""
        ...
