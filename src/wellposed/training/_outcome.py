"""How a training ended."""

import enum


class Outcome(enum.Enum):
    """How a training ended; ``message`` is the remedy, empty where none is needed.

    Examples
    --------
    >>> Outcome("budget_spent").message
    'max_epochs was reached while the objective was still rising; raise max_epochs.'
    """

    converged = "converged"
    budget_spent = "budget_spent"
    nonfinite = "nonfinite"
    interrupted = "interrupted"
    taken_over = "taken_over"

    @property
    def message(self) -> str:
        """A sentence for the user."""
        return _MESSAGES[self]


_MESSAGES = {
    Outcome.converged: "",
    Outcome.budget_spent: (
        "max_epochs was reached while the objective was still rising; raise max_epochs."
    ),
    Outcome.nonfinite: "The objective became non-finite; the last good state was kept.",
    Outcome.interrupted: (
        "Training was interrupted; the best state so far was kept. Fit again with the same "
        "`checkpoint` to go on from where it stopped."
    ),
    Outcome.taken_over: (
        "The weights were trained elsewhere; whether that training had converged is not known."
    ),
}
