"""The noise variance that a VAE loss implies."""

import dataclasses
import math

from wellposed._checks import check_count, check_number
from wellposed._errors import SettingError, unknown_name

_REDUCTIONS = ("sum", "mean")

# σ² of the Gaussian N(x̂, σ²I) whose negative log density is ½‖x − x̂‖², up to a constant.
_UNSTATED = 1.0

# Rounding of a product of weights: a β this close to one is one.
_ROUNDING = 1e-9


@dataclasses.dataclass(frozen=True)
class ImpliedNoise:
    """The observation noise that a loss implies.

    A loss is the ELBO (β = 1) at ``noise_variance``, and equally a β-ELBO at
    ``stated_noise_variance``; β is the ratio of the two.

    Parameters
    ----------
    noise_variance : σ² at which the loss is the ELBO, in squared units of x̂; 0: no likelihood
    beta : weight of the KL in the β-ELBO at the stated σ²
    stated_noise_variance : σ² written in the loss; None if there is none, and β is then for σ² = 1
    error_weight : weight a of the squared error summed over features
    kl_weight : weight of the KL as written in the loss
    kl_share : 1, or 1/k if the loss takes the mean over latents

    Examples
    --------
    >>> implied_noise_variance(reduction="sum", kl_weight=4.0).kl_weight_at(1.0)  # of ‖x − x̂‖²
    2.0
    """

    noise_variance: float
    beta: float
    stated_noise_variance: float | None
    error_weight: float
    kl_weight: float
    kl_share: float

    @property
    def has_likelihood(self) -> bool:
        """Whether the loss has a likelihood: it has none if the weight of the KL is zero."""
        return self.noise_variance > 0

    def kl_weight_at(self, noise_variance: float) -> float:
        """Weight of the KL at which this loss, otherwise unchanged, is the ELBO at a given σ².

        Parameters
        ----------
        noise_variance : σ², squared units of x̂

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
                "This loss has no likelihood: its KL has no weight, so it is the loss of an "
                "autoencoder with injected noise. It corresponds to σ² = 0, where no density "
                f"exists; kl_weight = {self.kl_weight_at(1.0):.4g} times σ² makes it the ELBO at "
                "σ²."
            )
        stated, verdict = "the σ² = 1 of ½‖x − x̂‖²", ""
        if self.stated_noise_variance is not None:
            stated = f"its stated σ² = {self.stated_noise_variance:.4g}"
            verdict = ", so its value is no bound on log p(x)" if self.beta < 1 - _ROUNDING else ""
        return (
            f"This loss is the ELBO at σ² = {self.noise_variance:.4g}, "
            f"σ = {math.sqrt(self.noise_variance):.4g} in the units of x̂; at {stated}, "
            f"it is a β-ELBO with β = {self.beta:.4g}{verdict}."
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
    r"""Compute the noise variance at which a VAE loss is the ELBO.

    A loss a‖x − x̂‖² + b KL for each datum is, divided by b and up to a constant, the negative
    ELBO of p(x|z) = N(x̂(z), σ²I) with σ² = b/2a: the same gradients, the same minimisers.

    Parameters
    ----------
    reduction, kl_reduction : "sum" or "mean"
        Of the reconstruction term over the features of a datum; of the KL over latents.
    kl_weight : number ≥ 0
        Weight of the KL. At zero the loss has no likelihood; the record states this, and no error
        is raised, since a sweep over weights may start at zero.
    n_features, n_latents : whole numbers ≥ 1
        d and k; each is required if its term is a mean.
    half : bool
        Whether the squared error has a factor ½.
    scale : positive number
        Any other factor of the reconstruction term.
    noise_variance : positive number, optional
        σ² written in the loss, if it has (x − x̂)²/2σ² in place of a squared error.

    Raises
    ------
    SettingError
        If a reduction is unknown, a size is missing, a number is out of range, or both ``half``
        and ``noise_variance`` are given.

    Notes
    -----
    σ² is in squared units of x̂. Both terms must be reduced alike over the batch: if the error is
    a mean and the KL a sum, multiply ``kl_weight`` by the batch size. A rate in bits a
    pixel has the ``kl_weight`` 1/(pixels · log 2).

    References: Lucas, Tucker, Grosse & Norouzi (2019); Rybkin, Daniilidis & Levine (2021), §3.

    Examples
    --------
    >>> loss = implied_noise_variance(reduction="mean", kl_weight=0.00025, n_features=12288)
    >>> print(loss)  # doctest: +ELLIPSIS
    This loss is the ELBO at σ² = 1.536, σ = 1.239 in the units of x̂; at ...
    """
    d = _size("n_features", n_features, "reduction", reduction)
    k = _size("n_latents", n_latents, "kl_reduction", kl_reduction)
    error_weight = _error_weight(scale, half, noise_variance) / d
    remedy = "Leave it out for a KL without a weight."
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
            "already has the factor ½: leave half out."
        )
    variance = check_number("noise_variance", stated, "It is the σ² in the loss.", above=0)
    return 0.5 * weight / variance


def _size(name: str, value: int | None, option: str, reduction: str) -> int:
    """Divisor of a reduction: the size for a mean, 1 for a sum."""
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
