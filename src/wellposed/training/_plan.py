"""The numbers of a training, checked when they are put together."""

import dataclasses
import math

from wellposed._checks import Rule, check_settings, optional, real, whole
from wellposed._errors import SettingError

_RULES = {
    "batch_size": whole(),
    "max_epochs": whole(),
    "learning_rate": real(above=0),
    "weight_decay": real(low=0),
    "clip_norm": Rule(
        "a number > 0, or infinity", lambda v: v == math.inf or real(above=0).allows(v)
    ),
    "kl_warmup": whole(0),
    "patience": optional(whole()),
    "encoder_steps": whole(0),
    "noise_pace": real(above=0),
}


@dataclasses.dataclass(frozen=True)
class Plan:
    """How long, in what pieces and at what rate to train.

    Parameters
    ----------
    batch_size : rows a step; the last, smaller batch of an epoch counts by its rows
    max_epochs : passes over the training rows at most
    learning_rate : peak rate of Adam; it decays to zero along a half cosine over ``max_epochs``
    weight_decay : decoupled decay (AdamW); zero is Adam
    clip_norm : largest gradient norm let through; infinity clips nothing
    kl_warmup : epochs over which the KL's weight rises from 0 to its target; below ``max_epochs``
    patience : epochs without a better held-out objective before stopping; None never stops
    decay : whether the learning rate decays
    encoder_steps : steps of the encoder alone, at most, before each step of the decoder, until
        the codes stop telling more of the data (see :mod:`wellposed.training._lagging`); 0 is
        plain training
    noise_pace : how many times faster than the weights the noise's few numbers move. Adam's step
        is its rate whatever the gradient: at 1e-3 a standard deviation needs a thousand steps to
        fall by the factor e, and lags behind the networks where a training has few

    Raises
    ------
    SettingError
        If a number is out of range, or the warm-up would not end before the training does.
    """

    batch_size: int = 128
    max_epochs: int = 200
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    clip_norm: float = math.inf
    kl_warmup: int = 0
    patience: int | None = None
    decay: bool = True
    encoder_steps: int = 0
    noise_pace: float = 10.0

    def __post_init__(self) -> None:
        check_settings(vars(self), _RULES)
        if self.kl_warmup >= self.max_epochs:
            raise SettingError(
                f"The KL's warm-up must reach its target before training ends; got kl_warmup="
                f"{self.kl_warmup} with max_epochs={self.max_epochs}. Make it shorter than "
                "max_epochs, or the model is trained on an objective that it is not judged by."
            )
