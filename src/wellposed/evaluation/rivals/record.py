"""Held-out log p(x) of a VAE beside that of simpler densities."""

import dataclasses
from typing import Literal

import numpy as np

from .._estimate import Estimate
from .._text_table import text_table
from .._thresholds import CAUTION, FAULT, OPEN, SOUND, Reading, Verdict, compare_densities

_FEWEST_TRUSTED = 20  # rows

Kind = Literal["linear", "Gaussian", "independent", "mixture"]


@dataclasses.dataclass(frozen=True, eq=False)
class Rival:
    """A simpler density, fitted to the training rows, on held-out rows.

    Parameters
    ----------
    kind : "linear", "Gaussian", "independent" or "mixture"
    name : in texts, such as "factor analysis"
    log_p : shape (n,), log p(x) in nats and data units; None if it could not be fitted
    detail : what was chosen, or the reason why it could not be fitted

    Examples
    --------
    >>> from wellposed.evaluation import compare
    >>> linear, gaussian, mixture = compare(model, X[:50], X[50:], key=key).rivals
    >>> gaussian.name, gaussian.log_p.shape
    ('one Gaussian', (50,))
    """

    kind: Kind
    name: str
    log_p: np.ndarray | None
    detail: str


@dataclasses.dataclass(frozen=True, eq=False)
class Comparison:
    """Paired comparison of a VAE with its rivals on the same held-out rows; ``print`` it.

    Parameters
    ----------
    log_p : shape (n,), log p(x) of the VAE, nats and data units
    trusted : shape (n,), whether importance sampling is reliable for the row; elsewhere ``log_p``
        is a lower bound
    rivals : the linear model, one Gaussian, a mixture of Gaussians; or, of probabilities,
        independent features and a mixture of them
    n_features : number of features that vary
    n_train : number of training rows that the rivals were fitted to
    n_given : number of training rows that there are
    completed : whether the rows had missing entries, which were drawn by the VAE
    n_shared : number of held-out rows that equal a training row; 0 if chance explains it

    Examples
    --------
    >>> from wellposed.evaluation import compare
    >>> found = compare(model, X[:50], X[50:], key=key)
    >>> found.n_features, found.log_p.shape
    (4, (50,))
    """

    log_p: np.ndarray
    trusted: np.ndarray
    rivals: tuple[Rival, ...]
    n_features: int
    n_train: int
    n_given: int
    completed: bool = False
    n_shared: int = 0

    def difference(self, rival: Rival, rows: np.ndarray | slice = slice(None)) -> Estimate:
        """Mean of VAE − rival over rows, paired, with its standard error, nats a row.

        Parameters
        ----------
        rival : one that was fitted
        rows : which rows; all by default
        """
        assert rival.log_p is not None
        return Estimate.of((self.log_p - rival.log_p)[rows])

    def reading(self, rival: Rival) -> Reading | Literal["not compared"]:
        """Whether the VAE is better, worse, as good, or not distinguishable from a rival.

        It is worse only if it is so on the rows for which its log p(x) can be trusted as well.
        """
        if rival.log_p is None:
            return "not compared"
        result = compare_densities(self.difference(rival), self.n_features)
        if result != "worse" or self.trusted.all():
            return result
        if self.trusted.sum() < _FEWEST_TRUSTED:
            return "not distinguishable"
        on_trusted = compare_densities(self.difference(rival, self.trusted), self.n_features)
        return "worse" if on_trusted == "worse" else "not distinguishable"

    @property
    def worst(self) -> Rival | None:
        """The rival that is furthest ahead of the VAE beyond the error, if there is one."""
        ahead = [rival for rival in self.rivals if self.reading(rival) == "worse"]
        return min(ahead, key=lambda r: self.difference(r).value, default=None)

    @property
    def judgement(self) -> Verdict:
        """Verdict on the VAE beside its rivals.

        "fault" if it is worse than one of them beyond the error; "open" if the rows are too few to
        tell it from one of them, or if none could be fitted; "caution" if it is as good as one of
        them; "sound" if it is better than all.
        """
        readings = {self.reading(rival) for rival in self.rivals} - {"not compared"}
        if "worse" in readings:
            return FAULT
        if not readings or "not distinguishable" in readings:
            return OPEN
        return CAUTION if "as good" in readings else SOUND

    @property
    def table(self) -> tuple[dict[str, str | Estimate], ...]:
        """The comparison as rows of a table, each by the names of the columns."""
        own: dict[str, str | Estimate] = {
            "model": "this VAE",
            _LOG_P: Estimate.of(self.log_p),
            _DIFFERENCE: "",
            "the VAE is": "",
            "settings": "",
        }
        return own, *(self._row(rival) for rival in self.rivals)

    def _row(self, rival: Rival) -> dict[str, str | Estimate]:
        return {
            "model": rival.name,
            _LOG_P: "" if rival.log_p is None else Estimate.of(rival.log_p),
            _DIFFERENCE: "" if rival.log_p is None else self.difference(rival),
            "the VAE is": self.reading(rival),
            "settings": rival.detail,
        }

    @property
    def sentences(self) -> str:
        """The readings of all rivals in sentences, and what the rivals were fitted to."""
        mean = Estimate.of(self.log_p)
        parts = []
        for words in ("worse", "better", "as good", "not distinguishable", "not compared"):
            some = [rival for rival in self.rivals if self.reading(rival) == words]
            if some:
                joined = _join([self._named(rival, words) for rival in some])
                parts.append(f"{_JOINED[words]} {joined}")
        capped = f" of {self.n_given:,}" if self.n_train < self.n_given else ""
        text = (
            f"Held-out log p(x) of this VAE is {mean} nats a row, on {len(self.log_p):,} rows: "
            f"{'; '.join(parts)}. The rivals were fitted to {self.n_train:,}{capped} training rows."
        )
        if self.n_shared:
            text += (
                f" {self.n_shared:,} of the rows equal a training row, more than chance makes: the "
                "figures favour what was fitted to them. Hold out other rows."
            )
        if self.completed:
            text += (
                " Missing cells, and levels that the fit did not have, were filled with draws of "
                "the VAE, which favours it here: to compare without that, pass rows without them."
            )
        n_untrusted = int((~self.trusted).sum())
        if n_untrusted and self.judgement != SOUND:
            text += (
                f" For {n_untrusted} of {len(self.trusted)} rows the VAE's log p(x) is a lower "
                "bound."
            )
        return text

    def _named(self, rival: Rival, words: str) -> str:
        if rival.log_p is None:
            return f"{rival.name}, because {rival.detail}"
        difference = self.difference(rival)
        if words in ("worse", "better"):
            size = Estimate(abs(difference.value), difference.standard_error)
            return f"{rival.name} by {size}"
        return f"{rival.name} ({difference})"

    def __str__(self) -> str:
        return f"{text_table(self.table)}\n{self.sentences}"


_LOG_P, _DIFFERENCE = "log p(x), nats a row", "VAE − model, paired"
_JOINED = {
    "worse": "worse than",
    "better": "better than",
    "as good": "as good as",
    "not distinguishable": "not distinguishable on these rows from",
    "not compared": "not compared with",
}


def _join(names: list[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
