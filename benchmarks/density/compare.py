"""Means over splits, and paired differences."""

import dataclasses
import math

import numpy as np

from .figures import Figure
from .rivals import FACTORS, MIXTURE, PPCA, VAE

BEYOND = 2.0  # standard errors of a paired difference


@dataclasses.dataclass(frozen=True)
class Mean:
    """A mean over splits and its standard error, which is not known of one split."""

    value: float
    error: float

    def __str__(self) -> str:
        digits = 1 if abs(self.value) >= 100 or self.error >= 0.5 else 2
        error = "" if math.isnan(self.error) else f" ± {self.error:.{digits}f}"
        return f"{self.value:.{digits}f}{error}"


def mean_of(values: np.ndarray) -> Mean:
    """Mean and standard error of values, one a split."""
    n = len(values)
    error = values.std(ddof=1) / math.sqrt(n) if n > 1 else math.nan
    return Mean(float(values.mean()), float(error))


@dataclasses.dataclass(frozen=True)
class Comparison:
    """All rivals on one table: their figures, one a split, in the order of the splits."""

    table: str
    figures: dict[str, list[Figure]]

    def log_p(self, rival: str) -> np.ndarray | None:
        """Held-out log densities of a rival, one a split; None where it was skipped or not run."""
        figures = self.figures.get(rival, [])
        values = [figure.log_p for figure in figures if figure.log_p is not None]
        return np.array(values) if values and len(values) == len(figures) else None

    def mean(self, rival: str) -> Mean | None:
        """Mean over splits of a rival."""
        values = self.log_p(rival)
        return None if values is None else mean_of(values)

    def lead(self, rival: str) -> Mean | None:
        """The VAE's held-out log density minus that of a rival, over the same splits."""
        ours, theirs = self.log_p(VAE), self.log_p(rival)
        return None if ours is None or theirs is None else mean_of(ours - theirs)

    @property
    def best_rival(self) -> str | None:
        """The rival of the highest mean."""
        means = {name: self.mean(name) for name in self.figures if name != VAE}
        known = {name: mean.value for name, mean in means.items() if mean is not None}
        return max(known, key=known.__getitem__) if known else None

    def seconds(self, rival: str) -> float | None:
        """Mean seconds of a fit with its whole search."""
        figures = self.figures.get(rival, [])
        return None if not figures else float(np.mean([figure.seconds for figure in figures]))

    @property
    def time_ratio(self) -> float | None:
        """Seconds of the VAE's fits over those of the mixture's searches."""
        ours, theirs = self.seconds(VAE), self.seconds(MIXTURE)
        return None if ours is None or not theirs else ours / theirs

    @property
    def below_linear(self) -> int:
        """Splits on which pPCA or factor analysis is as good as the VAE."""
        ours = self.log_p(VAE)
        linear = [self.log_p(name) for name in (PPCA, FACTORS)]
        if ours is None:
            return 0
        beaten = [ours <= values for values in linear if values is not None]
        return int(np.any(beaten, axis=0).sum()) if beaten else 0
