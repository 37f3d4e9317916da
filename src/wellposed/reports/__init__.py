"""Report on a fitted model as one HTML file: verdicts, pictures, and how to read them."""

from ._fitted_vae import FittedVAE as FittedVAE
from ._make import make_report
from ._panels import figure_as_png as figure_as_png
from ._record import Panel, Report, Table

__all__ = [
    "Panel",
    "Report",
    "Table",
    "make_report",
]


def __dir__() -> list[str]:
    return sorted(__all__)
