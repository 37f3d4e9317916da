"""A grid of trainings as one call: one clone of an estimator for each combination of settings."""

import itertools
import json
import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state

from wellposed import evaluation, models, serialise, training
from wellposed._checks import plain
from wellposed._errors import (
    OutputError,
    SettingError,
    TrainingWarning,
    WellposedError,
    unknown_name,
)
from wellposed.training import Bar, Member, Outcome

from .._load import load_like
from .._notices import warn_of_suspects
from .._prepare import prepare
from .._settings import settings_of
from .._train import training_of
from .._vae import VAE
from .._words import FilePath, Progress, Rows
from ..data.covariates import open_conditional, open_to_condition
from ..data.rows import narrow
from ..data.table import Table
from .folder import GridFolder
from .result import Grid

_N_SAMPLES = 8  # draws of z a row, of the ELBO

# Settings that cannot be an axis: they determine how a grid is run or measured.
_NO_AXES = ("checkpoint", "progress")
_OF_DATA = "covariates"  # which the members share, as they do the data

Axis = Sequence[Any] | Mapping[str, Any]


def fit_grid(
    template: VAE,
    grid: Mapping[str, Axis],
    X: Rows,
    *,
    X_test: Rows | None = None,
    folder: FilePath | None = None,
    save_models: bool = False,
    measure: Callable[[VAE], Mapping[str, object]] | None = None,
    together: bool | Literal["auto"] = "auto",
    progress: Progress = "auto",
) -> Grid:
    """Train a VAE with every combination of some settings, and measure each.

    Members that differ in numbers alone share one compiled program.

    Parameters
    ----------
    template : :class:`wellposed.VAE`, not changed; it has the settings that the grid does not vary
    grid : mapping from settings of the template to their values
        Values are numbers, or objects such as ``wp.noise.Gaussian(initial=1.0)``; a mapping gives
        them labels for the table. The last axis varies fastest.
    X : rows to train on; array-like or frame of shape (n, d), or a path
    X_test : rows to measure on; None measures on X, which favours a model that overfits
    folder : a new folder, or that of the same grid after an interruption, which then continues with
        the same figures
    save_models : whether the folder keeps every model, ``member-0000.wp``…, beside the best
    measure : called with each fitted estimator; returns further figures by name, numbers or text
    together : whether members train at once; "auto" does so on an accelerator
    progress : a bar over members, or over epochs where they train at once

    Returns
    -------
    :class:`Grid`; the row of a member that cannot be built, or becomes non-finite, gives the
    reason. After an interruption it contains the members that have ended.

    Raises
    ------
    SettingError
        For an empty grid, an axis that is no setting or has text values, and another grid's folder.
    DataError
        If the data cannot be used.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(100, 3))
    >>> fit_grid(VAE(1, hidden=(8,), max_epochs=2), {"noise": [0.5, 1.0]}, X).axes
    ('noise',)
    """
    if save_models and folder is None:
        raise SettingError("save_models=True needs a folder to save them in; got folder=None.")
    axes, X = _axes(template, grid), open_to_condition(X, template.noise, template.covariates)
    X_test = None if X_test is None else open_conditional(X_test, X.schema, X.covariates)
    seed = int(check_random_state(None).randint(2**31 - 1))
    identity = "" if folder is None else _identity(template, axes, X, X_test)
    kept = None if folder is None else GridFolder(folder, identity, seed)
    if template.random_state is None and "random_state" not in axes:
        template = _with(template, random_state=kept.seed if kept else seed)
    work = _Work(template, axes, X, X_test or X, kept, save_models, measure)
    return work.run(together, progress)


