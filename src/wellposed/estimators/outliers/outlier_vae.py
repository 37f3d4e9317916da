"""Outliers by the density of a VAE."""

import dataclasses
from typing import Any, ClassVar, Literal, Self, cast

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, OutlierMixin, clone
from sklearn.utils.metaestimators import available_if

from wellposed import evaluation
from wellposed._checks import Rule, check_number, check_settings, one_of, or_word, real, whole
from wellposed._errors import SettingError

from .._file_check import demand
from .._homonym import setting_and_method
from .._settings import settings_of
from .._vae import VAE
from .._words import Rows, Seed
from ..data.covariates import open_to_condition
from ..data.rows import restore_on_failure, seed_of, validate_rows
from ..data.table import Table
from .calibration import Split, check_rows, constants_of, split, threshold_of
from .columns import Columns, check_levels, quantile_noise
from .complexity import check_levels_of_bytes, code_length
from .ensemble import Ensemble
from .explain import Cells, explain, rows_for_cells, warn_of_few_cells
from .methods import OutlierMethods
from .stream import advance, can_advance, warn_of_drift
from .trim import far_rows

# Of the default VAE. Its density is one score of five, and a longer training changes their mean
# little.
_DEFAULTS: dict[str, Any] = {"max_epochs": 100, "patience": 20, "validation_folds": 0}
SCORES = ("log_density", "typicality", "rate", "quantile", "complexity", "ensemble")


