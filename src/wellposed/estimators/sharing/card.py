"""A card of a fitted VAE: what it is, what it was measured on, and whether it is sound."""

import platform
from importlib.metadata import version
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from wellposed import evaluation, training, transforms
from wellposed._errors import SettingError
from wellposed._version import __version__

from .._judging import diagnose
from .._notices import objective_of_model
from .._settings import settings_of
from .._vae import VAE
from .._words import Rows
from .use import FILE, use

_HEAD = """---
library_name: wellposed
tags:
- variational-autoencoder
- density-estimation
---
"""
_PACKAGES = ("jax", "equinox", "numpyro", "numpy")


def model_card(vae: VAE, X: Rows, X_train: Rows | None = None, *, title: str = "A VAE") -> str:
    """Return a card of a fitted VAE in Markdown, for a file beside the model.

    It states the data by number, columns and SHA-256, the noise and its variance, the bound of the
    log density, log p(x) and the ELBO of held-out rows with standard errors, the diagnosis, the
    settings and the versions. No row is in it.

    Parameters
    ----------
    vae : fitted :class:`wellposed.VAE`
    X : array-like or frame of shape (n, d), or a path: rows held out from training, 20 or more
    X_train : rows of the training; without them simpler models cannot be fitted, and overfitting
        is not examined
    title : heading of the card

    Returns
    -------
    Markdown with the metadata of a model card of the Hugging Face Hub

    Raises
    ------
    SettingError
        If ``vae`` is not a :class:`wellposed.VAE`.
    DataError
        For too few rows, or rows outside the domain of the model.

    Examples
    --------
    >>> card = wp.model_card(vae, X_held_out, X)  # doctest: +SKIP
    >>> print(_table([("log p(x)", "-2.5 ± 0.1")]))
    | name | value |
    |---|---|
    | log p(x) | -2.5 ± 0.1 |
    """
    if not isinstance(vae, VAE):
        raise SettingError(
            f"model_card takes a fitted wellposed.VAE; got a {type(vae).__name__}. Fit one."
        )
    check_is_fitted(vae)
    held, train = vae.open(X), None if X_train is None else vae.open(X_train)
    parts = {
        f"# {title}": _model(vae),
        "## Data": _data(vae, held, train),
        "## Held-out rows": _figures(vae, held),
        "## Diagnosis": _findings(diagnose(vae, held, train)),
        "## Settings": _settings(vae),
        "## Versions": _versions(),
    }
    body = "".join(f"\n{heading}\n\n{text}\n" for heading, text in parts.items())
    return f"{_HEAD}{body}\n{use(FILE)}"


def _model(vae: VAE) -> str:
    model, d = vae.model_, vae.n_features_in_
    variance = np.asarray(vae.noise_variance_, np.float64)
    stated = f"{variance:.4g}" if variance.ndim == 0 else _range(variance)
    bound = model.log_density_bound(d)
    one_noise = vae.schema_ is None or vae.schema_.one_noise  # of levels σ² has no meaning
    return _table(
        [
            ("features, latents", f"{d}, {vae.n_components_}"),
            ("noise p(x given z)", type(model.noise.whole).__name__),
            *([("noise variance σ², model units", stated)] if one_noise else []),
            ("transform to model units", _plain(transforms.in_words(model.transform))),
            ("prior p(z)", model.prior.notation),
            ("largest log density possible", f"{bound:.4g} nats a row"),
            ("training", _training(vae)),
        ]
    )


def _training(vae: Any) -> str:
    text = f"{vae.outcome_.value}, {vae.n_epochs_} epochs"
    if vae.best_epoch_ == 0:
        return f"{text}, the model is that of the start"
    if vae.best_epoch_ is not None:
        text += f", the model is of epoch {vae.best_epoch_}"
    found = objective_of_model(vae)
    if found is None:
        return text
    value, held_out = found
    return f"{text}, with a {'held-out' if held_out else 'training'} objective of {value:.2f} nats"


def _range(values: np.ndarray) -> str:
    return f"{values.min():.4g} to {values.max():.4g}, median {np.median(values):.4g}"


def _data(vae: VAE, held: Any, train: Any) -> str:
    rows = []
    for name, table in (("training", train), ("held out", held)):
        if table is None:
            rows.append((f"rows of the {name}", "not stated"))
            continue
        values = vae.rows(table)
        rows.append((f"rows, {name}", str(len(values))))
        rows.append((f"SHA-256, {name}", f"`{training.fingerprint((values,))}`"))
    names = getattr(vae, "feature_names_in_", None)
    if names is not None:
        shown = ", ".join(_plain(name) for name in names[:30])
        rows.append(("columns", shown + ", …" * (len(names) > 30)))
    note = (
        "\nThe SHA-256 is `wellposed.training.fingerprint((vae.rows(X),))`, of the rows as the "
        "model takes them."
    )
    return _table(rows) + "\n" + note


def _figures(vae: VAE, held: Any) -> str:
    found = vae.log_likelihood(held)
    log_p = evaluation.Estimate.of(np.asarray(found.value))
    bound = evaluation.Estimate.of(vae.elbo(held))
    bits = evaluation.Estimate.of(-np.asarray(found.value) / vae.n_features_in_ / np.log(2))
    unreliable = float((np.asarray(found.pareto_k) > 0.7).mean())
    return (
        _table(
            [
                ("log p(x), nats a row", str(log_p)),
                ("ELBO, nats a row", str(bound)),
                ("−log₂ p(x) a feature, bits", str(bits)),
                ("rows with an unreliable log p(x), Pareto k̂ > 0.7", f"{unreliable:.1%}"),
            ]
        )
        + "\n\nEach with its standard error over rows; densities are in the units of the data."
        + (_OF_OBSERVED if np.isnan(vae.rows(held)).any() else "")
    )


_OF_OBSERVED = (
    " Rows have missing cells: these figures are of the cells that are there. Those of the "
    "diagnosis are of whole rows, completed by draws of the model: do not compare the two."
)


def _findings(found: evaluation.Diagnosis) -> str:
    rows = [
        f"| {finding.verdict} | {_plain(finding.question)} | "
        f"{_plain(' '.join(filter(None, (finding.said, finding.remedy))))} |"
        for finding in found.findings
    ]
    head = "| verdict | question | answer |\n|---|---|---|"
    return "\n".join([_plain(found.summary), "", head, *rows])


def _settings(vae: VAE) -> str:
    defaults = VAE().get_params(deep=False)
    changed = {
        name: value
        for name, value in settings_of(vae).items()
        if name not in ("checkpoint", "progress") and repr(value) != repr(defaults[name])
    }
    rows = [(f"`{name}`", f"`{_plain(_short(value))}`") for name, value in changed.items()]
    return _table(rows) if rows else "Those of `wp.VAE()`."


def _short(value: object) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else text[:79] + "…"


def _versions() -> str:
    named = [("wellposed", __version__), ("Python", platform.python_version())]
    return _table([*named, *((name, version(name)) for name in _PACKAGES)])


def _table(rows: list[tuple[str, str]]) -> str:
    return "\n".join(
        ["| name | value |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)]
    )


def _plain(text: object) -> str:
    """Text for a cell of a table: on one line, without its separator."""
    return " ".join(str(text).split()).replace("|", "\\|")