class _Work:
    """A running grid."""

    def __init__(
        self,
        template: VAE,
        axes: dict[str, dict[str, Any]],
        X: Table,
        X_test: Table,
        folder: GridFolder | None,
        save_models: bool,
        measure: Callable[[VAE], Mapping[str, object]] | None,
    ):
        self.axes, self.X, self.X_test = axes, X, X_test
        self.folder, self.save_models, self.measure = folder, save_models, measure
        names = list(itertools.product(*axes.values()))
        self.labels = [dict(zip(axes, labels, strict=True)) for labels in names]
        self.estimators: list[Any] = [
            _with(
                template,
                **{axis: axes[axis][label] for axis, label in labels.items()},
                progress=False,
                checkpoint=None,
            )
            for labels in self.labels
        ]
        self.rows: dict[int, dict[str, Any]] = {}
        self.best: VAE | None = None
        self.best_place: int | None = None

    def run(self, together: bool | str, progress: Progress) -> Grid:
        """Build the members, train them and measure them, and collect those that have ended."""
        if self.folder is not None:
            records = ((i, self.folder.figures(i)) for i in range(len(self.labels)))
            self.rows = {i: _read(figures) for i, figures in records if figures is not None}
            self.best_place = max(self.rows, key=self._elbo_of, default=None)
        places, members = self._buildable()
        # One bar: over epochs where members train at once, else over members.
        at_once = training.resolve_together(together)
        bar = Bar(len(self.labels), False if at_once else progress, "model")
        done = [place for place, i in enumerate(places) if i in self.rows]
        since = time.monotonic()

        def ended(place: int, run: training.Run) -> None:
            nonlocal since
            i = places[place]
            if i not in self.rows:
                self._end(i, run, time.monotonic() - since)
            since = time.monotonic()
            elbo = self.rows[i]["elbo"]
            bar.show(len(self.rows), f"ELBO {elbo:.2f} nats" if np.isfinite(elbo) else "non-finite")

        try:
            training.fit_grid(
                members,
                self.data,
                folder=None if self.folder is None else self.folder.path,
                together=together,
                progress=progress if at_once else False,
                on_end=ended,
                done=done,
            )
        except KeyboardInterrupt:
            pass
        finally:
            bar.close()
        return self._result()

    def _result(self) -> Grid:
        if self.best is None and self.folder is not None and self.folder.best.exists():
            self.best = load_like(self.folder.best, self.estimators[self.best_place or 0])
        rows = tuple({**self.labels[i], **self.rows[i]} for i in sorted(self.rows))
        return Grid(tuple(self.axes), rows, self.best, len(rows) == len(self.labels))

    def _buildable(self) -> tuple[list[int], list[Member]]:
        """Positions and trainings of the members that can be built; the others get their rows."""
        places, built = self._models(None)
        offsets = {self.estimators[i].offset_.tobytes() for i in places}
        if len(offsets) > 1:  # all members train on the same rows, so no member has an offset
            places, built = self._models(np.zeros(self.X.values.shape[1]))
        members = [
            training_of(self.estimators[i], prepared)[0]
            for i, prepared in zip(places, built, strict=True)
        ]
        if members:  # one warning, since the data are the same
            built = self.estimators[places[0]]
            names = getattr(built, "feature_names_in_", None)
            own = self.data[:, : built.n_features_in_]
            warn_of_suspects(built.in_data_units(own), names, built.image_shape_, stacklevel=5)
        return places, members

    def _models(self, offset: np.ndarray | None) -> tuple[list[int], list[Any]]:
        """Positions and starts of the members that can be built, on rows without ``offset``."""
        places, built = [], []
        first: WellposedError | None = None
        for i, estimator in enumerate(self.estimators):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    prepared = prepare(estimator, self.X, offset)
                    models.check_bounded(
                        prepared.model,
                        estimator.n_features_in_,
                        allow_unbounded=estimator.allow_unbounded,
                    )
            except WellposedError as error:
                self.rows[i] = _figures("not built", str(error))
                first = first or error
                continue
            self.data = prepared.rows
            places.append(i)
            built.append(prepared)
        if first is not None and not places:
            raise first
        return places, built

    def _end(self, i: int, run: training.Run, seconds: float) -> None:
        """Measure a member, and store its figures and model."""
        estimator = self.estimators[i]
        estimator.store(run.model, run.history, run.outcome, self.data, best_epoch=run.best_epoch)
        if estimator.prior == "aggregate" and run.outcome is not Outcome.nonfinite:
            estimator.adopt(self.data)
        row = _figures(run.outcome.value, run.reason)
        row |= {"epochs": len(run.history.rows), "seconds": seconds}
        if run.outcome is not Outcome.nonfinite:
            row |= _measure(estimator, self.X_test)
        if self.measure is not None:
            row |= {name: plain(value) for name, value in self.measure(estimator).items()}
        self.rows[i] = row
        is_best = self.best_place is None or self._elbo_of(i) > self._elbo_of(self.best_place)
        if is_best and np.isfinite(row["elbo"]):
            self.best_place, self.best = i, estimator
        if self.folder is not None:
            self._write(self.folder, i, estimator)
        self.estimators[i] = None  # models that are not stored are released

    def _write(self, folder: GridFolder, i: int, estimator: VAE) -> None:
        """Write a member to the folder; if the disk is full, the grid continues."""
        paths = [folder.model(i)] if self.save_models else []
        paths += [folder.best] if self.best is estimator else []
        try:
            for path in paths:
                self._save(i, estimator, path)
            folder.keep(i, _to_json(self.rows[i]))
        except OutputError as error:
            warnings.warn(
                f"Member {i} was not written: {error} The grid goes on with its figures in "
                "memory; resumed from the folder, it trains the member again.",
                TrainingWarning,
                stacklevel=2,
            )

    def _save(self, i: int, estimator: VAE, path: Path) -> None:
        """Write the model of a member, or warn that it cannot be saved."""
        try:
            estimator.save(path)
        except SettingError as error:
            warnings.warn(
                f"The model of member {i} was not written: {error} Its figures are kept.",
                TrainingWarning,
                stacklevel=3,
            )

    def _elbo_of(self, i: int) -> float:
        elbo = self.rows[i]["elbo"]
        return elbo if np.isfinite(elbo) else -np.inf


