"""All checks of a model: the outcome first, the others in the order of cause and consequence."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from wellposed._forks import check_process
from wellposed._typing import PRNGKey
from wellposed.models import VAEModel

from ..linear.forecast import Forecast
from .comparison_check import check_comparison
from .density_checks import check_bound, check_jacobian, check_refit
from .evidence import Evidence
from .fit_checks import check_calibration, check_overfitting, check_weights
from .latent_checks import check_collapse, check_covariates, check_prior
from .noise_checks import check_drawn_variance, check_variance_split
from .objective_checks import check_kl_weight, check_posterior_floor
from .record import Diagnosis, Finding

# A fault may cause later ones: a wrong σ² makes latents collapse, and a β below one makes q(z)
# differ from p(z).
CHECKS = (
    check_bound,
    check_jacobian,
    check_refit,
    check_posterior_floor,
    check_kl_weight,
    check_variance_split,
    check_overfitting,
    check_prior,
    check_covariates,
    check_drawn_variance,
    check_collapse,
    check_calibration,
    check_weights,
)


def diagnose(
    model: VAEModel,
    rows: ArrayLike,
    *,
    train: ArrayLike | None = None,
    key: PRNGKey,
    name: str = "a VAE",
    forecast: Callable[[], Forecast] | None = None,
    prior: str | None = None,
    resolution: np.ndarray | None = None,
    covariates: Mapping[str, ArrayLike] | None = None,
    completed: bool = False,
    names: Sequence[str] | None = None,
    on_check: Callable[[str], object] | None = None,
) -> Diagnosis:
    """Diagnose a fitted model; see :func:`wellposed.diagnose`.

    Parameters
    ----------
    model : VAEModel
    rows : array of shape (n, d), held-out rows, data units, n ≥ 20; at most 2,000 of them are
        used
    train : array of shape (m, d), training rows, data units, m ≥ 20
    key : PRNG key
    name : description of the model, for the title
    forecast : returns the forecast of collapse; called only if latents have collapsed
    prior : how p(z) was set, as in ``VAE(prior=)``, for the remedy; None takes it from its kind
    resolution : shape (d,), smallest step of the measurement, data units; None takes that of the
        training rows
    covariates : of a conditional model, those of ``rows`` by their names, shape (n,) each, of which
        z should tell nothing
    completed : whether missing entries of ``rows`` were drawn by the model
    names : of the d features; None numbers them from 0
    on_check : called with what is examined next

    Returns
    -------
    Diagnosis

    Raises
    ------
    DataError
        For fewer than 20 rows of either kind.

    Examples
    --------
    >>> diagnose(model, X[:40], key=key).n_rows
    40
    """
    check_process()
    known = {"forecast": forecast, "prior": prior, "resolution": resolution}
    of_rows = {"covariates": covariates, "completed": completed, "names": names}
    evidence = Evidence(model, rows, train, key=key, **of_rows, **known)
    n_train = None if evidence.train is None else len(evidence.train)
    findings = _findings(evidence, on_check or (lambda text: None))
    return Diagnosis(findings, name, len(evidence.rows), n_train)


def _findings(evidence: Evidence, on_check: Callable[[str], object]) -> tuple[Finding, ...]:
    causes: list[Finding] = []
    for check in CHECKS:
        on_check(check.__name__.removeprefix("check_").replace("_", " "))
        causes += [finding for finding in (check(evidence),) if finding is not None]
    on_check("simpler models")
    return check_comparison(evidence, tuple(causes)), *causes
