"""Sample quality: distances between draws and data."""

from .artefact_bands import ArtefactBands, artefact_bands
from .classifier import accuracy, classifier_features, predict_classes
from .frechet import frechet_distance
from .precision_recall import PrecisionRecall, precision_recall
from .sample_quality import SampleQuality, sample_quality

__all__ = [
    "ArtefactBands",
    "PrecisionRecall",
    "SampleQuality",
    "accuracy",
    "artefact_bands",
    "classifier_features",
    "frechet_distance",
    "precision_recall",
    "predict_classes",
    "sample_quality",
]
