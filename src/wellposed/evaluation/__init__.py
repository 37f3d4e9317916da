"""What a model is worth, and what the data let one expect: likelihood, collapse, forecast."""

from ._accounting import ImpliedNoise as ImpliedNoise
from ._accounting import implied_noise_variance as implied_noise_variance
from ._audit import audit as audit
from ._audit_record import Audit as Audit
from ._audit_record import ScoreAtVariance as ScoreAtVariance
from ._collapse import Collapse as Collapse
from ._collapse import collapse as collapse
from ._collapse import measure_collapse as measure_collapse
from ._forecast import Forecast as Forecast
from ._forecast import forecast as forecast
from ._forecast import forecast_spectrum as forecast_spectrum
from ._forecast import sentences as sentences
from ._log_likelihood import LogLikelihood as LogLikelihood
from ._log_likelihood import log_likelihood as log_likelihood
from ._model_units import IDENTITY as IDENTITY
from ._model_units import ModelUnits as ModelUnits
from ._passes import elbo as elbo
from ._passes import latent_means as latent_means
from ._passes import latent_means_to_data as latent_means_to_data
from ._passes import mean_noise_variance as mean_noise_variance
from ._passes import rates as rates
from ._passes import reconstructions as reconstructions
from ._passes import samples as samples
from ._spectrum import SOLVERS as SOLVERS
from ._spectrum import covariance as covariance
from ._spectrum import spectrum as spectrum
