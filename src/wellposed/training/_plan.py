"""The numbers of a training, checked when they are put together."""

import dataclasses
import math

from wellposed._errors import SettingError


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
        self._positive("batch_size", "max_epochs", "learning_rate", "clip_norm", "noise_pace")
        if self.weight_decay < 0 or not math.isfinite(self.weight_decay):
            raise SettingError(
                f"weight_decay must be a number ≥ 0; got {self.weight_decay}. Zero is plain Adam."
            )
        if self.encoder_steps < 0:
            raise SettingError(
                f"encoder_steps must be a whole number ≥ 0; got {self.encoder_steps}. Zero is "
                "plain training; 100 is He et al.'s."
            )
        if self.patience is not None:
            self._positive("patience")
        if self.kl_warmup < 0 or self.kl_warmup >= self.max_epochs:
            raise SettingError(
                f"The KL's warm-up must reach its target before training ends; got kl_warmup="
                f"{self.kl_warmup} with max_epochs={self.max_epochs}. Make it shorter than "
                "max_epochs, or the model is trained on an objective that it is not judged by."
            )

    def _positive(self, *names: str) -> None:
        for name in names:
            value = getattr(self, name)
            if not value > 0:
                raise SettingError(f"{name} must be positive; got {value}.")
