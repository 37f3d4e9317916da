"""Commands that judge a model: verdicts, the page, the interactive page."""

from .diagnose import diagnose
from .explore import explore
from .report import report

__all__ = ["diagnose", "explore", "report"]