@setting_and_method("score")
class OutlierVAE(OutlierMethods, OutlierMixin, BaseEstimator):
    r"""Find outliers by log p(x) of a VAE, with alarms at the rate that is asked for.

    Some rows are held out of training. Their scores give each new row the p-value

    .. math:: p(x) = \frac{1 + \#\{i : s(c_i) \le s(x)\}}{m + 1}

    so that of rows like those of the fit a share of at most α has p ≤ α, however well the VAE
    fits. No threshold comes from the scores of rows that the VAE was trained on.

    Parameters
    ----------
    vae : None or :class:`wellposed.VAE`
        Settings of the VAE, which is not fitted itself; ``random_state`` is set here. None is the
        default VAE with at most 100 epochs, and without folds. Missing entries, columns of several
        kinds and covariates are as it has them.
    score : "auto", "log_density", "typicality", "rate", "quantile", "complexity" or "ensemble"
        Of each row, lower for outliers. "auto" is "ensemble" for whole rows of numbers, and
        "log_density" for tables with gaps, other kinds of columns or covariates.
        "log_density" is log p(x), by importance sampling with a proposal refined for each row.
        "typicality" is the distance of log p(x) from its median over some rows held out, negative:
        a density that is too high is an outlier as well. "rate" is −KL(q(z|x) ‖ p(z)).
        "quantile" is the sum over columns of log p_j, where p_j is the share of some rows held out
        whose cell is as far in the tails of p(x_j|z); noise that is "auto" then has quantile heads,
        :class:`wellposed.noise.Quantile`, and :meth:`quantiles` returns intervals.
        "complexity" is for images, rows of whole numbers from 0 to 255: log p(x) plus the length
        in nats of a code that knows no model. Most models give a simple image a high log p(x),
        whatever it shows; what is left is the log of a likelihood ratio.
        "ensemble" is a mean over five scores, each on the scale of how rare it is: log p(x) of the
        VAE and of mixtures of five and of ten Gaussians, half of the weight together, and the
        distances to the first and the fifth neighbour among rows of the fit, of which it keeps at
        most 20,000. Below 2,000 rows only the VAE is not trained on the rows held out: a row of
        the fit is scored by Gaussians without its fold. Below 300 the VAE has no weight in it
    contamination : "auto" or a number in (0, 0.5]
        The share of rows that :meth:`predict` calls outliers, where rows are like those of the
        fit. "auto" estimates it, see :func:`wellposed.evaluation.outlier_share`, and takes at
        least 1 %. It has no effect on p-values.
    n_calibration : "auto" or int
        m, the rows held out; "auto" is a fifth, at most 2,000
    n_samples : draws of z a row, of scores with log p(x)
    trim : number in [0, 0.5), default 0
        Share of the rows of the fit that nothing is trained on, the farthest from a Gaussian of
        most rows. 0 is for rows that are normal, or where outliers are few and apart. Where groups
        of outliers are among them, and in ``fit_predict``, give 0.2: a density learns a group that
        it is trained on. Rows are then no neighbours of rows of the fit equal to them. Rows
        held out are not trimmed, so that p-values stay close to right
    random_state : int, RandomState or None

    Attributes
    ----------
    vae_ : the fitted :class:`wellposed.VAE`
    score_ : name of the score
    calibration_scores_ : array of shape (m,), rising
    offset_ : threshold of ``score_samples`` below which a row is an outlier
    contamination_ : share of calibration rows that it stands for
    n_features_in_ : d, the number of columns that the model has, covariates not counted

    References: Bates, Candès, Lei, Romano & Sesia (2023), Testing for outliers with conformal
    p-values; Nalisnick et al. (2019), Detecting out-of-distribution inputs using typicality; Serrà
    et al. (2020), Input complexity and out-of-distribution detection with likelihood-based models.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = np.repeat(rng.normal(size=(600, 1)), 3, axis=1) + 0.1 * rng.normal(size=(600, 3))
    >>> small = VAE(1, hidden=(8,), max_epochs=20)
    >>> detector = OutlierVAE(small, random_state=0).fit(X)
    >>> detector.outliers([[0.5, 0.5, 0.5], [0.5, 0.5, -0.5]], alpha=0.01).tolist()
    [False, True]
    """

    _constraints: ClassVar[dict[str, Rule]] = {
        "score": one_of(("auto", *SCORES)),
        "contamination": or_word("auto", real(above=0, high=0.5)),
        "n_calibration": or_word("auto", whole()),
        "n_samples": whole(),
        "trim": real(low=0, below=0.5),
    }
    _setting_defaults: ClassVar[dict[str, Any]] = {"trim": 0.0}
    _file_state: ClassVar[tuple[str, ...]] = (
        "n_features_in_",
        "calibration_scores_",
        "offset_",
        "contamination_",
        "_constants",
        "score_",
        "_centre",
        "_ensemble_parts",
        "_column_parts",
        "_kept_rows",
        "_seed",
    )

    def __init__(
        self,
        vae: VAE | None = None,
        *,
        score: Literal[
            "auto", "log_density", "typicality", "rate", "quantile", "complexity", "ensemble"
        ] = "auto",
        contamination: float | Literal["auto"] = "auto",
        n_calibration: int | Literal["auto"] = "auto",
        n_samples: int = 64,
        trim: float = 0.0,
        random_state: Seed = None,
    ):
        self.vae = vae
        vars(self)["score"] = score  # reading the attribute gives the method
        self.contamination = contamination
        self.n_calibration = n_calibration
        self.n_samples = n_samples
        self.trim = trim
        self.random_state = random_state

    def fit(self, X: Rows, y: object = None) -> Self:
        """Fit the VAE to most rows, and score the others.

        Parameters
        ----------
        X : array-like or frame of shape (n, d), or a path; outliers among the rows are allowed
        y : ignored

        Raises
        ------
        DataError
            For rows that are not finite numbers or all equal, and for too few.
        SettingError
            If a setting is out of range, or ``vae`` is no VAE.
        """
        return self._fit(X, settings_of(self)["score"])

    def _fit(self, X: Rows, score: str) -> Self:
        check_settings(settings_of(self), self._constraints)
        if self.vae is not None and not isinstance(self.vae, VAE):
            raise SettingError(
                f"vae must be a wellposed.VAE or None; got {type(self.vae).__name__}. Pass one "
                "with the settings you want, such as wp.VAE(hidden=(64, 64))."
            )
        with restore_on_failure(self):
            self._seed = seed_of(self.random_state)
            vae: Any = default_vae() if self.vae is None else clone(self.vae)
            vae.set_params(random_state=self._seed)
            if score == "quantile" and isinstance(vae.noise, str) and vae.noise == "auto":
                vae.set_params(noise=quantile_noise())
            table = open_to_condition(X, vae.noise, vae.covariates)
            if vae.missing is None:
                table.check_finite(ignorable=True)
            validate_rows(self, table, reset=True, gaps=vae.missing is not None)
            check_rows(table)
            self.score_ = _score_of(score, table, vae)
            generator = np.random.default_rng(self._seed)
            scaled = self.score_ in ("typicality", "quantile", "ensemble")
            parts = split(
                len(table.values), cast(Any, self.n_calibration), generator, with_reference=scaled
            )
            if self.trim:
                _check_trim(self.trim, table, vae)
                parts = parts.without(far_rows(table.values, self.trim))
            trained = table.take(parts.trained)
            self.vae_ = vae.fit(trained)
            self._constants = constants_of(trained.values)
            scores = self._scale(table, parts)
            self.calibration_scores_ = np.sort(scores)
            threshold = threshold_of(scores, cast(Any, self.contamination))
            self.offset_, self.contamination_ = threshold.offset, threshold.share
            n_kept = rows_for_cells(len(parts.held), table.values.shape[1])
            kept = self.vae_.rows(table.take(parts.held[:n_kept]))
            self._kept_rows, self._cells = np.asarray(kept, np.float64), None
        return self

    def _scale(self, table: Table, parts: Split) -> np.ndarray:
        """Fit what puts scores on a scale; return the scores of the calibration rows, (m,)."""
        self._centre, self._ensemble, self._columns = 0.0, None, None
        reference, held = table.take(parts.reference), table.take(parts.held)
        if self.score_ == "ensemble":
            surprise = -self._log_density(table.take(parts.out))
            rows = self.vae_.rows(table)
            self._ensemble, found = Ensemble.fit(rows, parts, surprise, seed=self._seed)
            return -found
        if self.score_ == "typicality":
            self._centre = float(np.median(self._log_density(reference)))
        if self.score_ == "quantile":
            self._columns = Columns.fit(self.vae_, self.vae_.rows(reference), self.vae_.rows(held))
        return self._scores(held)

    def _scores(self, table: Table) -> np.ndarray:
        if self.score_ == "rate":
            rows, key = self.vae_.rows(table), self.vae_.key("score")
            rates = evaluation.total_rates(self.vae_.model_, rows, key=key)
            return -np.asarray(rates, np.float64)
        if self._columns is not None:
            return -self._columns.score(self.vae_, self.vae_.rows(table))
        log_p = self._log_density(table)
        if self._ensemble is not None:
            return -self._ensemble.surprise(self.vae_.rows(table), -log_p)
        if self.score_ == "complexity":
            return log_p + code_length(table.values)
        return log_p if self.score_ == "log_density" else -np.abs(log_p - self._centre)

    def _log_density(self, table: Table) -> np.ndarray:
        return np.asarray(self.vae_.score_samples(table, self.n_samples), np.float64)

    @available_if(can_advance)
    def partial_fit(self, X: Rows, y: object = None) -> Self:
        """Train on a piece of a stream, after a test whether its rows have drifted.

        The first piece is fitted, with the score "log_density" for "auto"; detectors with other
        scores have no ``partial_fit``. Of later ones the p-values come first: a warning is given
        where they are not uniform, see :meth:`drift`. A fifth of the piece then joins the
        calibration rows, of which the newest 2,000 are kept, and the VAE is trained on the rest
        for one pass.

        Parameters
        ----------
        X : array-like or frame of shape (n, d), or a path
        y : ignored

        Raises
        ------
        AttributeError
            If the score is not "log_density", with the remedy as its cause.
        """
        if not hasattr(self, "calibration_scores_"):
            return self._fit(X, "log_density")
        table = self._open(X)
        warn_of_drift(self._drift(table))
        with restore_on_failure(self):
            advance(self, table)
        return self

    def drift(self, X: Rows) -> evaluation.Uniformity:
        """Test whether the p-values of rows are uniform: whether the rows have drifted.

        Parameters
        ----------
        X : array-like or frame of shape (n, d), or a path, of rows that were not in the fit
        """
        return self._drift(self._open(X))

    def _drift(self, table: Table) -> evaluation.Uniformity:
        held = self.calibration_scores_
        p = evaluation.conformal_p_values(-self._scores(table), -held)
        return evaluation.uniformity(p, len(held))

    def score(self, X: Rows, y: object = None) -> float:
        """Return the mean of :meth:`score_samples` over rows: larger where they are usual."""
        return float(self.score_samples(X).mean())

    def explain(self, X: Rows, level: float = 0.01) -> evaluation.Explanation:
        """Explain −log p(x) of rows: by columns, wrong cells, and the values expected there.

        The cells of a row are judged by -log p(x_j | the other cells), whatever ``score`` is. The
        most suspicious one is hidden, the others are judged again without it, and so on for at
        most five cells, as long as its p-value is at most ``level``. Calibration rows give
        the p-values: about that share of right cells is named.

        Each row takes some 2 d estimates of log p of a part of it, and so do up to 300 calibration
        rows at the first call.

        Parameters
        ----------
        X : array-like or frame of shape (n, d), or a path
        level : share of the right cells that may be named, in (0, 1)

        Returns
        -------
        evaluation.Explanation: ``print`` it, or draw it by :func:`wellposed.plotting.outliers`

        Raises
        ------
        SettingError
            For noise of which no part of the features has a density in closed form.
        """
        level = check_number("level", level, "0.01 is usual.", above=0, below=1)
        table = self._open(X)
        if self._cells is None:
            n_kept = rows_for_cells(len(self._kept_rows), len(self._constants))
            kept = self._kept_rows[-n_kept:]
            self._cells = Cells.of(self.vae_, kept, int(self.n_samples))
        warn_of_few_cells(level, len(self._cells.calibration))
        return explain(self._cells, X, table, self._log_density(table), level)

    def quantiles(self, X: Rows, levels: ArrayLike = (0.15, 0.5, 0.85)) -> np.ndarray:
        """Return quantiles of each column given z, in data units, of ``score="quantile"``.

        Levels are corrected by rows held out of training: with q of them, a share of new rows
        within 1/(2 q + 2) of each level is expected below its quantile. z is E[z | x], so that a
        quantile is where the cell of a row would be, given the row as a whole.

        Parameters
        ----------
        X : array-like or frame of shape (n, d), or a path
        levels : h numbers in (0, 1)

        Returns
        -------
        array of shape (n, h, d), in the units of the data

        Raises
        ------
        SettingError
            For another score, and levels out of range.
        """
        table, tau = self._open(X), check_levels(levels)
        if self._columns is None:
            raise SettingError(
                f'quantiles need score="quantile", whose noise has them; got "{self.score_}". '
                'Fit OutlierVAE(score="quantile").'
            )
        return self._columns.quantiles(self.vae_, self.vae_.rows(table), tau)

    @property
    def _column_parts(self) -> tuple[Any, ...] | None:
        return None if self._columns is None else self._columns.parts()

    @_column_parts.setter
    def _column_parts(self, parts: Any) -> None:
        self._given_columns = parts

    @property
    def _ensemble_parts(self) -> tuple[Any, ...] | None:
        return None if self._ensemble is None else self._ensemble.parts()

    @_ensemble_parts.setter
    def _ensemble_parts(self, parts: Any) -> None:
        self._given_parts = parts

    def _check_restored(self) -> None:
        """Refuse a state of a file that no fit makes, and rebuild the ensemble."""
        demand(type(self._centre) is float and bool(np.isfinite(self._centre)), "_centre")
        setting = settings_of(self)["score"]
        automatic = self.score_ in ("ensemble", "log_density")
        demand(self.score_ == setting or (setting == "auto" and automatic), "score_")
        kept, self._cells = self._kept_rows, None
        width = len(self._constants) + self.vae_.model_.n_covariates
        sound = isinstance(kept, np.ndarray) and kept.dtype == np.float64 and kept.ndim == 2
        demand(sound and len(kept) > 0 and kept.shape[1] == width, "_kept_rows")
        self._ensemble = self._rebuilt(Ensemble, self._given_parts, "ensemble")
        if self._ensemble is not None:
            self._ensemble = dataclasses.replace(self._ensemble, distinct=self.trim > 0)
        self._columns = self._rebuilt(Columns, self._given_columns, "quantile")
        del self._given_parts, self._given_columns

    def _rebuilt(self, kind: Any, parts: tuple[Any, ...] | None, score: str) -> Any:
        """Return what a score has beside the VAE from the parts in a file; None for others."""
        if self.score_ != score:
            demand(parts is None, f"what only the score {score} has")
            return None
        found = kind.of_parts(parts, len(self._constants))
        demand(found is not None, f"what the score {score} has")
        return found

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the constructor's settings by name."""
        return {**super().get_params(deep), "score": vars(self)["score"]}

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True  # sparse rows become dense
        tags.input_tags.allow_nan = self.vae is not None and self.vae.missing is not None
        return tags


