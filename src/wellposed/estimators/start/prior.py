"""The prior of an untrained model, from the settings."""

from typing import Any

import numpy as np

from wellposed import latents, models
from wellposed._errors import DataError, SettingError, unknown_name
from wellposed._typing import Inputs, Point, PRNGKey
from wellposed.evaluation import over_rows
from wellposed.numerics import host_generator, on_device

FEWEST_ROWS = 10  # of an aggregate prior: two of them are held out
PRIORS = ("standard", "aggregate", "mixture", "vamp", "flow")
SIZED = ("mixture", "vamp")  # which have components

# Standard deviation of a component at the start, where the mixture is close to N(0, I). Components
# with the same mean would have the same gradient, and stay one.
_SPREAD = 0.98
_APART = 0.01  # standard deviation of what is added to pseudo-inputs
_ROWS_A_COMPONENT = 20
_FEWEST, _MOST = 5, 30  # components of "auto"


def start_prior(
    settings: dict[str, Any],
    model: models.VAEModel,
    rows: np.ndarray,
    *,
    trained: np.ndarray | None = None,
    key: PRNGKey,
) -> latents.AbstractPrior:
    """Return the prior that training starts with.

    A mixture or a flow is close to N(0, I); pseudo-inputs are rows that are trained on.

    Parameters
    ----------
    settings : of the estimator
    model : untrained, with another prior
    rows : array of shape (n, d), data units; n decides the automatic number of components
    trained : indices of the rows that are trained on and not held out; None is all
    key : PRNG key of the means of the components, the choice of rows or the networks of a flow

    Raises
    ------
    SettingError
        As :func:`check_prior`; for more components than rows, components of a prior that has none,
        or a flow without its package.
    DataError
        For fewer than ten rows, with "aggregate".
    """
    k, prior, size = int(settings["n_components"]), settings["prior"], "n_prior_components"
    check_prior(prior, k)
    named = prior if isinstance(prior, str) else type(prior).__name__
    if settings[size] != "auto" and named not in SIZED:
        raise SettingError(
            f'{size} is the number of components of prior="mixture" and prior="vamp"; got '
            f'{size}={settings[size]} with the prior {named}. Leave {size} "auto".'
        )
    if model.n_covariates and named in ("vamp", "VampPrior"):
        raise SettingError(
            "p(z) of a conditional model depends on no covariate, and pseudo-inputs are data with "
            'covariates; got the prior "vamp" with covariates. Use prior="mixture".'
        )
    if isinstance(prior, latents.VampPrior):
        _check_width(prior, model.noise.encoder_width(rows.shape[1]))
    if isinstance(prior, latents.AbstractPrior):
        return prior
    if prior == "aggregate" and len(rows) < FEWEST_ROWS:
        raise DataError(
            f"A prior is fitted to the codes of at least {FEWEST_ROWS} rows; there are "
            f'{len(rows)}. Pass more rows, or use prior="standard".'
        )
    if prior == "mixture":
        return _mixture(k, size_of(settings[size], len(rows)), key)
    if prior == "vamp":
        chosen_from = rows if trained is None else rows[trained]
        m = size_of(settings[size], len(rows), most=len(chosen_from))
        return _vamp(model, chosen_from, m, key)
    return latents.FlowPrior.start(k, key=key) if prior == "flow" else latents.StandardNormal(k)


def _check_width(prior: latents.VampPrior, width: int) -> None:
    if prior.pseudo_inputs.shape[1] != width:
        raise SettingError(
            f"Pseudo-inputs have as many numbers as the encoder's input, {width}; those of the "
            f'prior have {prior.pseudo_inputs.shape[1]}. Pass others, or use prior="vamp".'
        )


def _mixture(k: int, m: int, key: PRNGKey) -> latents.GaussianMixture:
    means = np.sqrt(1 - _SPREAD**2) * host_generator(key).normal(size=(m, k))
    means -= means.mean(axis=0)
    factors = np.broadcast_to(_SPREAD * np.eye(k), (m, k, k))
    parts = {"log_weights": np.zeros(m), "means": means, "cholesky": factors}
    return latents.GaussianMixture(**{name: on_device(part) for name, part in parts.items()})


def _vamp(model: models.VAEModel, rows: np.ndarray, m: int, key: PRNGKey) -> latents.VampPrior:
    generator = host_generator(key)
    chosen = rows[generator.permutation(len(rows))[:m]]
    inputs = over_rows(_encoder_input, model, chosen, key=key)
    # Equal rows would have equal gradients, and stay equal.
    inputs = inputs + _APART * generator.normal(size=inputs.shape)
    return latents.VampPrior(pseudo_inputs=on_device(inputs), k=model.prior.k)


def _encoder_input(model: models.VAEModel, x: Point, *, key: PRNGKey) -> Inputs:
    return model.encoder_input(model.to_model_units(x, key=key).value)


def check_prior(prior: object, k: int | str) -> None:
    """Refuse what is no prior of k latents; for "auto" any number of latents.

    Raises
    ------
    SettingError
        For an unknown name, a prior of another number of latents, or a flow without flowjax.
    """
    if isinstance(prior, latents.AbstractPrior):
        if k not in ("auto", prior.k):
            raise SettingError(
                f"The prior must have as many latents as the model, {k}; it has {prior.k}. Pass "
                f"n_components={prior.k}, or another prior."
            )
    elif not isinstance(prior, str) or prior not in PRIORS:
        raise unknown_name("prior", prior, PRIORS)
    if isinstance(prior, latents.FlowPrior) or prior == "flow":
        latents.check_flowjax()


def size_of(setting: Any, n_rows: int, *, most: int | None = None) -> int:
    """Return the number of components: the setting, or one for twenty rows, from 5 to 30.

    Parameters
    ----------
    setting : of the estimator
    n_rows : number of rows
    most : largest number; None is ``n_rows``

    Raises
    ------
    SettingError
        If there are more components than rows, or than ``most``.
    """
    most = n_rows if most is None else most
    if setting == "auto":
        return max(1, min(_MOST, max(_FEWEST, n_rows // _ROWS_A_COMPONENT), most))
    if setting > most:
        trained_on = "" if most == n_rows else " that are trained on"
        raise SettingError(
            f"A prior has at most as many components as there are rows{trained_on}, {most}; got "
            f'n_prior_components={setting}. Use fewer, or "auto".'
        )
    return int(setting)
