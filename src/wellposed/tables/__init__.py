"""Tables of columns of several kinds: what each is taken for, its noise, and its types."""

from ._cells import Clock as Clock
from ._column import Column
from ._covariates import Covariate, Covariates
from ._schema import Schema

__all__ = ["Column", "Covariate", "Covariates", "Schema"]


def __dir__() -> list[str]:
    """List the public names."""
    return __all__
