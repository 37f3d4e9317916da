"""Outliers by a VAE: scores, p-values, alarms at a stated rate."""

from .outlier_vae import OutlierVAE

__all__ = ["OutlierVAE"]
