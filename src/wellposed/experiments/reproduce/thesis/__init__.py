"""The experiments of the thesis's chapter 5, each beside its cure, on one page."""

from ._make import NAME as NAME
from ._make import make as make
