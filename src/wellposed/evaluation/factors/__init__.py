"""Scores of latents against known factors: MIG, DCI, SAP and the score of FactorVAE."""

from .factor_table import FactorTable
from .factor_vae import FactorVotes, factor_vae_score
from .importances import DCI, dci
from .information_gap import InformationGap, mutual_information_gap
from .scores import Disentanglement, disentanglement
from .separation import Separation, sap

__all__ = [
    "DCI",
    "Disentanglement",
    "FactorTable",
    "FactorVotes",
    "InformationGap",
    "Separation",
    "dci",
    "disentanglement",
    "factor_vae_score",
    "mutual_information_gap",
    "sap",
]