def default_vae(**changes: Any) -> VAE:
    """Return the VAE that ``vae=None`` stands for, with some settings changed."""
    return VAE(**{**_DEFAULTS, **changes})


def _score_of(setting: str, table: Table, vae: VAE) -> str:
    """Return the name of the score for a table.

    Raises
    ------
    SettingError
        For an ensemble of rows that are not whole rows of numbers.
    """
    obstacle = _obstacle(table, vae)
    if setting == "auto":
        return "ensemble" if obstacle is None else "log_density"
    if setting == "complexity":
        if obstacle is not None:
            raise SettingError(
                f'score="complexity" codes whole rows of levels; got {obstacle}. Use '
                'score="log_density", which "auto" chooses here.'
            )
        check_levels_of_bytes(table.values)
    if setting == "quantile" and obstacle not in (None, "covariates"):
        raise SettingError(
            f'score="quantile" needs whole rows of numbers; got {obstacle}. Use '
            'score="log_density", which "auto" chooses here.'
        )
    if setting == "ensemble" and obstacle is not None:
        raise SettingError(
            "The ensemble has distances between rows, which need whole rows of numbers; got "
            f'{obstacle}. Use score="log_density", which "auto" chooses here.'
        )
    return setting


def _obstacle(table: Table, vae: VAE) -> str | None:
    """Return why rows have no distances from each other; None for whole rows of numbers."""
    if vae.missing is not None:
        return f"missing={vae.missing!r}"
    if table.covariates is not None:
        return "covariates"
    return None if table.schema is None or table.schema.one_noise else "columns of several kinds"


def _check_trim(trim: float, table: Table, vae: VAE) -> None:
    obstacle = _obstacle(table, vae)
    if obstacle is not None:
        raise SettingError(
            f"Rows are trimmed by distances, which need whole rows of numbers; got trim={trim} "
            f"with {obstacle}. Leave trim at 0, and drop rows that you know to be outliers."
        )
