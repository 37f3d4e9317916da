"""A Monte Carlo figure with its error."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A mean and its standard error over rows."""

    value: float
    standard_error: float

    def __str__(self) -> str:
        return f"{self.value:.4g} ± {self.standard_error:.2g}"
