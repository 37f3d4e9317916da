"""What a model is worth: log likelihood, collapse, and pPCA to compare with."""

from ._accounting import ImpliedNoise as ImpliedNoise
from ._accounting import implied_noise_variance as implied_noise_variance
from ._collapse import Collapse as Collapse
from ._collapse import collapse as collapse
from ._log_likelihood import LogLikelihood as LogLikelihood
from ._log_likelihood import log_likelihood as log_likelihood
from ._passes import elbo as elbo
from ._passes import latent_means as latent_means
from ._passes import latent_means_to_data as latent_means_to_data
from ._passes import mean_noise_variance as mean_noise_variance
from ._passes import rates as rates
from ._passes import reconstructions as reconstructions
from ._passes import samples as samples
from ._ppca import PPCADensity as PPCADensity
from ._ppca import fit_ppca as fit_ppca
