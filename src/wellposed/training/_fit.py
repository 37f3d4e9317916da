"""The training loop: epochs on the device, decisions between them on the host."""

import dataclasses
import os
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from numpy.typing import ArrayLike

from wellposed import hosts
from wellposed._bar import Bar
from wellposed._forks import check_process
from wellposed._typing import PRNGKey
from wellposed.models import VAEModel
from wellposed.models.labelled import LabelledVAE
from wellposed.objectives import ELBO, AbstractObjective

from ._checkpoint import Checkpoint
from ._epoch import TrainState
from ._history import History
from ._member import Member
from ._outcome import Outcome
from ._pass import EpochFigures
from ._plan import Plan
from ._rows import pad_rows
from ._run import Run
from ._training import Training, checkpoint_on, training_identity
from .mesh import DataMesh


@dataclasses.dataclass(frozen=True)
class EpochReport:
    """What a callback receives after each epoch.

    Parameters
    ----------
    epoch : int
        Number of the epoch, from 1.
    history : History
        Measurements of all epochs so far.
    model : VAEModel
        The model after this epoch, which need not be the best so far.

    Examples
    --------
    >>> import wellposed as wp
    >>> seen = []
    >>> again = wp.VAE(1, hidden=(4,), max_epochs=2, random_state=0)
    >>> again = again.fit(X, callbacks=[lambda report: seen.append(report.epoch)])
    >>> seen
    [1, 2]
    """

    epoch: int
    history: History
    model: VAEModel | LabelledVAE


Callback = Callable[[EpochReport], object]


def fit(
    model: VAEModel | LabelledVAE,
    data: ArrayLike,
    *,
    key: PRNGKey,
    objective: AbstractObjective | None = None,
    plan: Plan | None = None,
    validation_fraction: float = 0.0,
    checkpoint: str | os.PathLike | None = None,
    callbacks: Sequence[Callback] = (),
    progress: bool | str = False,
    allow_unbounded: bool = False,
    mesh: DataMesh | None = None,
) -> Run:
    """Train a model by gradient ascent on an objective.

    Parameters
    ----------
    model : VAEModel
        Its transform and its noise are already fitted to the data.
    data : array of shape (n, d), data units, any real dtype
    key : PRNG key
        Seeds the split, the order of the rows and the draws of z.
    objective : AbstractObjective, default ELBO()
        The objective to maximise.
    plan : Plan, default Plan()
        Epochs, batch size and rates.
    validation_fraction : float in [0, 1), default 0
        Share of the rows held out, on which the best epoch is chosen; 0 keeps the last epoch.
    checkpoint, callbacks, progress : see :func:`fit_member`
    allow_unbounded : bool, default False
        Train a model whose likelihood has no maximum.
    mesh : DataMesh, optional
        Devices over which each batch is spread; see :func:`fit_member`.

    Raises
    ------
    UnboundedLikelihoodError
        If the log density bound of the model is infinite and ``allow_unbounded`` is false.
    SettingError
        If settings contradict each other, or the checkpoint belongs to another training.

    Examples
    --------
    >>> import jax, numpy as np, wellposed as wp
    >>> X = np.random.default_rng(0).normal(size=(60, 3))
    >>> vae = wp.VAE(1, hidden=(4,), max_epochs=1, random_state=0).fit(X)
    >>> run = fit(vae.model_, X, key=jax.random.key(0), plan=Plan(max_epochs=2))
    >>> len(run.history.rows), run.outcome.value
    (2, 'budget_spent')
    """
    objective, plan = objective or ELBO(), plan or Plan()
    member = Member(model, key, objective, plan, validation_fraction, allow_unbounded)
    shown: Any = {"checkpoint": checkpoint, "callbacks": callbacks, "progress": progress}
    return fit_member(member, data, mesh=mesh, **shown)


def fit_member(
    member: Member,
    data: ArrayLike,
    *,
    checkpoint: str | os.PathLike | Checkpoint | None = None,
    callbacks: Sequence[Callback] = (),
    progress: bool | str = False,
    unit: str = "epoch",
    mesh: DataMesh | None = None,
) -> Run:
    """Train one member without folds; see :func:`fit`, which takes its fields one by one.

    Parameters
    ----------
    member : Member
    data : array of shape (n, d), data units, any real dtype
    checkpoint : path, optional
        File to write the state to. Where it exists, the training resumes from it, and ends with
        the same model, bit for bit, as an uninterrupted run on the same machine.
    callbacks : sequence of functions
        Called with an :class:`EpochReport` after each epoch; a true result ends the training.
    progress : "auto", True or False
        Show a progress bar; "auto" on a terminal only.
    unit : name of an epoch beside the progress bar
    mesh : DataMesh, optional
        Devices over which each batch is spread; None is one device. Each device, and with several
        processes each process, has all rows and all parameters. Processes call this function
        with equal arguments, and return equal runs; the model is that of process 0, which alone
        writes the checkpoint, to a file that all can read.
    """
    check_process()
    data = np.asarray(data)
    training = Training.of(member, len(data), jax.device_put(pad_rows(data)), mesh)
    file = checkpoint
    if file is not None and not isinstance(file, Checkpoint):
        file = checkpoint_on(mesh, file, training_identity(member, data))
    return run_epochs(training, training.epoch(), file, callbacks, progress=progress, unit=unit)


def run_epochs(
    training: Training,
    run_epoch: Callable[..., tuple[TrainState, EpochFigures]],
    file: Checkpoint | None,
    callbacks: Sequence[Callback] = (),
    *,
    progress: bool | str = False,
    unit: str = "epoch",
) -> Run:
    """Run epochs, with a decision after each, until the training ends.

    Parameters
    ----------
    training : Training
    run_epoch : function of a state, the split, the number of epochs ``done`` and of
        ``encoder_steps``, that returns the next state and its figures
    file : to resume from, and to write to; or None
    callbacks, progress, unit : as of :func:`fit_member`
    """
    position, course = training.start(file)
    shown = progress if training.writes else False
    with Bar(training.member.plan.n_epochs, shown, unit) as bar:
        try:
            hosts.beat()
            while course.outcome is None:
                now = {"done": np.int32(course.n_epochs), "encoder_steps": course.encoder_steps}
                state, figures = run_epoch(position.state, split=training.split, **now)
                figures = jax.device_get(figures)
                hosts.beat()
                position, course = training.settle(position, course, state, figures)
                if course.outcome is Outcome.nonfinite:
                    break
                bar.show(course.n_epochs, course.history.summary)
                if file:
                    training.save(file, position, course)
                stops = [hosts.asked()]
                if callbacks:
                    model = training.model(position.state.reached)
                    report = EpochReport(course.n_epochs, course.history, model)
                    stops += [bool(callback(report)) for callback in callbacks]  # each is called
                course = course.interrupt() if training.stops(any(stops)) else course
        except KeyboardInterrupt:
            course = course.interrupt()
        finally:
            hosts.rest()
            if file and course.n_epochs:
                training.save(file, position, course, now=True)
    return training.run(position, course)
