"""σ-accounting: the noise variance that anybody's VAE loss stands for."""

import dataclasses
import math
from numbers import Integral, Real

from wellposed._errors import SettingError, unknown_name

_REDUCTIONS = ("sum", "mean")

# What ½‖x − x̂‖² alone is the negative log density of, up to its constant: N(x̂, I).
_UNSTATED = 1.0

# A β that is one but for the rounding of a product of weights is one.
_ROUNDING = 1e-9


@dataclasses.dataclass(frozen=True)
class ImpliedNoise:
    """What a loss says of the observation noise, whether or not its author meant it.

    One number under two names: a loss may be read as the ELBO (β = 1) at ``noise_variance``, or
    as a β-ELBO at ``stated_noise_variance``; β is the ratio of the two.
    """

    noise_variance: float  # σ² of the reading with β = 1, in squared units of x̂; 0: no likelihood
    beta: float  # of the reading that keeps the stated σ²
    stated_noise_variance: float | None  # None where the loss states none; β is then against 1
    error_weight: float  # a, of the squared error summed over features
    kl_weight: float  # as the loss writes it
    kl_share: float  # 1, or 1/k where the loss takes the mean over latents

    @property
    def has_likelihood(self) -> bool:
        """Whether any density belongs to the loss: none does where the KL has no weight."""
        return self.noise_variance > 0

    def kl_weight_at(self, noise_variance: float) -> float:
        """Weight of the KL that makes this loss the ELBO at ``noise_variance``, all else kept.

        Raises
        ------
        SettingError
            If ``noise_variance`` is not positive and finite.
        """
        variance = _positive("noise_variance", noise_variance, "σ², in squared units of x̂")
        return 2 * self.error_weight * variance / self.kl_share

    def __str__(self) -> str:
        if not self.has_likelihood:
            return (
                "This loss has no likelihood: its KL has no weight, so it is an autoencoder with "
                "injected noise. σ² is as good as zero, where no density exists; "
                f"kl_weight = {self.kl_weight_at(1.0):.4g} times σ² makes it the ELBO at σ²."
            )
        whose, verdict = "the σ² = 1 of ½‖x − x̂‖²", ""
        if self.stated_noise_variance is not None:
            whose = f"its stated σ² = {self.stated_noise_variance:.4g}"
            verdict = ", and there bounds nothing" if self.beta < 1 - _ROUNDING else ""
        return (
            f"This loss is the ELBO at σ² = {self.noise_variance:.4g}, "
            f"σ = {math.sqrt(self.noise_variance):.4g} in the units of x̂; read at {whose}, "
            f"it has β = {self.beta:.4g}{verdict}."
        )


