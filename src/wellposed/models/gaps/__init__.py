"""Solvers for rows with gaps that are ignorable: NaN is a gap."""

from ._factor_analysis import factor_analysis

__all__ = ["factor_analysis"]
