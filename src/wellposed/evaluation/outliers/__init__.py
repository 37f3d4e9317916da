"""Alarms at a stated rate: conformal p-values, false discoveries, the share of outliers."""

from .conformal import benjamini_hochberg, conformal_p_values, fewest_calibration_rows
from .explanation import Explanation
from .hidden import log_density_of_parts, with_gaps, without_each
from .share import outlier_share
from .tails import central_quantiles, central_ranks, tail_surprise
from .uniform import Uniformity, uniformity

__all__ = [
    "Explanation",
    "Uniformity",
    "benjamini_hochberg",
    "central_quantiles",
    "central_ranks",
    "conformal_p_values",
    "fewest_calibration_rows",
    "log_density_of_parts",
    "outlier_share",
    "tail_surprise",
    "uniformity",
    "with_gaps",
    "without_each",
]
