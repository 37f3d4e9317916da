"""The number of epochs by cross-validation, and a training of so many epochs on all rows.

The best epoch on a tenth of few rows depends on which they are. With folds every row is held out
once, the average of the best epochs varies less, and no row is missing from the last training.
"""

import dataclasses
import os
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from wellposed._errors import SettingError
from wellposed._forks import check_process

from ._course import Course
from ._fit import Callback, fit_member
from ._member import Member
from ._outcome import Outcome
from ._run import Run
from ._training import checkpoint_on, training_identity
from .mesh import DataMesh

_HELD_OUT = "held_out_objective", "held_out_log_likelihood", "held_out_kl"


def fit_folds(
    member: Member,
    data: ArrayLike,
    *,
    checkpoint: str | os.PathLike | None = None,
    callbacks: Sequence[Callback] = (),
    progress: bool | str = False,
    mesh: DataMesh | None = None,
) -> Run:
    """Choose the epoch by ``member.folds``, then train on all rows up to it.

    Each fold is a training that holds the fold out. The last training ends at the rounded average
    of their best epochs, its rates decaying as theirs do. Where most folds keep the model that they
    started from, so does it. Its history has the average over folds of the figures of held-out
    rows; a fold that has ended counts with its last figures.

    Parameters
    ----------
    member : Member with folds
    data : array of shape (n, d), data units
    checkpoint : path, optional; one file for the folds and the last training
    callbacks, progress : of the last training, as of :func:`fit_member`; ``mesh`` likewise of all

    Returns the run of the last training; after an interruption in a fold, that of the fold.

    Raises
    ------
    SettingError
        For a member without folds, or with rows held out beside them.

    Examples
    --------
    >>> import jax, wellposed as wp
    >>> from wellposed.training import split_folds
    >>> X = np.random.default_rng(0).normal(size=(60, 3))
    >>> model = wp.VAE(1, hidden=(4,), max_epochs=1, random_state=0).fit(X).model_
    >>> folds = tuple((held, model) for held in split_folds(60, 3, key=jax.random.key(0)))
    >>> fit_folds(Member(model, jax.random.key(0), folds=folds), X).outcome.value
    'converged'
    """
    check_process()
    data = np.asarray(data)
    folds, file = _folds(member), None
    if checkpoint is not None:
        file = checkpoint_on(mesh, checkpoint, training_identity(member, data)).with_stages()
    courses: list[Course] = []
    for i, fold in enumerate(folds):
        if file and i < len(file.stages):
            courses.append(_course(fold).from_record(file.stages[i]))
            continue
        options = {"progress": progress, "unit": f"epoch of fold {i + 1}", "mesh": mesh}
        run = fit_member(fold, data, checkpoint=file, **options)
        if run.outcome is Outcome.interrupted:
            return run
        courses.append(_course(fold).ended_as(run))
        if file:
            file.stages.append(courses[-1].to_record())
    options = {"callbacks": callbacks, "progress": progress, "mesh": mesh}
    run = fit_member(_last(member, courses), data, checkpoint=file, **options)
    return _with_folds(run, courses)


def _folds(member: Member) -> list[Member]:
    """Return the training of each fold, without those rows."""
    if not member.folds or member.held is not None:
        raise SettingError(
            "With folds each row is held out once; got "
            + ("no folds" if not member.folds else "rows to hold out beside them")
            + ". Give either folds or rows to hold out."
        )
    return [
        dataclasses.replace(member, model=model, held=held, folds=())
        for held, model in member.folds
    ]


def _course(fold: Member) -> Course:
    n_held = len(fold.held)  # type: ignore[arg-type]
    return Course.start(fold.plan, n_held, n_held)


def _last(member: Member, courses: Sequence[Course]) -> Member:
    """Return the training on all rows, up to the average of the best epochs.

    Where most folds keep the start, so does the training on all rows.
    """
    values = [course.history.monitored for course in courses]
    best = [int(v.argmax()) + 1 if len(v) else 0 for v in values]
    keeping = sum(course.best_epoch == 0 for course in courses)
    last_epoch = 0 if 2 * keeping > len(courses) else round(float(np.mean(best)))
    plan = dataclasses.replace(member.plan, last_epoch=last_epoch, patience=None)
    return dataclasses.replace(member, plan=plan, validation_fraction=0.0, folds=())


def _with_folds(run: Run, courses: Sequence[Course]) -> Run:
    """Return the last run with the figures of the folds, and the outcome that they had."""
    n = len(run.history.rows)
    each = [np.stack([c.history.column(name) for name in _HELD_OUT], axis=1) for c in courses]
    if n and all(len(figures) for figures in each):
        at = [figures[np.minimum(np.arange(n), len(figures) - 1)] for figures in each]
        run = dataclasses.replace(run, history=run.history.with_held_out(np.mean(at, axis=0)))
    if run.outcome in (Outcome.interrupted, Outcome.nonfinite):
        return run
    settled = all(course.outcome is Outcome.converged for course in courses)
    outcome = Outcome.converged if settled else Outcome.budget_spent
    return dataclasses.replace(run, outcome=outcome, reason=outcome.message)
