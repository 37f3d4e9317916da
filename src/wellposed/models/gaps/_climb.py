"""Expectation maximisation with Anderson acceleration, which never lowers the likelihood."""

import dataclasses
from collections.abc import Callable

import numpy as np

_MEMORY = 8  # differences that are combined
_SETTLED = 3  # iterations in a row with a small change
_SLACK = 1e-13  # share of the objective that rounding may take

Step = Callable[[np.ndarray], tuple[np.ndarray, float]]


@dataclasses.dataclass(frozen=True, eq=False)
class Climb:
    """End of the iterations.

    Parameters
    ----------
    parameters : shape (p,)
    objective : shape (iterations,), at the parameters of each iteration
    converged : whether the iterations ended before ``max_iter``
    """

    parameters: np.ndarray
    objective: np.ndarray
    converged: bool


def climb(
    step: Step,
    start: np.ndarray,
    *,
    max_iter: int,
    tol: float,
    trace: list[float] | None = None,
) -> Climb:
    r"""Repeat an EM step until the objective settles.

    With residuals :math:`r_t = g(x_t) - x_t` of the EM map g, the next point is

    .. math:: g(x_t) - (\Delta X + \Delta R)\gamma, \qquad
       \gamma = \arg\min \|r_t - \Delta R \gamma\|

    from the differences of the last iterations. A point with a lower objective than the last one
    is discarded: the plain EM step is taken instead, and the differences are forgotten.

    Parameters
    ----------
    step : returns g(x) and the objective at x; the objective is −∞ where x is not allowed
    start : x of shape (p,)
    max_iter : iterations at most
    tol : stop when three iterations in a row change the objective by less than this share
    trace : receives the objectives, also of iterations before an exception of ``step``

    References: Walker & Ni (2011), Anderson acceleration; Henderson & Varadhan (2019), DAAREM.

    Examples
    --------
    >>> end = climb(lambda x: (0.9 * x, -float(x @ x)), np.ones(2), max_iter=9, tol=0.0)
    >>> bool(end.objective[2] > -1e-9)
    True
    """
    x = start
    reached, value = step(x)
    values = [] if trace is None else trace
    values.append(value)
    settled = 0
    moves: list[np.ndarray] = []
    changes: list[np.ndarray] = []
    while len(values) < max_iter and settled < _SETTLED:
        residual = reached - x
        candidate = _combined(reached, residual, moves, changes)
        after, new = step(candidate)
        if moves and not new >= value - _SLACK * abs(value):
            moves.clear()
            changes.clear()
            candidate = reached
            after, new = step(candidate)
        moves.append(candidate - x)
        changes.append(after - candidate - residual)
        del moves[:-_MEMORY], changes[:-_MEMORY]
        settled = settled + 1 if abs(new - value) <= tol * max(abs(new), 1.0) else 0
        x, reached, value = candidate, after, new
        values.append(value)
    return Climb(x, np.array(values), settled >= _SETTLED)


def _combined(
    reached: np.ndarray, residual: np.ndarray, moves: list[np.ndarray], changes: list[np.ndarray]
) -> np.ndarray:
    if not moves:
        return reached
    change = np.stack(changes, axis=1)
    gamma = np.linalg.lstsq(change, residual, rcond=1e-10)[0]
    return reached - (np.stack(moves, axis=1) + change) @ gamma
