"""Imputation by a VAE of the observed entries."""

import dataclasses
import warnings
from collections.abc import Callable
from typing import Any, ClassVar, Literal, Self, cast

import jax
import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, TransformerMixin, clone

from wellposed import evaluation, noise
from wellposed._budget import slices
from wellposed._checks import Rule, boolean, check_settings, one_of, or_word, whole
from wellposed._errors import DataWarning, SettingError
from wellposed.tables import Column, Schema
from wellposed.tables._infer import are_amounts, have_long_tail

from .._file_check import demand
from .._settings import settings_of
from .._vae import VAE
from .._words import Rows, Seed
from ..data.mixed import open_rows, open_to_fit, read_mixed
from ..data.rows import open_table, validate_rows
from ..data.table import Table
from .frames import with_columns
from .gaussian import GaussianImputer
from .methods import ImputerMethods, Interval

_CHUNK = 2_000  # rows whose draws are in memory at a time
_BOUND_DRAWS = 400
# Of the default VAE. The importance-weighted bound is closer to log p of the observed entries: if
# many are missing, the posterior is wide and its latents depend on each other. More draws are
# better, and many rows can do with fewer; a step takes as long as it has draws.
_DEFAULTS: dict[str, Any] = {"objective": "iwae", "patience": 20}
_ROWS_AND_DRAWS, _FEWEST, _MOST = 40_000, 5, 20
_ROWS_AND_MODELS, _MOST_MODELS = 30_000, 3
_MOSTLY = 0.5  # share of the columns

Sampler = Literal["importance", "metropolis", "pseudo-gibbs"]


