"""The training loop: epochs on the device, decisions between them on the host."""

import dataclasses
from collections.abc import Callable, Sequence

import jax
import numpy as np

from wellposed._bar import Bar
from wellposed.models import VAEModel

from ._checkpoint import Checkpoint
from ._history import History
from ._outcome import Outcome
from ._run import Run
from ._training import Training


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
    """

    epoch: int
    history: History
    model: VAEModel


Callback = Callable[[EpochReport], object]


def run_epochs(
    training: Training,
    file: Checkpoint | None,
    *,
    callbacks: Sequence[Callback] = (),
    progress: bool | str = False,
    unit: str = "epoch",
) -> Run:
    """Train until the outcome is known.

    Parameters
    ----------
    training : Training
    file : Checkpoint, optional
        Where it exists, the training resumes from it.
    callbacks, progress : see :func:`wellposed.training.fit_member`
    unit : str
        Name of an epoch beside the progress bar.
    """
    position, course = training.start(file)
    run_epoch = training.epoch()
    with Bar(training.member.plan.n_epochs, progress, unit) as bar:
        try:
            if not course.n_epochs and course.outcome is None:
                now = {"done": np.int32(0), "encoder_steps": course.encoder_steps}
                _, figures = run_epoch(
                    position.state, split=training.split.without_training(), **now
                )
                course = course.started_at(jax.device_get(figures.held))
            while course.outcome is None:
                now = {"done": np.int32(course.n_epochs), "encoder_steps": course.encoder_steps}
                state, figures = run_epoch(position.state, split=training.split, **now)
                position, course = training.settle(position, course, state, jax.device_get(figures))
                if course.outcome is Outcome.nonfinite:
                    break
                bar.show(course.n_epochs, course.history.summary)
                if file:
                    training.save(file, position, course)
                if callbacks:
                    model = training.model(position.state.reached)
                    report = EpochReport(course.n_epochs, course.history, model)
                    stops = [bool(callback(report)) for callback in callbacks]  # each is called
                    course = course.interrupt() if any(stops) else course
        except KeyboardInterrupt:
            course = course.interrupt()
        finally:
            if file and course.n_epochs:
                training.save(file, position, course, now=True)
    return training.run(position, course)
