"""Rows of a training in chunks, and the epochs that they make."""

import abc
import dataclasses

import numpy as np

from wellposed.training._epoch import steps_in
from wellposed.training._plan import Plan

_EPOCH_ROWS = 1 << 20  # rows of an epoch at most, where a pass has more


class Chunks(abc.ABC):
    """Rows of a training, chunk by chunk in random order, pass after pass.

    Attributes
    ----------
    n_rows : rows of a pass
    n_held : rows that are held out, beside these
    n_chunks : chunks of a pass
    chunk_rows : rows of a chunk, at most
    """

    n_rows: int
    n_held: int = 0
    n_chunks: int
    chunk_rows: int

    @abc.abstractmethod
    def identity(self) -> str:
        """Return a text that changes when the data change."""

    @abc.abstractmethod
    def read(self, n_pass: int, chunk: int) -> np.ndarray:
        """Return the rows of a chunk to train on, shape (m, d), m ≤ ``chunk_rows``.

        Their number and order are a function of the pass and the chunk. It is called from a
        thread of its own.
        """

    @property
    def chunks_an_epoch(self) -> int:
        """Chunks of an epoch: a pass, or the share of it that has some million rows."""
        return min(self.n_chunks, max(1, _EPOCH_ROWS // self.chunk_rows))

    def epochs(self, passes: int) -> int:
        """Return the number of epochs of a number of passes; the last takes what is left."""
        return max(1, round(passes * self.n_chunks / self.chunks_an_epoch))

    def steps_a_pass(self, batch_size: int) -> int:
        """Return the steps of a pass, whose chunks each end with a smaller batch."""
        n_all = self.n_rows + self.n_held
        last = n_all - (self.n_chunks - 1) * self.chunk_rows
        share = self.n_rows / n_all
        steps = [max(1, steps_in(round(share * n), batch_size)) for n in (self.chunk_rows, last)]
        return (self.n_chunks - 1) * steps[0] + steps[1]

    def plan(self, plan: Plan) -> Plan:
        """Return a plan whose epochs are these, from one that counts passes.

        The patience stays: it is a number of looks at the rows held out. Rates are those of the
        plan that counts passes.
        """
        last, most = plan.last_epoch, self.epochs(plan.max_epochs)
        return dataclasses.replace(
            plan,
            max_epochs=most,
            kl_warmup=min(self.epochs(plan.kl_warmup), most - 1) if plan.kl_warmup else 0,
            last_epoch=None if last is None else self.epochs(last),
        )

    def of_epoch(self, epoch: int, n_epochs: int, passes: int) -> list[tuple[int, int]]:
        """Return pass and chunk of each chunk of an epoch, the epochs counted from 0.

        Parameters
        ----------
        epoch : number of the epoch
        n_epochs, passes : of the whole training, whose last epoch takes all that is left
        """
        start = epoch * self.chunks_an_epoch
        last = epoch == n_epochs - 1
        stop = passes * self.n_chunks if last else start + self.chunks_an_epoch
        return [divmod(i, self.n_chunks) for i in range(start, stop)]
