"""Diagnosis and report of a fitted VAE, and a page to explore it."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, cast

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from wellposed import evaluation, explorer, models
from wellposed._bar import PresentStep
from wellposed._errors import SettingError

from ._build import resolution_of
from ._fitted import Fitted
from ._forecast import forecast_of
from ._settings import settings_of
from ._words import Rows
from .data.rows import check_labels
from .data.table import Table
from .synthetic.panel import tables_panel

if TYPE_CHECKING:
    from wellposed.reports import FittedVAE, Report

_COMPARE = (
    "compare score() and noise_variance_; for the loss of another framework use wellposed.audit."
)


def diagnose(
    vae: Fitted,
    X: Rows,
    X_train: Rows | None = None,
    *,
    on_check: Callable[[str], object] | None = None,
) -> evaluation.Diagnosis:
    """Diagnose a fitted VAE: whether it is sound, which part fails, why, and the remedy.

    Each question gets a verdict, the figures behind it, and a remedy. First the outcome: is
    held-out log p(x) better than that of simpler models (see :func:`wellposed.evaluation.compare`).
    Then the causes, before their consequences:

    - is the density bounded, in data units, and is its noise that of the training;
    - can q(z|x) be as narrow as the data require, and was it trained with a KL weight of one;
    - is σ² the mean squared residual (the variance split); is the decoder overfitted;
    - does q(z) match p(z) for all covariates, do draws vary as data, could a latent be active;
    - is p(x|z) calibrated, and is the importance sampling estimate of log p(x) reliable.

    Parameters
    ----------
    vae : fitted :class:`wellposed.VAE`
    X : array-like or frame of shape (n, d), or a path: rows held out from training, 20 or more;
        some 2,000 are used
    X_train : rows of the training; without them simpler models cannot be fitted, and overfitting
        and a refitted σ² are not examined
    on_check : called with what is examined next, which is shown on a terminal otherwise

    Returns
    -------
    :class:`wellposed.evaluation.Diagnosis`: ``print`` it, show it in a notebook, or take
    ``to_dict()`` or ``to_html()``

    Raises
    ------
    SettingError
        If ``vae`` is not a :class:`wellposed.VAE`.
    DataError
        For too few rows, or rows outside the domain of the model.

    Examples
    --------
    >>> import wellposed as wp
    >>> X = wp.datasets.load_digits().values
    >>> X = X[:, X[:600].std(axis=0) > 0]  # some pixels never vary
    >>> grey = {"noise": 64.0, "transform": "identity"}
    >>> vae = wp.VAE(4, **grey, hidden=(32,), max_epochs=20, random_state=0).fit(X[:600])
    >>> wp.diagnose(vae, X[600:1000], X[:600]).faults[0].fault
    'the noise variance is too large'
    """
    if not isinstance(vae, Fitted):
        _refuse("diagnose", vae, _COMPARE)
    if on_check is not None:
        return _diagnose(vae, X, X_train, on_check)
    with PresentStep() as step:
        return _diagnose(vae, X, X_train, step)


def _diagnose(
    vae: Fitted, X: Rows, X_train: Rows | None, on_check: Callable[[str], object]
) -> evaluation.Diagnosis:
    on_check("missing entries")
    X, X_train = vae.open(X), None if X_train is None else vae.open(X_train)
    family, rows = type(vae.model_.noise.whole).__name__, vae.rows(X)
    return evaluation.diagnose(
        vae.model_,
        vae.complete(rows),
        train=None if X_train is None else vae.whole_rows(X_train),
        completed=bool(np.isnan(rows).any()),
        names=X.labels,
        on_check=on_check,
        key=vae.key("score"),
        name=f"a VAE of {vae.n_components_} latents with {family} noise",
        prior=vae.prior_setting,
        resolution=resolution_of(settings_of(vae), vae.n_features_in_),
        covariates=vae.labels_of(X),
        forecast=_forecast(vae, X if X_train is None else X_train),
    )


def _forecast(vae: Fitted, X: Rows) -> Callable[[], evaluation.Forecast] | None:
    """Return what computes the forecast; None for a noise variance of zero or NaN."""
    positive = np.all(np.asarray(vae.noise_variance_) > 0)
    return (lambda: forecast_of(vae, X)) if positive else None


_NO_REPORT = (
    "score() has their log p(x), components_ and noise_variance_ the rest, and "
    "plotting.forecast their eigenvalues."
)


def report(
    vae: Fitted,
    X: Rows,
    X_train: Rows | None = None,
    *,
    labels: ArrayLike | None = None,
    on_panel: Callable[[str], object] | None = None,
    further: Sequence[Callable[[Any], Any]] = (),
) -> "Report":
    """Make a page of a fitted VAE: verdicts, samples, residuals, latents, calibration.

    Parameters
    ----------
    vae : fitted :class:`wellposed.VAE`
    X : array-like or frame of shape (n, d), or a path: rows held out from training, 20 or more;
        some 2,000 are used
    X_train : rows of the training; without them simpler models cannot be fitted, and overfitting
        and a refitted σ² are not examined
    labels : array of shape (n,), for the colours of the latent plane
    on_panel : called with the name of each panel before it is drawn, which is shown on a terminal
        otherwise
    further : functions of panels that follow the others

    Returns
    -------
    :class:`wellposed.reports.Report`: ``save("report.html")`` writes one file that needs no network

    Raises
    ------
    SettingError
        If ``vae`` is not a :class:`wellposed.VAE`, or without ``pip install 'wellposed[plot]'``.
    DataError
        For too few rows, rows outside the domain of the model, or labels of another number.

    Examples
    --------
    >>> import wellposed as wp
    >>> X = wp.datasets.load_digits().values[:, 10:14]
    >>> vae = wp.VAE(2, hidden=(8,), max_epochs=2, random_state=0).fit(X[:200])
    >>> page = wp.report(vae, X[200:300])  # doctest: +SKIP
    >>> page.save("report.html")  # doctest: +SKIP
    """
    from wellposed.plotting.canvas import check_installed  # importing matplotlib is slow
    from wellposed.reports import make_report

    check_installed("A report")
    check_is_fitted(vae)
    if not isinstance(vae, Fitted):
        _refuse("report", vae, _NO_REPORT)
    X, X_train = vae.open(X), None if X_train is None else vae.open(X_train)
    check_labels(labels, len(X.values))
    further = (tables_panel(vae, X, X_train), *further)
    with PresentStep() as step:
        shown = on_panel or step
        shown("missing entries")
        rows, gaps = _completed(vae, X)
        found = diagnose(vae, X, X_train, on_check=lambda text: shown(f"diagnosis: {text}"))
        named = {"diagnosis": found, "labels": labels, "gaps": gaps, "on_panel": shown}
        named |= {"key": vae.key("score"), "further": further}
        return make_report(cast("FittedVAE", vae), rows, **named)  # every Fitted is a VAE


def _completed(vae: Fitted, X: Table) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows with their gaps drawn, and which cells were gaps, (n, d)."""
    rows = vae.rows(X)
    return vae.complete(rows), np.isnan(models.own_columns(vae.model_, rows))


