"""The part of a report that shows the worst rows, and why they are outliers."""

from collections.abc import Callable
from typing import Any

import numpy as np

from wellposed.evaluation import conformal_p_values

from ..data.table import Table

_DRAWN = 3  # rows
_LISTED = 20
_HEIGHT = 3.2  # inches a row


def panel_of(detector: Any, table: Table) -> Callable[[Any], Any]:
    """Return the function that draws the rows with the lowest scores, for a report.

    Parameters
    ----------
    detector : fitted :class:`wellposed.OutlierVAE`
    table : rows that were not in the fit
    """

    def outliers(facts: Any) -> Any:
        del facts
        from wellposed import plotting
        from wellposed.plotting.canvas import Figure
        from wellposed.reports import Panel, figure_as_png
        from wellposed.reports import Table as Listed

        scores = detector._scores(table)
        p = conformal_p_values(-scores, -detector.calibration_scores_)
        worst = np.argsort(scores, kind="stable")[:_LISTED]
        found = detector.explain(table.take(worst))
        figure = Figure((8.0, _HEIGHT * min(_DRAWN, len(worst))), layout="constrained")
        axes = figure.subplots(min(_DRAWN, len(worst)), 1, squeeze=False)[:, 0]
        for i, ax in enumerate(axes):
            plotting.outliers(found, i, ax=ax, name=f"row {worst[i]}")
        rows = tuple(
            (int(at), float(scores[at]), float(p[at]), _cells(found, i))
            for i, at in enumerate(worst)
        )
        return Panel(
            "outliers",
            "Outliers",
            "The rows with the lowest scores. Of rows like those of the fit, at most a share p has "
            "so small a p-value. Bars are what each column contributes to −log p(x); wrong cells "
            "are in colour, with the value expected in their place.",
            figure_as_png(figure),
            "Contributions of the columns to the surprise of the worst rows",
            Listed(("row", "score", "p-value", "wrong cells"), rows),
        )

    return outliers


def _cells(found: Any, i: int) -> str:
    """Return the wrong cells of a row as text."""
    wrong = [j for j in found.order[i] if found.wrong[i, j]]
    return "; ".join(f"{found.names[j]} is {found.cell_text(i, int(j))}" for j in wrong) or "none"
