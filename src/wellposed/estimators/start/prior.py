"""The prior of an untrained model, from the settings."""

from typing import Any

import numpy as np

from wellposed import latents
from wellposed._errors import DataError, SettingError, unknown_name
from wellposed._typing import PRNGKey
from wellposed.numerics import host_generator, on_device

FEWEST_ROWS = 10  # of an aggregate prior: two of them are held out
PRIORS = ("standard", "aggregate", "mixture")

# Standard deviation of a component at the start, where the mixture is close to N(0, I). Components
# with the same mean would have the same gradient, and stay one.
_SPREAD = 0.98
_ROWS_A_COMPONENT = 20
_FEWEST, _MOST = 5, 30  # components of "auto"


def prior_of(settings: dict[str, Any], n_rows: int, *, key: PRNGKey) -> latents.AbstractPrior:
    """Return the prior that training starts with.

    Parameters
    ----------
    settings : of the estimator
    n_rows : n, on which the automatic number of components depends
    key : PRNG key of the means of the components

    Raises
    ------
    SettingError
        As :func:`check_prior`; or for more components than rows.
    DataError
        For fewer than ten rows, with "aggregate".
    """
    k, prior = int(settings["n_components"]), settings["prior"]
    check_prior(prior, k)
    if isinstance(prior, latents.AbstractPrior):
        return prior
    if prior == "aggregate" and n_rows < FEWEST_ROWS:
        raise DataError(
            f"A prior is fitted to the codes of at least {FEWEST_ROWS} rows; there are {n_rows}. "
            'Pass more rows, or use prior="standard".'
        )
    if prior != "mixture":
        return latents.StandardNormal(k)
    m = size_of(settings["n_prior_components"], n_rows)
    means = np.sqrt(1 - _SPREAD**2) * host_generator(key).normal(size=(m, k))
    means -= means.mean(axis=0)
    factors = np.broadcast_to(_SPREAD * np.eye(k), (m, k, k))
    parts = {"log_weights": np.zeros(m), "means": means, "cholesky": factors}
    return latents.GaussianMixture(**{name: on_device(part) for name, part in parts.items()})


def check_prior(prior: object, k: int | str) -> None:
    """Refuse what is no prior of k latents; for "auto" any number of latents.

    Raises
    ------
    SettingError
        For an unknown name, or a prior of another number of latents.
    """
    if isinstance(prior, latents.AbstractPrior):
        if k not in ("auto", prior.k):
            raise SettingError(
                f"The prior must have as many latents as the model, {k}; it has {prior.k}. Pass "
                f"n_components={prior.k}, or another prior."
            )
    elif not isinstance(prior, str) or prior not in PRIORS:
        raise unknown_name("prior", prior, PRIORS)


def size_of(setting: Any, n_rows: int) -> int:
    """Return the number of components: the setting, or one for twenty rows, from 5 to 30.

    Raises
    ------
    SettingError
        If there are more components than rows.
    """
    if setting == "auto":
        return max(1, min(_MOST, max(_FEWEST, n_rows // _ROWS_A_COMPONENT), n_rows))
    if setting > n_rows:
        raise SettingError(
            f"A mixture has at most as many components as there are rows, {n_rows}; got "
            f'n_prior_components={setting}. Use fewer, or "auto".'
        )
    return int(setting)
