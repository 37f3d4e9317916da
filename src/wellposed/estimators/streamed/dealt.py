"""Parts of one result that several processes compute in turn, and one of them writes."""

import contextlib
import io
from collections.abc import Callable, Generator
from typing import Any

import equinox as eqx
import jax
import numpy as np
from sklearn.base import BaseEstimator

from wellposed import evaluation, hosts, training
from wellposed._errors import HostsError
from wellposed.estimators._fitted import Fitted
from wellposed.estimators._settings import settings_of
from wellposed.training.mesh import every_text

from .output import RowWriter

_RESULT, _NOTHING, _FAILED = b"r", b"n", b"f"


def spread(vae: Fitted) -> contextlib.AbstractContextManager[None]:
    """Spread passes over the devices of this process that ``VAE(devices=)`` names.

    Of a model that was fitted on more devices than there are here, over those there are: results
    do not depend on their number.
    """
    devices = settings_of(vae).get("devices")
    if devices is None:
        return contextlib.nullcontext()
    own = jax.local_devices()
    share = len(own) if devices == "all" else devices // jax.process_count()
    return evaluation.spread_over(own[: max(1, share)])


def processes_of(vae: BaseEstimator) -> tuple[int, int]:
    """Return the number of this process, and of those that compute together.

    These are the processes that joined, where ``VAE(devices=)`` is not None.
    """
    if settings_of(vae).get("devices") is None:
        return 0, 1
    return jax.process_index(), jax.process_count()


def agree_on_call(vae: Any, **facts: object) -> None:
    """Refuse a call that differs between the processes that joined.

    Parameters
    ----------
    vae : of this process
    facts : what all calls have alike, by name

    Raises
    ------
    HostsError
        Naming what differs, or a process that does not call.
    """
    if processes_of(vae)[1] == 1:
        return
    arrays = eqx.filter(vae.model_, eqx.is_array)
    seed = str(jax.random.key_data(vae.key("score")))
    texts = {name: str(value) for name, value in facts.items()}
    hosts.agree_on({"model": training.fingerprint(arrays)[:16], "seed": seed, **texts})


def collect(
    vae: BaseEstimator,
    own: Generator[np.ndarray],
    n_parts: int,
    results: Callable[[], RowWriter],
    convert: Callable[[int, np.ndarray], Any] = lambda _, part: part,
) -> Any:
    """Add all parts to the results, in order, and return what :meth:`RowWriter.finish` does.

    Of n processes, process i computes the parts i, i + n, i + 2n, … Every process calls this
    function. If one of them fails, all end with an error, and no file is left.

    Parameters
    ----------
    vae : the estimator, whose setting ``devices`` decides whether processes compute together
    own : yields the parts of this process
    n_parts : of all processes
    results : opens the results; of several processes, the first alone writes a file
    convert : function of the number of a part and the part, whose value is added

    Raises
    ------
    HostsError
        If another process failed.
    """
    n = processes_of(vae)[1]
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.closing(own))
        if n == 1:
            writer = stack.enter_context(results())
            for i, part in enumerate(own):
                writer.add(convert(i, part))
            return writer.finish()
        shared = _Shared(own, n)
        try:
            writer = shared.attempt(lambda: stack.enter_context(results()))
            for first in range(0, n_parts, n):
                hosts.beat()
                for i, part in enumerate(shared.next_parts(), first):
                    shared.attempt(lambda i=i, part=part: writer.add(convert(i, part)))
            shared.attempt(lambda: next(own, None))  # checks at the end of the data
            shared.exchange(_NOTHING)
            finished = shared.attempt(lambda: writer.finish())
            shared.exchange(_NOTHING)
        finally:
            hosts.rest()
        return finished


class _Shared:
    """Exchanges of parts, in which each process learns whether another one failed."""

    def __init__(self, own: Generator[np.ndarray], n: int):
        self._own, self._n = own, n
        self._failure: Exception | None = None

    def attempt(self, step: Callable[[], Any]) -> Any:
        """Take a step, unless one has failed; keep its error for the next exchange."""
        if self._failure is not None:
            return None
        try:
            return step()
        except Exception as error:
            self._failure = error
            return None

    def next_parts(self) -> list[np.ndarray]:
        """Compute the next part of this process, and return those of all."""
        content = self.attempt(self._packed)
        found = self.exchange(content or _NOTHING)
        return [np.load(io.BytesIO(text[1:]), allow_pickle=False) for text in found if text[1:]]

    def _packed(self) -> bytes:
        part = next(self._own, None)
        if part is None:
            return _NOTHING
        file = io.BytesIO(_RESULT)
        file.seek(0, 2)
        np.save(file, part, allow_pickle=False)
        return file.getvalue()

    def exchange(self, content: bytes) -> list[bytes]:
        """Return what each process passes, or raise where one of them has failed."""
        if self._failure is not None:
            content = _FAILED + str(self._failure).encode()
        told = every_text(content)
        if self._failure is not None:
            raise self._failure
        for i, text in enumerate(told):
            if text.startswith(_FAILED):
                raise HostsError(
                    f"All processes must compute their parts; process {i} could not: "
                    f"{text[1:].decode(errors='replace')} Mend that, and call again on all hosts."
                )
        return told
