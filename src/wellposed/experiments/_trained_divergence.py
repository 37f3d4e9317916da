"""The same divergence in a trained VAE."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from wellposed import noise
from wellposed._errors import DataError
from wellposed.estimators import VAE

from ._rows import as_rows
from ._training import train


@dataclasses.dataclass(frozen=True, eq=False)
class TrainedDivergence:
    """Training ELBO of two VAEs: the mean in nats a datum and data units, one entry an epoch.

    Examples
    --------
    >>> import wellposed as wp
    >>> found = wp.experiments.trained_divergence()  # doctest: +SKIP
    """

    free: np.ndarray  # (epochs,), σ(z) without a floor; shorter if the training failed
    floored: np.ndarray  # (epochs,), σ(z) above the standard deviation of the data's rounding
    bound: float  # of the floored model's log density
    passed: int | None  # first epoch in which the free ELBO exceeds that bound; None if none does
    smallest_free_scale: float  # smallest σ over data and features at the end, data units
    smallest_floored_scale: float
    free_outcome: str
    floored_outcome: str


def trained_divergence(
    rows: npt.ArrayLike | None = None,
    *,
    n_components: int = 2,
    hidden: tuple[int, ...] = (64, 64),
    max_epochs: int = 3000,
    learning_rate: float = 3e-3,
    random_state: int = 0,
) -> TrainedDivergence:
    """Train a VAE with a free σ(z), and one whose σ(z) has the data's floor, on few rows.

    Both decoders return μ(z) and σ(z) for each feature, and both are trained on all rows in every
    step. Features that never vary are removed, since both models reproduce them exactly.

    The ELBO with the floor f is at most −Σ log(f_j √2π) at any parameters. The ELBO without it has
    no bound; its final value depends on the optimiser only: the number of steps, the decay of the
    learning rate, and whether a σ underflows to zero, which ends the training with the outcome
    ``nonfinite``.

    Parameters
    ----------
    rows : array-like of shape (n, d), data units; by default ten digits, one of each
    n_components, hidden, max_epochs, learning_rate, random_state : of :class:`wellposed.VAE`

    Raises
    ------
    DataError
        If the rows are not a finite table, or all equal.
    SettingError
        If a setting of the VAE is not valid.

    Examples
    --------
    >>> record = trained_divergence(max_epochs=3)
    >>> len(record.free), bool((record.floored <= record.bound).all())
    (3, True)
    """
    values = _varying(as_rows(rows, 10))
    free, floored = _both(
        values,
        n_components=n_components,
        hidden=hidden,
        max_epochs=max_epochs,
        learning_rate=learning_rate,
        random_state=random_state,
    )
    bound = floored.model_.log_density_bound(values.shape[1])
    above = np.flatnonzero(free.history_["objective"] > bound)
    return TrainedDivergence(
        free=free.history_["objective"],
        floored=floored.history_["objective"],
        bound=bound,
        passed=int(above[0]) + 1 if above.size else None,
        smallest_free_scale=_smallest_scale(free, values),
        smallest_floored_scale=_smallest_scale(floored, values),
        free_outcome=free.outcome_.value,
        floored_outcome=floored.outcome_.value,
    )


def _both(values: np.ndarray, **settings: Any) -> tuple[VAE, VAE]:
    """Train the VAE without and the one with a floor, with the same settings."""
    # The resolution of whole numbers is one, even if few rows have larger gaps between them.
    resolution: Any = "auto" if (values % 1).any() else 1.0
    free, floored = (
        train(
            values,
            **settings,
            resolution=resolution,
            noise=noise.Gaussian("conditional", floor=floor, ratio=None),
            batch_size=len(values),
            allow_unbounded=floor == 0,
        )
        for floor in (0.0, None)
    )
    return free, floored


def _varying(values: np.ndarray) -> np.ndarray:
    """Remove features that never vary."""
    varying = values.max(axis=0) > values.min(axis=0)
    if not varying.any():
        raise DataError(
            f"Some feature must vary; all {len(varying)} are constant over {len(values)} row(s). "
            "Pass at least two distinct rows."
        )
    return values[:, varying]


def _smallest_scale(vae: VAE, values: np.ndarray) -> float:
    transform: Any = vae.model_.transform
    latents = jnp.asarray(vae.transform(values))
    variances = jax.vmap(lambda z: vae.model_.decode(z).variance)(latents)
    return float(jnp.sqrt(jnp.min(variances, axis=0) * transform.scale**2).min())
