"""Outliers by a VAE: scores, p-values, alarms at a stated rate."""

from .outlier_vae import OutlierVAE
from .pyod import PyODOutlierVAE

__all__ = ["OutlierVAE", "PyODOutlierVAE"]
