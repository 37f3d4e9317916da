"""Ask a model every question, causes before their consequences."""

from collections.abc import Callable
from typing import Any

from wellposed._forks import check_process
from wellposed._typing import PRNGKey
from wellposed.models import VAEModel

from ..linear.forecast import Forecast
from .density_checks import bounded, jacobian, refitted
from .evidence import Evidence
from .fit_checks import calibrated, likelihood_trusted, overfitted
from .latent_checks import collapsed, prior_match
from .noise_checks import variance_split
from .objective_checks import kl_weight, posterior_floor
from .record import Diagnosis

# A fault makes those after it: a wrong σ² kills latents, a β below one moves q(z) off p(z).
CHECKS = (
    bounded,
    jacobian,
    refitted,
    posterior_floor,
    kl_weight,
    variance_split,
    overfitted,
    prior_match,
    collapsed,
    calibrated,
    likelihood_trusted,
)


def diagnose(
    model: VAEModel,
    rows: Any,
    *,
    train: Any = None,
    key: PRNGKey,
    name: str = "a VAE",
    forecast: Callable[[], Forecast] | None = None,
) -> Diagnosis:
    """Diagnose a fitted model; see :func:`wellposed.diagnose`.

    Parameters
    ----------
    model : VAEModel
    rows : array of shape (n, d), data units, held out from training; some 2,000 are used at most
    train : array of shape (m, d), rows of the training
    key : PRNG key
    name : of the model, for the reader
    forecast : makes the forecast of collapse; called if latents are dead

    Raises
    ------
    DataError
        For fewer than 20 rows of either kind.
    """
    check_process()
    evidence = Evidence(model, rows, train, key=key, forecast=forecast)
    trained = None if evidence.train is None else len(evidence.train)
    findings = tuple(check(evidence) for check in CHECKS)
    return Diagnosis(findings, name, len(evidence.rows), trained)