def implied_noise_variance(
    *,
    reduction: str,
    kl_weight: float = 1.0,
    n_features: int | None = None,
    n_latents: int | None = None,
    half: bool = False,
    kl_reduction: str = "sum",
    scale: float = 1.0,
    noise_variance: float | None = None,
) -> ImpliedNoise:
    r"""Give the noise variance for which a VAE loss is the ELBO.

    A loss a‖x − x̂‖² + b KL for each datum is, divided by b and up to a constant, the negative
    ELBO of p(x|z) = N(x̂(z), σ²I), so that its gradients and minimisers are those of the ELBO at

    .. math:: \sigma^2 = \frac{b}{2a}

    Parameters
    ----------
    reduction : "sum" or "mean"
        Over the features of one datum, of the squared error or the log likelihood.
    kl_weight : number ≥ 0
        What multiplies the KL. Zero is no likelihood: the record then says so.
    n_features : whole number ≥ 1
        d; needed where ``reduction`` is "mean".
    n_latents : whole number ≥ 1
        k; needed where ``kl_reduction`` is "mean".
    half : bool
        Whether ½ stands before the squared error.
    kl_reduction : "sum" or "mean"
        Over latents.
    scale : positive number
        What else multiplies the reconstruction term; 255² where pixels in [0, 1] are compared
        in [0, 255].
    noise_variance : positive number, optional
        σ² of the loss's own, where its reconstruction term is a Gaussian log likelihood,
        (x − x̂)²/2σ² and constants, in place of a squared error.

    Returns
    -------
    ImpliedNoise
        A loss without a likelihood is a record as well, not an error: zero is the limit of small
        weights, and a sweep over weights should be able to start there. Its
        ``has_likelihood`` is False.

    Raises
    ------
    SettingError
        For an unknown reduction, a size that is missing or not a whole number ≥ 1, a weight out
        of range, or ``half`` beside a stated noise variance.

    Notes
    -----
    Over the batch both terms must be reduced alike. Where the error is a mean over the batch and
    the KL a sum, multiply ``kl_weight`` by the batch size. A rate in bits per pixel is a
    ``kl_weight`` of 1/(log 2 · pixels). σ² is in the units of x̂: pixels in [0, 1] or in [0, 255].

    References: Lucas, Tucker, Grosse & Norouzi (2019); Rybkin, Daniilidis & Levine (2021), §3.

    Examples
    --------
    >>> loss = implied_noise_variance(reduction="mean", kl_weight=0.00025, n_features=3 * 64 * 64)
    >>> print(loss)  # doctest: +ELLIPSIS
    This loss is the ELBO at σ² = 1.536, σ = 1.239 in the units of x̂; read at ...
    >>> loss.kl_weight_at(0.01)
    1.6276041666666667e-06
    """
    for what, name in (("reduction", reduction), ("kl_reduction", kl_reduction)):
        if name not in _REDUCTIONS:
            raise unknown_name(what, name, _REDUCTIONS)
    if half and noise_variance is not None:
        raise SettingError(
            "half=True and noise_variance exclude each other; got both. A Gaussian log likelihood "
            "has its ½ already: leave half out."
        )
    d = _size("n_features", n_features, needed_by="reduction", reduction=reduction)
    k = _size("n_latents", n_latents, needed_by="kl_reduction", reduction=kl_reduction)
    kl_weight = _kl_weight(kl_weight)
    error_weight = _positive("scale", scale, "what multiplies the reconstruction term") / d
    if noise_variance is not None:
        noise_variance = _positive("noise_variance", noise_variance, "the loss's own σ²")
        error_weight /= 2 * noise_variance
    elif half:
        error_weight /= 2
    implied = kl_weight / k / (2 * error_weight)
    return ImpliedNoise(
        noise_variance=implied,
        beta=implied / (_UNSTATED if noise_variance is None else noise_variance),
        stated_noise_variance=noise_variance,
        error_weight=error_weight,
        kl_weight=kl_weight,
        kl_share=1 / k,
    )


def _size(name: str, value: int | None, *, needed_by: str, reduction: str) -> int:
    """By how much a mean is smaller than the sum: the size, or 1 where a sum is taken."""
    if value is None and reduction == "mean":
        raise SettingError(
            f'{name} must be given for {needed_by}="mean", which divides by it; got None. '
            f"Pass the number of {name[2:]} of one datum."
        )
    if value is None:
        return 1
    if not isinstance(value, Integral) or isinstance(value, bool) or int(value) < 1:
        raise SettingError(f"{name} must be a whole number ≥ 1; got {value!r}. Change {name}.")
    return int(value) if reduction == "mean" else 1


def _kl_weight(value: float) -> float:
    if not _is_real(value) or value < 0:
        raise SettingError(
            f"kl_weight must be a finite number ≥ 0; got {value!r}. Leave it out for a KL that "
            "is not weighted."
        )
    return float(value)


def _positive(name: str, value: float, meaning: str) -> float:
    if not _is_real(value) or value <= 0:
        raise SettingError(
            f"{name} must be a positive finite number; got {value!r}. It is {meaning}."
        )
    return float(value)


def _is_real(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
