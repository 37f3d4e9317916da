"""The numbers of a training, checked when the plan is built."""

import dataclasses
import math

from wellposed._checks import Rule, check_settings, one_of, optional, real, whole
from wellposed._errors import SettingError
from wellposed.nn import PRECISIONS

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
    "ema_decay": real(low=0, below=1),
    "last_epoch": optional(whole(0)),
    "precision": one_of(PRECISIONS),
}


@dataclasses.dataclass(frozen=True)
class Plan:
    """Number of epochs, batch size and rates of a training.

    Parameters
    ----------
    batch_size : int, default 128
        Rows a step. The last batch of an epoch may be smaller, and is weighted by its rows.
    max_epochs : int, default 200
        Maximum number of passes over the training rows.
    learning_rate : float, default 1e-3
        Peak rate of Adam; it decays to zero along a half cosine over ``max_epochs``.
    weight_decay : float, default 0
        Decoupled decay (AdamW); zero is Adam.
    clip_norm : float, default infinity
        Gradients of a larger norm are scaled down to it.
    kl_warmup : int, default 0
        Epochs over which the weight of the KL rises from 0 to its target.
    patience : int or None, default None
        Number of epochs without a better held-out objective, counted from the end of the KL's
        warm-up, before the training stops; None never stops.
    decay : bool, default True
        Whether the learning rate decays.
    encoder_steps : int, default 0
        Maximum number of encoder-only updates before each decoder update (lagging-inference
        training, He et al. 2019); the phase ends when I(x; z) stops rising. 0 disables it.
    noise_pace : float, default 10
        Learning rate of the noise's parameters, in multiples of ``learning_rate``. The size of an
        Adam step is about its rate, for any gradient: at 1e-3 a standard deviation needs a thousand
        steps to fall by the factor e.
    ema_decay : float in [0, 1), default 0
        Decay a step of the exponential moving average of the parameters (Polyak & Juditsky 1992),
        which is evaluated on held-out rows and kept; 0 evaluates the parameters themselves. It
        averages out the noise of the steps, some 1/(1 − decay) of them.
    precision : "float32" or "bfloat16", default "float32"
        Of the products of fully connected layers, where gradients are computed. With "bfloat16"
        their factors are rounded to 8 bits, and summed in float32; parameters, moments, noise, log
        densities and all that is evaluated stay float32, and so do convolutions and linear starts.
    last_epoch : int or None, default None
        Epoch after which the training ends, where it is known beforehand; the rates decay as for
        ``max_epochs``. 0 keeps the model as it is. None is ``max_epochs``.

    Raises
    ------
    SettingError
        If a number is out of range, ``kl_warmup`` is not below ``max_epochs``, or ``last_epoch`` is
        beyond it.

    Examples
    --------
    >>> Plan(max_epochs=50, patience=10).learning_rate
    0.001
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
    ema_decay: float = 0.0
    last_epoch: int | None = None
    precision: str = "float32"

    def __post_init__(self) -> None:
        check_settings(vars(self), _RULES)
        if self.kl_warmup >= self.max_epochs:
            raise SettingError(
                f"The KL's warm-up must reach its target before training ends; got kl_warmup="
                f"{self.kl_warmup} with max_epochs={self.max_epochs}. Make it shorter than "
                "max_epochs; otherwise the full objective is never trained."
            )
        if self.n_epochs > self.max_epochs:
            raise SettingError(
                "The last epoch is at most max_epochs, at which the rates are zero; got "
                f"last_epoch={self.last_epoch} with max_epochs={self.max_epochs}. Raise max_epochs."
            )

    @property
    def n_epochs(self) -> int:
        """Number of epochs after which the training ends: ``last_epoch`` or ``max_epochs``."""
        return self.max_epochs if self.last_epoch is None else self.last_epoch
