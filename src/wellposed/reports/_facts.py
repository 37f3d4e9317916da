"""The measures that the panels draw, each computed once."""

import functools
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from wellposed import evaluation
from wellposed._typing import PRNGKey
from wellposed.evaluation import subsample
from wellposed.models import given_columns, own_columns

from ._fitted_vae import FittedVAE

MOST_ROWS = 2_000


class Facts:
    """Measures of a fitted estimator on some rows, each computed when it is first read.

    Parameters
    ----------
    vae : a fitted :class:`wellposed.VAE`
    rows : array of shape (n, d), data units, without the estimator's offset
    labels : array of shape (n,) or None
    gaps : bool array of shape (n, d), the cells of ``rows`` that were drawn; None for none
    key : PRNG key
    """

    def __init__(
        self,
        vae: FittedVAE,
        rows: np.ndarray,
        labels: ArrayLike | None,
        gaps: np.ndarray | None = None,
        *,
        key: PRNGKey,
    ):
        at = subsample(np.arange(len(rows)), MOST_ROWS)
        self.gaps = None if gaps is None or not gaps[at].any() else gaps[at]
        self.vae, self.rows, self.key = vae, rows[at], key
        self.labels = None if labels is None else np.asarray(labels)[at]
        self.image_shape: tuple[int, ...] | None = vae.image_shape_
        self.names: Sequence[str] | None = getattr(vae, "feature_names_in_", None)

    @property
    def grey(self) -> bool:
        """Whether rows are images of one channel."""
        shape = self.image_shape
        return shape is not None and (len(shape) == 2 or shape[2] == 1)

    @functools.cached_property
    def _posteriors(self) -> tuple[np.ndarray, ...]:
        return evaluation.posteriors(self.vae.model_, self.rows, key=self.key)

    @functools.cached_property
    def shown(self) -> np.ndarray:
        """The rows in data units, as the user passed them, without covariates."""
        return self.vae.in_data_units(own_columns(self.vae.model_, self.rows))

    def observed(self, values: np.ndarray) -> np.ndarray:
        """Return values of the cells of the rows, shape (n, d), with NaN in gaps."""
        return values if self.gaps is None else np.where(self.gaps, np.nan, values)

    @functools.cached_property
    def levels(self) -> dict[int, tuple[str, ...]]:
        """Names of the levels of each feature that has some, by its position."""
        schema = self.vae.schema_
        if schema is None or schema.one_noise:
            return {}
        named = {j: column.level_names for j, column in enumerate(schema.kept)}
        return {j: names for j, names in named.items() if names}

    def given(self, n: int) -> np.ndarray | None:
        """Return the covariates of n rows, shape (n, c), repeated if there are fewer, or None."""
        given = given_columns(self.vae.model_, self.rows)
        return np.resize(given, (n, given.shape[1])) if given.shape[1] else None

    def drawn(self, n: int) -> np.ndarray:
        """Draw rows of the model, shape (n, d), data units; levels by their positions.

        Those of a conditional model have the covariates of the rows.
        """
        given = self.given(n)
        if given is None:
            return self._numbers(self.vae.sample(n))
        settings = {"how": "ancestral", "alpha": 1.0, "key": self.vae.key("sample")}
        rows = evaluation.samples(self.vae.model_, n, covariates=given, **settings)
        return self._of_model(rows)

    def decoded(self, codes: np.ndarray) -> np.ndarray:
        """E[x | z] of latents of shape (n, k), data units, shape (n, d); likewise.

        Those of a conditional model are at the covariates of the first row.
        """
        given = self.given(1)
        if given is None:
            return self._numbers(self.vae.inverse_transform(codes))
        codes = np.concatenate([codes, np.repeat(given, len(codes), axis=0)], axis=1)
        rows = evaluation.decode(self.vae.model_, codes, how="mean", key=self.key)
        return self._of_model(rows)

    def _of_model(self, rows: np.ndarray) -> np.ndarray:
        schema, values = self.vae.schema_, self.vae.in_data_units(rows)
        return self._numbers(values if schema is None else schema.decode(values))

    def _numbers(self, rows: Any) -> np.ndarray:
        schema = self.vae.schema_
        return np.asarray(rows) if schema is None or schema.one_noise else schema.encode(rows)

    @property
    def means(self) -> np.ndarray:
        """Posterior means, shape (n, k)."""
        return self._posteriors[0]

    @functools.cached_property
    def rates(self) -> np.ndarray:
        """Mean rate of each latent, shape (k,), nats."""
        return self._posteriors[2].mean(axis=0)

    @functools.cached_property
    def total_rate(self) -> str:
        """Mean KL(q(z | x) ‖ p(z)), nats."""
        rates = evaluation.total_rates(self.vae.model_, self.rows, key=self.key)
        return f"{rates.mean():.4g}"

    @functools.cached_property
    def by_rate(self) -> np.ndarray:
        """Positions of the latents, the most active first."""
        return np.argsort(-self.rates, kind="stable")

    @functools.cached_property
    def residuals(self) -> np.ndarray:
        """Residuals in units of the noise's σ, shape (n, d)."""
        return evaluation.standardised_residuals(self.vae.model_, self.rows, key=self.key)

    @functools.cached_property
    def limits(self) -> tuple[float, float]:
        """Values shown as white and as black; quantiles, since draws have long tails."""
        low, high = np.quantile(self.shown, (0.002, 0.998))
        return float(low), float(high)

    @functools.cached_property
    def forecast(self) -> evaluation.Forecast | None:
        """Forecast of collapse.

        None for noise without a variance, columns of several kinds, and conditional models.
        """
        schema = self.vae.schema_
        if schema is not None and not schema.one_noise:
            return None
        if self.vae.model_.n_covariates or not np.all(np.asarray(self.vae.noise_variance_) > 0):
            return None
        with warnings.catch_warnings():
            # The names were checked when the rows came in.
            warnings.filterwarnings("ignore", "X does not have valid feature names")
            return self.vae.forecast(self.shown)
