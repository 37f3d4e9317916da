"""Methods of a VAE that return data: of latents, of rows, and drawn."""

from typing import Any

import jax
import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_array, check_is_fitted

from wellposed import evaluation
from wellposed._errors import DataError, SettingError
from wellposed._typing import PRNGKey
from wellposed.numerics import host_generator

from ._measures import Measures
from ._sizes import check_draws
from ._words import FilePath, Rows, Sampler, Seed, Values
from .data.covariates import numbers_of
from .data.mixed import read_mixed
from .data.rows import seed_of
from .streamed.dealt import spread
from .streamed.draws import key_text, write_draws


class Drawing(Measures):
    """Methods of a VAE that return rows as the data of the fit were."""

    def inverse_transform(self, Z: ArrayLike, covariates: Values | None = None) -> Any:
        """Return the decoder mean at each latent: (n, k) to (n, d), data units.

        The most likely level of a category, and a frame for a model with ``schema_``.

        Parameters
        ----------
        Z : array-like of shape (n, k)
        covariates : of a model with ``covariates_``, which needs them: a frame that has the
            columns, {name: value or one a row}, or an array-like with one row for each z, or one
            row for all. What is returned has these columns in their places

        Raises
        ------
        SettingError
            For another number of latents, or covariates where the model has none.
        DataError
            For covariates with gaps, levels that had no row in the fit, or another number of rows.
        """
        check_is_fitted(self)
        latents = check_array(Z)
        if latents.shape[1] != self.n_components_:
            raise SettingError(
                f"Z must have {self.n_components_} columns, one a latent; got {latents.shape[1]}. "
                "Pass what transform() returns."
            )
        given = self._given(covariates, len(latents))
        if given is None and self.covariates_ is not None:
            raise SettingError(
                "A model with covariates decodes z under given ones; got none. Pass those of the "
                f"rows, covariates=X, or others: covariates={self._example()}."
            )
        return self._decoded(latents, given)

    def reconstruct(self, X: Rows, covariates: Values | None = None) -> Any:
        """Return the decoder mean at each row's posterior mean, shape (n, d), data units.

        The most likely level of a category, and a frame with the index of X, and its columns that
        the model leaves out, for a model with ``schema_``.

        Parameters
        ----------
        X : array-like of shape (n, d), or a path
        covariates : other ones than those of the rows, as of :meth:`inverse_transform`: each row
            as it would be under them, such as all rows in one batch
        """
        check_is_fitted(self)
        X = read_mixed(X)
        table = self.open(X)
        rows, given = self.rows(table), table.given
        if covariates is not None:
            given = self._given(covariates, len(rows))
        means = evaluation.latent_means(self.model_, rows, key=self.key("score"))
        return self._decoded(means, given, like=X)

    def sample(
        self,
        n_samples: int = 1,
        how: Sampler = "ancestral",
        *,
        alpha: float = 1.0,
        covariates: Values | None = None,
        random_state: Seed = None,
        out: FilePath | None = None,
    ) -> Any:
        """Draw new data from the p(x) that is scored, with z from the model's own p(z).

        Parameters
        ----------
        n_samples : how many
        how : "ancestral" draws x ~ p(x | z), the model's own draw; "mean" shows μ(z), without
            the noise; "coupled" shows every feature at the quantile Φ(alpha) of its noise, which
            is μ(z) + alpha·σ(z) for a Gaussian
        alpha : of "coupled"
        covariates : of a model with ``covariates_``, as of :meth:`inverse_transform`; None draws
            them from those of at most 10,000 rows of the fit
        random_state : None takes the estimator's own seed, so that equal calls give equal draws
        out : .npy or .parquet file to write the same draws to, as they come; its path is returned

        Returns
        -------
        array of shape (n_samples, d), data units; for a model with ``schema_``, a frame of its
        columns and types. A model with ``covariates_`` has these columns in their places. In a
        frame, whole numbers, dates and levels are those that the columns can hold, for every
        ``how``; numbers with decimals are not rounded, since p(x) is a density
        """
        check_is_fitted(self)
        width = max(self.n_features_in_, self.n_components_) if out is None else 0
        check_draws(n_samples, how, alpha, width=width)
        n = int(n_samples)
        key = self.key("sample") if random_state is None else jax.random.key(seed_of(random_state))
        given = self._given(covariates, n)
        if given is None and self.covariates_ is not None:
            kept = self.covariates_.rows
            if not len(kept):
                raise SettingError(
                    "This model keeps no covariates of the fit to draw from. Pass some: "
                    f"covariates={self._example()}."
                )
            given = kept[host_generator(jax.random.fold_in(key, 1)).integers(len(kept), size=n)]

        def part(first: int, stop: int) -> np.ndarray:
            own = None if given is None else given[first:stop]
            with spread(self):
                return self._drawn(stop - first, own, how, alpha, key=key, first=first)

        if out is None:
            return self.as_given(part(0, n), covariates=given)

        def convert(first: int, rows: np.ndarray) -> Any:
            own = None if given is None else given[first : first + len(rows)]
            return self.as_given(rows, covariates=own)

        return write_draws(self, part, n, out, convert, how=how, alpha=alpha, key=key_text(key))

    def sample_columns(self, n_samples: int, given: np.ndarray | None = None) -> Any:
        """Draw as :meth:`sample` does, the modelled columns alone.

        Parameters
        ----------
        n_samples : how many
        given : of a model with ``covariates_``, the numbers of shape (n_samples, q) of each draw,
            see :meth:`wellposed.tables.Covariates.numbers`
        """
        key = self.key("sample")
        return self.as_given(self._drawn(n_samples, given, "ancestral", 1.0, key=key))

    def _drawn(
        self,
        n: int,
        given: np.ndarray | None,
        how: str,
        alpha: float,
        *,
        key: PRNGKey,
        first: int = 0,
    ) -> np.ndarray:
        known = self.covariates_
        coded = None if known is None or given is None else known.code(given)
        settings = {"how": how, "alpha": alpha, "key": key, "covariates": coded, "first": first}
        return evaluation.samples(self.model_, n, **settings)

    def _decoded(self, latents: np.ndarray, given: np.ndarray | None, like: Any = None) -> Any:
        if given is not None and self.covariates_ is not None:
            latents = np.concatenate([latents, self.covariates_.code(given)], axis=1)
        rows = evaluation.decode(self.model_, latents, how="mean", key=self.key("score"))
        return self.as_given(rows, like=like, covariates=given)

    def _given(self, values: Values | None, n: int) -> np.ndarray | None:
        """Return the numbers of n rows of covariates, shape (n, q); None where none are passed."""
        if values is None:
            return None
        if self.covariates_ is None:
            raise SettingError(
                "This model has no covariates; got some. Leave them out, or fit a model with "
                "VAE(covariates=...)."
            )
        numbers = numbers_of(self.covariates_, values)
        if len(numbers) not in (1, n):
            raise DataError(
                f"Covariates must have one row for each of the {n} rows, or one for all; got "
                f"{len(numbers)} rows. Pass as many."
            )
        return np.repeat(numbers, n // len(numbers), axis=0)

    def _example(self) -> str:
        """Return covariates as a user passes them, for a message."""
        if self.covariates_ is None:
            return "None"
        columns = self.covariates_.columns
        return repr({e.name: e.levels[0] if e.column.has_levels else e.mean for e in columns})
