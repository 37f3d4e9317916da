"""Models of rows of which some have a label."""

from .auxiliary import AuxiliaryDraw, AuxiliaryEncoder
from .labelled_vae import Codes, FirstStage, LabelledVAE, split_row
from .labels import AbstractLabels, Classes, Points, RealLabel

__all__ = [
    "AbstractLabels",
    "AuxiliaryDraw",
    "AuxiliaryEncoder",
    "Classes",
    "Codes",
    "FirstStage",
    "LabelledVAE",
    "Points",
    "RealLabel",
    "split_row",
]


def __dir__() -> list[str]:
    return sorted(__all__)