def explore(
    vae: Fitted,
    X: Rows | None = None,
    *,
    labels: ArrayLike | None = None,
    port: int = 0,
    most_rows: int = explorer.MOST_ROWS,
    on_ready: Callable[[str], object] = print,
) -> None:
    """Serve a page on this machine to look into a fitted VAE by hand, until interrupted.

    Needs ``pip install 'wellposed[explore]'``.

    Parameters
    ----------
    vae : fitted :class:`wellposed.VAE`
    X : array-like or frame of shape (n, d), or a path: rows to show as points; None shows none
    labels : array of shape (n,), for the colours of the points
    port : 0 takes a free one
    most_rows : maximum number of points, spread evenly over all rows
    on_ready : called with the address of the page once it can be opened

    Raises
    ------
    SettingError
        If the packages of the extra are not installed, ``vae`` is not a
        :class:`wellposed.VAE`, or the port is out of range.
    DataError
        For rows outside the domain of the model, or labels of another number.
    OutputError
        If the port is taken.

    Examples
    --------
    >>> wp.explore(vae, X)  # doctest: +SKIP
    """
    explorer.check_installed()
    check_is_fitted(vae)
    explorer.check_model(vae)
    rows = None if X is None else vae.whole_rows(X)
    if rows is not None:
        check_labels(labels, len(rows))
    scene = explorer.make_scene(vae, rows, labels, key=vae.key("score"), most_rows=most_rows)
    explorer.serve(scene, port=port, on_ready=on_ready)


def _refuse(function: str, vae: object, remedy: str) -> NoReturn:
    raise SettingError(
        f"{function} takes a fitted wellposed.VAE; got {type(vae).__name__}. The log p(x) of "
        f"the other estimators is exact: {remedy}"
    )
