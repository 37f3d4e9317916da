"""How well two batches mix in latents, and whether a cell stays where it is."""

import numpy as np
from sklearn.neighbors import NearestNeighbors

from wellposed.evaluation import covariate_information

_NEIGHBOURS = 30
_NEAR = 10


def scaled(*latents: np.ndarray) -> list[np.ndarray]:
    """Return latents in units of the standard deviations of the first."""
    scale = np.maximum(latents[0].std(axis=0), 1e-12)
    return [each / scale for each in latents]


def mixing(latents: np.ndarray, batch: np.ndarray) -> tuple[float, float]:
    """Return the share of neighbours from the other batch over that at random, and its error.

    1 where the batches are mixed, 0 where they are apart.
    """
    (z,) = scaled(latents)
    near = NearestNeighbors(n_neighbors=_NEIGHBOURS + 1).fit(z).kneighbors(z)[1][:, 1:]
    other = (batch[near] != batch[:, None]).mean(axis=1)
    expected = np.where(batch == 1, (batch == 0).mean(), (batch == 1).mean())
    ratio = other / expected
    return float(ratio.mean()), float(ratio.std() / len(ratio) ** 0.5)


def twins(whole: np.ndarray, thinned: np.ndarray) -> float:
    """Share of cells whose thinned twin is one of the ten nearest of all thinned cells."""
    a, b = scaled(whole, thinned)
    near = NearestNeighbors(n_neighbors=_NEAR).fit(b).kneighbors(a)[1]
    return float((near == np.arange(len(a))[:, None]).any(axis=1).mean())


def line(name: str, draws: np.ndarray, means: np.ndarray, batch: np.ndarray, kept: float) -> str:
    """Return a line of the table."""
    told = covariate_information(draws, {"batch": batch}, random_state=0)["batch"]
    share, error = mixing(means, batch)
    return (
        f"{name:34}{told.information.value:8.3f} ± {told.information.standard_error:.3f}"
        f"{told.null.value:9.3f}{told.accuracy.value:10.1%}{share:10.3f} ± {error:.3f}{kept:9.1%}"
    )