class VAEImputer(ImputerMethods, TransformerMixin, BaseEstimator):
    r"""Fill gaps by their distribution given the observed entries under a VAE.

    .. math:: p(x_m \mid x_o) = \int p(x_m \mid x_o, z) \, p(z \mid x_o) \, dz

    The VAE is fitted to the observed entries, all others integrated out, which is right where
    what is missing depends on observed entries only; ``VAE(missing="self-masking")`` is for entries
    that are missing for their own value. Numbers are filled by conditional means, and
    columns of levels (text, categories, booleans) by the most likely level. Several VAEs are
    fitted, from different initial weights and rows held out, and their predictions averaged: the
    error of a fill is lower than that of each, and draws show where they differ.

    Parameters
    ----------
    vae : None or :class:`wellposed.VAE`
        Settings of the VAE, which is not fitted itself; ``random_state`` is set here, and
        ``missing`` where it is None, to "ignorable". None is a VAE trained by the
        importance-weighted bound, of 20 draws up to 2,000 rows, and of five from 8,000 on; in a
        table of numbers of which most columns are amounts, from zero on and a tenth of them zeros,
        these and other columns from zero on with a long tail have zero-inflated noise.
    n_models : int or "auto"
        Number of VAEs; "auto" is 3 up to 10,000 rows, 2 up to 15,000, and 1 for more.
    sampler : "importance", "metropolis" or "pseudo-gibbs"
        "importance" weighs draws of z from a proposal refined for each row. The chains draw z and
        x_m in turn, see :func:`wellposed.evaluation.impute`; "pseudo-gibbs" accepts every proposal
        of the encoder and is right for an exact encoder only.
    n_samples : int, default 256
        Draws of z for each row, or of x_m by the chains.
    missing_values : number, default NaN
        What a gap is in the data; None, pandas.NA and masked entries are gaps as well.
    add_indicator : bool, default False
        Whether :meth:`transform` adds a column of zeros and ones for each with gaps in the fit.
    keep_empty_features : bool, default False
        Whether columns without an observed entry in the fit are kept, filled with zeros.
    random_state : int, RandomState or None

    Attributes
    ----------
    vaes_ : list of the fitted :class:`wellposed.VAE`
    schema_ : :class:`wellposed.Schema` of a frame with columns of several kinds; else None
    indicator_ : :class:`sklearn.impute.MissingIndicator` or None
    n_features_in_ : d

    References: Mattei & Frellsen (2019), MIWAE: deep generative modelling and imputation of
    incomplete data sets; Mattei & Frellsen (2018), §4.2, for the chains.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = np.repeat(rng.normal(size=(300, 1)), 3, axis=1) + 0.1 * rng.normal(size=(300, 3))
    >>> vae = VAE(1, max_epochs=20, hidden=(8,))
    >>> filled = VAEImputer(vae, n_models=1, random_state=0).fit(X).transform([[1.0, np.nan, 1.0]])
    >>> filled.round(0).tolist()
    [[1.0, 1.0, 1.0]]
    """

    _constraints: ClassVar[dict[str, Rule]] = {
        "sampler": one_of(("importance", "metropolis", "pseudo-gibbs")),
        "n_models": or_word("auto", whole()),
        "n_samples": whole(),
        "add_indicator": boolean(),
        "keep_empty_features": boolean(),
    }

    _file_state: ClassVar[tuple[str, ...]] = ("schema_", "_image_shape")

    def __init__(
        self,
        vae: VAE | None = None,
        *,
        n_models: int | Literal["auto"] = "auto",
        sampler: Sampler = "importance",
        n_samples: int = 256,
        missing_values: float | None = np.nan,
        add_indicator: bool = False,
        keep_empty_features: bool = False,
        random_state: Seed = None,
    ):
        self.vae, self.n_models = vae, n_models
        self.sampler = sampler
        self.n_samples = n_samples
        self.missing_values = missing_values
        self.add_indicator = add_indicator
        self.keep_empty_features = keep_empty_features
        self.random_state = random_state

    # Defined here again: scikit-learn wraps only the methods that a class itself defines.
    transform = ImputerMethods.transform

    def fit(self, X: Rows, y: object = None) -> Self:
        """Fit the VAE to the observed entries.

        Parameters
        ----------
        X : array-like or frame of shape (n, d), or a path
        y : ignored

        Raises
        ------
        DataError
            If entries are infinite, or no column has an observed entry.
        SettingError
            If a setting is out of range, or ``vae`` is no VAE.
        """
        check_settings(settings_of(self), self._constraints)
        if self.vae is not None and not isinstance(self.vae, VAE):
            raise SettingError(
                f"vae must be a wellposed.VAE or None; got {type(self.vae).__name__}. Pass one "
                "with the settings you want, such as wp.VAE(hidden=(64, 64))."
            )
        if self.vae is not None and self.vae.covariates is not None:
            raise SettingError(
                "An imputer models all columns; got a VAE with covariates. Leave covariates out: "
                "the other columns depend on those columns through z."
            )
        self._fit(X)
        return self

    def draw(self, X: Rows, n_draws: int, random_state: Seed = None) -> Any:
        """Draw the gaps given the observed entries: multiple imputation.

        Parameters
        ----------
        X, n_draws, random_state : as in :meth:`transform`

        Returns
        -------
        array of shape (n_draws, n, d), or a list of frames for a model with ``schema_``
        """
        draws = super().draw(X, n_draws, random_state)
        if self.schema_ is None:
            return draws
        given, d = read_mixed(X), len(self.schema_.kept)
        return [self.schema_.decode(each[:, :d], like=given) for each in draws]

    def predict_interval(self, X: Rows, level: float = 0.9, random_state: Seed = None) -> Interval:
        """Return the central interval of each gap given the observed entries of its row.

        Parameters
        ----------
        X : array-like or frame of shape (n, d), or a path
        level : probability of the interval, in (0, 1)
        random_state : of the draws

        Returns
        -------
        Interval, two arrays of shape (n, d), or two frames for a model with ``schema_``; both ends
        of an observed entry are the entry. Gaps of columns of levels, which have no order, stay
        gaps: :meth:`draw` shows which levels they may have
        """
        ends = super().predict_interval(X, level, random_state)
        if self.schema_ is None:
            return ends
        given, gaps = read_mixed(X), self.gaps(X)
        open_ = gaps & self.level_columns(gaps.shape[1])
        decoded = (self.schema_.decode(np.where(open_, np.nan, e), like=given) for e in ends)
        return Interval(*decoded)

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> np.ndarray:
        """Return the names of the columns of :meth:`transform`, indicators last."""
        names = super().get_feature_names_out(input_features)
        if self.schema_ is None:
            return names
        own = [str(column.name) for column in self.schema_]
        return np.array([*own, *names[len(self.schema_.kept) :]], dtype=object)

    def _as_given(self, filled: np.ndarray, X: Rows, rows: np.ndarray) -> Any:
        if self.schema_ is None:
            return super()._as_given(filled, X, rows)
        d = rows.shape[1]
        frame = self.schema_.decode(filled[:, :d], like=read_mixed(X))
        extra = self.get_feature_names_out().tolist()[len(self.schema_) :]
        return with_columns(frame, extra, filled[:, d:])

    def _fit_rows(self, rows: np.ndarray, seed: int) -> None:
        vae = default_vae(len(rows)) if self.vae is None else self.vae
        settings: dict[str, Any] = {"missing": vae.missing or "ignorable"}
        if self.schema_ is None and self.vae is None and self._image_shape is None:
            settings["noise"] = _noise_of(rows)
        if vae.image_shape is None:
            settings["image_shape"] = self._image_shape
        n_models = _models_of(len(rows)) if self.n_models == "auto" else int(self.n_models)
        seeds = np.random.default_rng(seed).integers(2**31, size=n_models)
        table = self._table(rows, settings.get("noise", vae.noise))
        self.vaes_: list[VAE] = []
        for i, own in enumerate(seeds):
            fresh: Any = clone(vae)
            fresh.set_params(random_state=int(own), **settings)
            with warnings.catch_warnings():
                if i:  # the first has warned of the data
                    warnings.simplefilter("ignore", DataWarning)
                self.vaes_.append(fresh.fit(table))

    def _table(self, rows: np.ndarray, noise: Any) -> Table:
        """Return rows of the kept columns, with their names, and the schema that a VAE fits to."""
        names = getattr(self, "feature_names_in_", None)
        if names is not None and len(names) != rows.shape[1]:
            names = names[self._kept] if hasattr(self, "_kept") else None
        named = None if names is None else tuple(map(str, names))
        table = open_to_fit(rows, noise if self.schema_ is None else "auto")
        schema = table.schema if self.schema_ is None else self.schema_
        return dataclasses.replace(table, names=named, labels=named, schema=schema)

    def _read(self, X: Rows, *, reset: bool) -> np.ndarray:
        if reset:
            setting = VAE().noise if self.vae is None else self.vae.noise
            table = open_to_fit(X, setting)
            self.schema_, self._image_shape = _mixed(table.schema), table.image_shape
        else:
            table = open_rows(X, self.schema_, unseen_as_gaps=True)
        if self.schema_ is None:
            return super()._read(open_table(X), reset=reset)
        owner: Any = self
        return np.asarray(validate_rows(owner, table, reset=reset, gaps=True), np.float64)

    def _means(self, rows: np.ndarray) -> np.ndarray:
        filled, open_ = rows.copy(), np.isnan(rows).any(axis=1)
        if not open_.any():
            return filled
        made = self._impute(rows[open_], n_draws=0, n_levels=self._n_levels, seed=self._seed)
        filled[open_] = np.mean([np.asarray(each.mean) for each in made], axis=0)
        if self._n_levels:
            probabilities = np.sum([np.asarray(each.level_probabilities) for each in made], axis=0)
            coded = self.level_columns(rows.shape[1]) & np.isnan(rows[open_])
            filled[open_] = np.where(coded, probabilities.argmax(axis=1), filled[open_])
        return filled

    def _draws(self, rows: np.ndarray, n_draws: int, *, seed: int, proper: bool) -> np.ndarray:
        del proper
        draws = np.broadcast_to(rows, (n_draws, *rows.shape)).copy()
        open_ = np.isnan(rows).any(axis=1)
        if not open_.any():
            return draws
        each = -(-n_draws // len(self.vaes_))
        made = self._impute(rows[open_], n_draws=each, n_levels=0, seed=seed)
        # Draws of the models in turn, so that any number of them has all models.
        drawn = np.stack([np.asarray(one.draws) for one in made], axis=2)
        drawn = drawn.reshape(int(open_.sum()), -1, rows.shape[1])
        draws[:, open_] = np.moveaxis(drawn, 1, 0)[:n_draws]
        return draws

    def _bounds(self, rows: np.ndarray, level: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
        ends = np.empty((2, *rows.shape))
        for part in slices(len(rows), _CHUNK):
            draws = self._draws(rows[part], _BOUND_DRAWS, seed=seed, proper=True)
            ends[:, part] = np.quantile(draws, [0.5 - level / 2, 0.5 + level / 2], axis=0)
        return ends[0], ends[1]

    def _restore(self, vaes: list[VAE]) -> None:
        self.vaes_, d, schema = vaes, int(self._kept.sum()), self.schema_
        n_features = len(self._kept)
        demand(self.n_models in ("auto", len(vaes)), "vaes_")
        fits = (v.n_features_in_ == d and v.model_.noise.allows_missing for v in vaes)
        demand(all(fits), "vaes_")
        shape = self._image_shape
        sizes = isinstance(shape, tuple) and all(type(n) is int and n > 0 for n in shape)
        demand(shape is None or sizes, "_image_shape")
        if schema is not None:
            kept = isinstance(schema, Schema) and len(schema.kept) == n_features
            demand(kept and all(isinstance(c, Column) for c in schema.columns), "schema_")

    def _impute(
        self, rows: np.ndarray, *, n_draws: int, n_levels: int, seed: int
    ) -> list[evaluation.Imputations]:
        return [
            _map_rows(
                evaluation.impute(
                    vae.model_,
                    vae.rows(_as_fitted(vae, rows)),
                    key=jax.random.key(seed),
                    method=cast("Sampler", self.sampler),
                    n_samples=self.n_samples,
                    n_draws=n_draws,
                    n_levels=n_levels,
                ),
                vae.in_data_units,
            )
            for vae in self.vaes_
        ]

    def level_columns(self, d: int) -> np.ndarray:
        """Which of d columns hold codes of levels, shape (d,)."""
        if self.schema_ is None:
            return np.zeros(d, bool)
        return np.array([c.has_levels or c.kind == "boolean" for c in self.schema_.kept])

    def _rivals(self) -> tuple[GaussianImputer, ...]:
        return (GaussianImputer(random_state=self._seed),)

    @property
    def _n_levels(self) -> int:
        """Largest number of levels of a column, or 0."""
        columns = () if self.schema_ is None else self.schema_.kept
        sizes = np.array([len(column.levels or (0, 1)) for column in columns], int)
        return int(sizes[self.level_columns(len(sizes))].max(initial=0))


def default_vae(n: int, **changes: Any) -> VAE:
    """Return the VAE that ``vae=None`` stands for with n rows, with some settings changed."""
    return VAE(**{**_DEFAULTS, "n_importance": _draws_of(n), **changes})


def _as_fitted(vae: VAE, rows: np.ndarray) -> Table:
    """Return rows of the fit's columns, named where the VAE was fitted to names."""
    names = getattr(vae, "feature_names_in_", None)
    named = None if names is None else tuple(names)
    return Table(rows, named, named, schema=vae.schema_)


def _noise_of(rows: np.ndarray) -> str | noise.Columns:
    """Return the noise of numbers: "auto", but of a table that is mostly amounts with zeros.

    Other tables would lose by it, since a training then has no linear start. In such a table the
    other columns from zero on with a long tail have it too: Gaussian noise there costs all columns.
    """
    observed = [column[~np.isnan(column)] for column in rows.T]
    if np.mean([are_amounts(column) for column in observed]) < _MOSTLY:
        return "auto"
    tails = [have_long_tail(column) for column in observed]
    return noise.Columns(["zero-inflated" if each else "conditional" for each in tails])


def _draws_of(n: int) -> int:
    """Return the draws of the importance-weighted bound for n rows."""
    return int(np.clip(_ROWS_AND_DRAWS // n, _FEWEST, _MOST))


def _models_of(n: int) -> int:
    """Return the number of models for n rows."""
    return int(np.clip(_ROWS_AND_MODELS // n, 1, _MOST_MODELS))


def _map_rows(
    made: evaluation.Imputations, in_data_units: Callable[[np.ndarray], np.ndarray]
) -> evaluation.Imputations:
    mean, draws = (in_data_units(np.asarray(part)) for part in (made.mean, made.draws))
    return dataclasses.replace(made, mean=mean, draws=draws)


def _mixed(schema: Schema | None) -> Schema | None:
    return None if schema is None or schema.one_noise else schema
