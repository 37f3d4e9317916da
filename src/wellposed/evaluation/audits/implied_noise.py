"""σ-accounting: the noise variance that anybody's VAE loss stands for."""

import dataclasses
import math

from wellposed._checks import check_count, check_number
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
        remedy = "It is σ², in squared units of x̂."
        variance = check_number("noise_variance", noise_variance, remedy, above=0)
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
            verdict = ", so its value is no bound on log p(x)" if self.beta < 1 - _ROUNDING else ""
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
    r"""Give the noise variance at which a VAE loss is the ELBO.

    A loss a‖x − x̂‖² + b KL for each datum is, divided by b and up to a constant, the negative
    ELBO of p(x|z) = N(x̂(z), σ²I) with σ² = b/2a: the same gradients, the same minimisers.

    Parameters
    ----------
    reduction, kl_reduction : "sum" or "mean"
        Of the reconstruction term over the features of a datum; of the KL over latents.
    kl_weight : number ≥ 0
        What multiplies the KL. Zero is no likelihood, and the record says so: no error, since it
        is the limit of small weights and a sweep over weights may start there.
    n_features, n_latents : whole numbers ≥ 1
        d and k; each is needed where its term is a mean.
    half : bool
        Whether ½ stands before the squared error.
    scale : positive number
        What else multiplies the reconstruction term.
    noise_variance : positive number, optional
        σ² of the loss's own, where it has (x − x̂)²/2σ² in place of a squared error.

    Raises
    ------
    SettingError
        For an unknown reduction, a size that is missing, a number out of range, or ``half``
        beside ``noise_variance``.

    Notes
    -----
    σ² is in squared units of x̂. Both terms must be reduced alike over the batch: where the error
    is its mean and the KL its sum, multiply ``kl_weight`` by the batch size. A rate in bits a
    pixel has the ``kl_weight`` 1/(pixels · log 2).

    References: Lucas, Tucker, Grosse & Norouzi (2019); Rybkin, Daniilidis & Levine (2021), §3.

    Examples
    --------
    >>> loss = implied_noise_variance(reduction="mean", kl_weight=0.00025, n_features=12288)
    >>> print(loss)  # doctest: +ELLIPSIS
    This loss is the ELBO at σ² = 1.536, σ = 1.239 in the units of x̂; read at ...
    """
    d = _size("n_features", n_features, "reduction", reduction)
    k = _size("n_latents", n_latents, "kl_reduction", kl_reduction)
    error_weight = _error_weight(scale, half, noise_variance) / d
    remedy = "Leave it out for a KL that is not weighted."
    kl_weight = check_number("kl_weight", kl_weight, remedy, low=0)
    return _implied(error_weight, kl_weight, k, noise_variance)


def _implied(
    error_weight: float, kl_weight: float, latents: int, stated: float | None
) -> ImpliedNoise:
    variance = kl_weight / latents / (2 * error_weight)
    beta = variance / (_UNSTATED if stated is None else stated)
    return ImpliedNoise(variance, beta, stated, error_weight, kl_weight, 1 / latents)


def _error_weight(scale: float, half: bool, stated: float | None) -> float:
    weight = check_number("scale", scale, "It multiplies the reconstruction term.", above=0)
    if stated is None:
        return 0.5 * weight if half else weight
    if half:
        raise SettingError(
            "half=True and noise_variance exclude each other; got both. A Gaussian log likelihood "
            "has its ½ already: leave half out."
        )
    variance = check_number("noise_variance", stated, "It is the loss's own σ².", above=0)
    return 0.5 * weight / variance


def _size(name: str, value: int | None, option: str, reduction: str) -> int:
    """By how much the mean is smaller than the sum: the size, or 1 where a sum is taken."""
    if reduction not in _REDUCTIONS:
        raise unknown_name(option, reduction, _REDUCTIONS)
    if value is None and reduction == "mean":
        raise SettingError(
            f'{name} must be given for {option}="mean", which divides by it; got None. '
            f"Pass the number of {name[2:]} of one datum."
        )
    if value is None:
        return 1
    size = check_count(name, value, most=10**9)
    return size if reduction == "mean" else 1
