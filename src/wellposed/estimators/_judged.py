"""What a VAE can be asked of its own noise: is it as wide as the data say?"""

from typing import Any, Self

import numpy as np

from wellposed import evaluation, models
from wellposed._typing import PRNGKey


class Judged:
    """Methods of an estimator whose ``model_`` is a :class:`wellposed.models.VAEModel`.

    The two hooks below say how it reads rows, and where its keys come from.
    """

    model_: models.VAEModel
    noise_variance_: float | np.ndarray

    def _rows(self, X: Any) -> np.ndarray:
        raise NotImplementedError

    def _key(self, use: str) -> PRNGKey:
        raise NotImplementedError

    def coverage(self, X: Any, **options: Any) -> evaluation.Coverage:
        """Measure the coverage of p(x | z) on X; see :func:`evaluation.coverage`."""
        rows = self._rows(X)
        return evaluation.coverage(self.model_, rows, key=self._key("score"), **options)

    def calibration(self, X: Any, **options: Any) -> evaluation.Calibration:
        """Judge reconstructions, marginals or held-out features of X by coverage and CRPS.

        ``options`` are ``given``, ``n_draws`` and ``share`` of :func:`evaluation.calibration`.
        """
        rows = self._rows(X)
        return evaluation.calibration(self.model_, rows, key=self._key("score"), **options)

    def variance_split(self, X: Any, **options: Any) -> evaluation.VarianceSplit:
        """Split the variance of X between latents and noise; see ``evaluation.variance_split``."""
        rows = self._rows(X)
        return evaluation.variance_split(self.model_, rows, key=self._key("score"), **options)

    def recalibrate(self, X: Any) -> Self:
        """Rescale the noise of each feature so that it fits X, which must not be training data.

        The scales are saved with the model; fitting again starts without them. To see them with
        their errors, call :func:`wellposed.evaluation.recalibrated` on ``model_``.
        """
        rows, key = self._rows(X), self._key("score")
        self.model_ = evaluation.recalibrated(self.model_, rows, key=key).model
        variance = evaluation.mean_noise_variance(self.model_, rows, key=key)
        self.noise_variance_ = float(variance) if variance.ndim == 0 else np.asarray(variance)
        self._advance = None  # further passes start from this model
        return self
