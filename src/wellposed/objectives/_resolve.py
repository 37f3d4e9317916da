"""From a user's word to an objective."""

from wellposed._errors import SettingError, unknown_name

from ._abstract import AbstractObjective
from ._elbo import ELBO, BetaELBO
from ._iwae import IWAE
from ._squared_error import SquaredError

_NAMES = ("elbo", "iwae", "squared_error")


def resolve(
    objective: str | AbstractObjective, *, beta: float, n_importance: int
) -> AbstractObjective:
    """Turn ``"elbo"``, ``"iwae"`` or ``"squared_error"``, or an objective, into an objective.

    ``beta`` weighs the KL of the first and the last; ``n_importance`` is K of the second.
    """
    if isinstance(objective, AbstractObjective):
        return objective
    if objective == "elbo":
        return ELBO() if beta == 1 else BetaELBO(beta)
    if objective == "squared_error":
        return SquaredError(beta)
    if objective == "iwae":
        if beta != 1:
            raise SettingError(
                f"The importance-weighted bound has no beta; got beta={beta}. Leave beta at 1, "
                'or use objective="elbo".'
            )
        return IWAE(n_importance)
    raise unknown_name("objective", objective, _NAMES)