def _with(estimator: VAE, **settings: Any) -> VAE:
    """Return an unfitted copy with other settings."""
    return cast(VAE, clone(estimator)).set_params(**settings)


def _measure(estimator: VAE, X: Rows) -> dict[str, Any]:
    """Figures of one fitted estimator, means over rows with their standard errors."""
    rows, key = estimator.rows(X), estimator.key("score")
    terms = evaluation.elbo(estimator.model_, rows, n_samples=_N_SAMPLES, key=key)
    figures: dict[str, Any] = {}
    named = {"elbo": terms.elbo, "log_likelihood": terms.log_likelihood, "rate": terms.kl}
    for name, values in named.items():
        values = np.asarray(values, np.float64)
        spread = values.std(ddof=1) if len(values) > 1 else np.nan
        figures |= {name: float(values.mean()), f"{name}_error": float(spread / len(values) ** 0.5)}
    collapse = estimator.collapse(X)
    return figures | {
        "noise_variance": float(np.mean(estimator.noise_variance_)),
        "collapsed": float(collapse.collapsed.mean()),
        "active": int(collapse.active_units.sum()),
    }


def _figures(outcome: str, reason: str) -> dict[str, Any]:
    """Figures of a member that was not measured."""
    row: dict[str, Any] = {"outcome": outcome, "reason": reason, "epochs": 0, "seconds": 0.0}
    for name in ("elbo", "log_likelihood", "rate"):
        row |= {name: np.nan, f"{name}_error": np.nan}
    return row | {"noise_variance": np.nan, "collapsed": np.nan, "active": 0}


def _to_json(row: dict[str, Any]) -> dict[str, Any]:
    """Figures as JSON values, with null for NaN."""
    return {
        name: None if isinstance(value, float) and not np.isfinite(value) else value
        for name, value in row.items()
    }


def _read(figures: dict[str, Any]) -> dict[str, Any]:
    return {name: np.nan if value is None else value for name, value in figures.items()}


def _axes(template: VAE, grid: Mapping[str, Axis]) -> dict[str, dict[str, Any]]:
    """Check the grid; return the values of each axis by their labels."""
    known = [name for name in template.get_params(deep=False) if name not in (*_NO_AXES, _OF_DATA)]
    if not grid:
        raise SettingError(
            'A grid needs at least one axis; got none. {"noise": [0.1, 1.0]} is a start.'
        )
    axes = {}
    for name, values in grid.items():
        if name not in known:
            raise unknown_name("An axis", name, known)
        axes[name] = _by_label(name, values)
    return axes


def _by_label(name: str, values: Axis) -> dict[str, Any]:
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise SettingError(
            f"An axis must be a sequence of numbers or objects; {name} got {values!r}. "
            f"Put the values into a list: {name}=[…]."
        )
    if isinstance(values, Mapping):
        labelled = {str(label): value for label, value in values.items()}
    else:
        values = [plain(value) for value in values]
        labelled = {_label(value, i): value for i, value in enumerate(values)}
        if len(labelled) < len(values):
            raise SettingError(f"The values of an axis must differ; {name} got {values}.")
    if not labelled:
        raise SettingError(f"An axis needs at least one value; {name} has none. Leave it out.")
    texts = [value for value in labelled.values() if isinstance(value, str)]
    if texts:
        raise SettingError(
            f"An axis holds numbers or objects, not text; {name} got {texts[0]!r}. Where its "
            f"settings have names, make the object: noise=[wp.noise.Gaussian({texts[0]!r})]."
        )
    return labelled


def _label(value: Any, place: int) -> Any:
    """Label of a value in the table: the value, where it is a number or a few numbers."""
    if value is None or isinstance(value, Real):
        return value
    if isinstance(value, (tuple, list)):
        return str(tuple(value))
    return f"{type(value).__name__} {place}"


def _identity(
    template: VAE, axes: dict[str, dict[str, Any]], X: Table, X_test: Table | None
) -> str:
    """Digest of the settings and data that determine the figures, without ``measure``."""
    tensors: dict[str, np.ndarray] = {}
    settings = settings_of(template)
    for name in _NO_AXES:
        settings.pop(name)
    if not isinstance(settings["random_state"], (int, np.integer)):
        settings["random_state"] = None
    described = {
        name: serialise.describe(value, tensors, f"settings.{name}")
        for name, value in settings.items()
    }
    varied = [
        (name, str(label), serialise.describe(value, tensors, f"axis.{name}.{i}"))
        for name, values in axes.items()
        for i, (label, value) in enumerate(values.items())
    ]
    data = tuple(None if table is None else narrow(table.values) for table in (X, X_test))
    data += tuple(t.given for t in (X, X_test) if t is not None and t.given is not None)
    return training.fingerprint((*data, tensors), json.dumps([described, varied], sort_keys=True))
