"""Measures of a model for the checks, each computed once."""

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence

import jax
import numpy as np
from numpy.typing import ArrayLike

from wellposed import transforms
from wellposed._errors import DataError, SettingError
from wellposed._typing import PRNGKey
from wellposed.models import VAEModel
from wellposed.objectives import ElboTerms

from .._estimate import Estimate
from .._passes import elbo, rates
from .._rows import subsample
from .._thresholds import FAULT
from ..latents.codes import Codes, codes
from ..latents.collapse import Collapse, collapse, in_prior_units
from ..latents.covariate_information import CovariateInformation, covariate_information
from ..latents.implied_kl_weight import implied_kl_weight
from ..latents.prior_mismatch import PriorMismatch, prior_mismatch
from ..latents.residual_spectrum import ResidualSpectrum, residual_spectrum
from ..likelihood.importance import LogLikelihood, log_likelihood
from ..linear.forecast import Forecast
from ..predictive.calibration import Calibration, calibration
from ..rivals.compare import check_comparable, compare
from ..rivals.record import Comparison
from ..variance.variance_record import VarianceSplit
from ..variance.variance_split import variance_split

LEAST_ROWS = 20
_MOST_ROWS = 2_000
_DRAWS = 8
_FEW_ROWS = 300  # for measures that need many draws for each row


class Evidence:
    """Measures of a model, each computed on first access.

    What a report and the methods of an estimator show as well has their key, ``key``, so that the
    same rows have the same figures everywhere.

    Parameters
    ----------
    model : VAEModel
    rows : array of shape (n, d), data units, n ≥ 20
    train : array of shape (m, d), training rows, data units, m ≥ 20
    key : PRNG key
    forecast : returns the forecast of collapse
    prior : how p(z) was set, as in ``VAE(prior=)``; None takes it from the kind of the prior
    resolution : shape (d,), smallest step of the measurement, data units; None takes that of the
        training rows
    covariates : of a conditional model, those of ``rows`` by their names, shape (n,) each
    completed : whether missing entries of the rows were drawn by the model
    names : of the d features; None numbers them from 0

    Raises
    ------
    DataError
        For fewer than 20 rows of either kind.
    """

    def __init__(
        self,
        model: VAEModel,
        rows: ArrayLike,
        train: ArrayLike | None = None,
        *,
        key: PRNGKey,
        forecast: Callable[[], Forecast] | None = None,
        prior: str | None = None,
        resolution: np.ndarray | None = None,
        covariates: Mapping[str, ArrayLike] | None = None,
        completed: bool = False,
        names: Sequence[str] | None = None,
    ):
        self.model = model
        self.rows = _enough(rows, "rows")
        self.train = None if train is None else _enough(train, "training rows")
        self._all_train, self._resolution = train, resolution
        self._key, self._forecast, self._prior = key, forecast, prior
        self._completed, self.names = completed, names
        self._covariates = {
            name: subsample(np.asarray(values), _MOST_ROWS)
            for name, values in (covariates or {}).items()
        }

    @functools.cached_property
    def few(self) -> np.ndarray:
        """Positions of the rows for measures that need many draws for each row."""
        return subsample(np.arange(len(self.rows)), _FEW_ROWS)

    @property
    def d(self) -> int:
        """The number of features."""
        return self.rows.shape[1] - self.model.n_covariates

    def key(self, use: int) -> PRNGKey:
        """Return the PRNG key of one measure.

        Parameters
        ----------
        use : number of the measure
        """
        return jax.random.fold_in(self._key, use)

    @functools.cached_property
    def terms(self) -> ElboTerms:
        return elbo(self.model, self.rows, n_samples=_DRAWS, key=self.key(0))

    @functools.cached_property
    def train_terms(self) -> ElboTerms | None:
        if self.train is None:
            return None
        return elbo(self.model, self.train, n_samples=_DRAWS, key=self.key(0))

    @functools.cached_property
    def split(self) -> VarianceSplit:
        return variance_split(self.model, self.rows, key=self._key, n_draws=_DRAWS)

    @functools.cached_property
    def train_split(self) -> VarianceSplit | None:
        if self.train is None:
            return None
        return variance_split(self.model, self.train, key=self._key, n_draws=_DRAWS)

    @functools.cached_property
    def kl_weight(self) -> Estimate:
        rows = self.rows if self.train is None else self.train
        return implied_kl_weight(self.model, rows, key=self.key(2))

    @functools.cached_property
    def codes(self) -> Codes:
        return codes(self.model, self.rows, key=self._key, most=_MOST_ROWS)

    @functools.cached_property
    def collapse(self) -> Collapse:
        rates_of_rows = rates(self.model, self.rows, key=self._key)
        return collapse(rates_of_rows, in_prior_units(self.model, self.codes.loc))

    @functools.cached_property
    def information(self) -> CovariateInformation | None:
        """What z tells of the covariates; None for a model without."""
        if not self._covariates:
            return None
        seed = int(jax.random.key_data(self.key(10))[-1])
        return covariate_information(
            self.codes.z, self._covariates, random_state=seed, n_permutations=1
        )

    @functools.cached_property
    def forecast(self) -> Forecast | None:
        return None if self._forecast is None else self._forecast()

    @functools.cached_property
    def residuals(self) -> ResidualSpectrum:
        return residual_spectrum(self.model, self.rows, key=self._key)

    @functools.cached_property
    def mismatch(self) -> PriorMismatch:
        return prior_mismatch(self.model, self.rows, key=self._key, setting=self._prior)

    @functools.cached_property
    def calibration(self) -> Calibration:
        return calibration(self.model, self.rows[self.few], key=self._key, n_draws=49)

    @functools.cached_property
    def likelihood(self) -> LogLikelihood:
        return log_likelihood(self.model, self.rows[self.few], n_samples=256, key=self._key)

    @functools.cached_property
    def comparison(self) -> Comparison:
        """Raises ``SettingError`` where log p(x) cannot be compared with that of a Gaussian."""
        check_comparable(self.model, self.d)
        found = compare(
            self.model,
            self.rows[self.few],
            np.asarray(self._all_train),
            key=self._key,
            likelihood=self.likelihood,
            resolution=self._resolution,
        )
        return dataclasses.replace(found, completed=self._completed)

    def name(self, j: int) -> str:
        """Return the name of a feature for a sentence."""
        return f"feature {j}" if self.names is None else repr(str(self.names[j]))

    def stands_apart(self, j: int) -> bool:
        """Whether values of a feature stand apart from its others, in the rows of the training."""
        if not self.model.noise.sensitive(self.d)[j]:
            return False
        rows = self.rows if self._all_train is None else np.asarray(self._all_train)
        return bool(transforms.suspects(rows[:, [j]]))

    @property
    def is_behind(self) -> bool:
        """Whether a simpler model is known to be ahead."""
        if self.train is None:
            return False
        try:
            return self.comparison.judgement == FAULT
        except SettingError:
            return False


def _enough(rows: ArrayLike, what: str) -> np.ndarray:
    rows = np.asarray(rows)
    if len(rows) < LEAST_ROWS:
        raise DataError(
            f"A diagnosis needs {LEAST_ROWS} {what} or more, and some hundreds to detect small "
            f"faults; got {len(rows)}. Pass more rows."
        )
    return subsample(rows, _MOST_ROWS)
