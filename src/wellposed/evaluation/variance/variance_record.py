"""Records of how the variance is split between latents and noise."""

import dataclasses
import math

import numpy as np

from .._estimate import Estimate
from .._thresholds import DRAWN_VARIANCE, NOISE_RATIO, OPEN, SOUND, Band


@dataclasses.dataclass(frozen=True, eq=False)
class Split:
    """Var E[x|z] and E Var[x|z] of each feature, for one source of z.

    A total is a sum over features, in squared data units. A share is a sum over the features that
    vary, in squared model units, divided by that of the data: the units of a table's columns do
    not weigh the sum. All standard errors are over rows.

    Parameters
    ----------
    explained : shape (d,), Var E[x|z], squared data units
    kept : shape (d,), E Var[x|z], squared data units
    explained_error : shape (d,), standard error of ``explained``
    kept_error : shape (d,), standard error of ``kept``
    sum_error : shape (d,), standard error of the sum of both
    total_explained, total_kept, total : of ``explained``, of ``kept`` and of their sum
    share_explained, share_kept, share : of ``explained``, of ``kept`` and of their sum

    Examples
    --------
    >>> from wellposed.evaluation import variance_split
    >>> variance_split(model, X, key=key).posterior.explained.shape
    (4,)
    """

    explained: np.ndarray
    kept: np.ndarray
    explained_error: np.ndarray
    kept_error: np.ndarray
    sum_error: np.ndarray
    total_explained: Estimate
    total_kept: Estimate
    total: Estimate
    share_explained: Estimate
    share_kept: Estimate
    share: Estimate

    @property
    def sum(self) -> np.ndarray:
        """Var x of each feature, shape (d,), squared data units."""
        return self.explained + self.kept


@dataclasses.dataclass(frozen=True, eq=False)
class LinearSplit:
    """The split by probabilistic PCA on the same rows.

    Parameters
    ----------
    explained : shape (d,), diag(WWᵀ), squared data units
    kept : shape (d,), σ², squared data units
    n_components : number of latents of the VAE, or the largest number that leaves variance to the
        noise

    Examples
    --------
    >>> from wellposed.evaluation import variance_split
    >>> variance_split(model, X, key=key).linear.n_components
    2
    """

    explained: np.ndarray
    kept: np.ndarray
    n_components: int


@dataclasses.dataclass(frozen=True, eq=False)
class VarianceSplit:
    """Split of the variance of the data by a model; ``print`` it for a table and a verdict.

    The noise ratio is the noise variance over the mean squared residual E_q (x − μ(z))². The
    likelihood is largest at a ratio of one; a lower ratio means noise that is too narrow. It is
    measured in model units for Gaussian noise. For other noise it is E Var[x|z] over the residual,
    in data units.

    Parameters
    ----------
    data : shape (d,), variance of the rows, squared data units
    data_error : shape (d,), standard error of ``data``
    total_data : sum of ``data`` over features
    prior : split for z ~ p(z), the model's own draws
    posterior : split for z ~ q(z | x) of the rows
    linear : split by probabilistic PCA
    noise_ratio : shape (d,); NaN for a feature that does not vary
    noise_ratio_error : shape (d,), standard error of ``noise_ratio``
    total_ratio : ratio of the sums over features
    gain : increase of the ELBO at the best noise variance, with the same encoder and decoder, nats
        a datum; the best one is common to all features if the noise's is. None for noise that is
        not Gaussian, or whose variance depends on z
    varies : bool, shape (d,), whether each feature varies over the rows and in training
    unit : shape (d,), size of a model unit in data units; one if the transform is not affine
    n_rows : number of rows
    n_latents : number of latents

    Examples
    --------
    >>> from wellposed.evaluation import variance_split
    >>> found = variance_split(model, X, key=key)
    >>> found.data.round(2).tolist()
    [0.69, 0.19, 3.12, 0.58]
    """

    data: np.ndarray
    data_error: np.ndarray
    total_data: Estimate
    prior: Split
    posterior: Split
    linear: LinearSplit
    noise_ratio: np.ndarray
    noise_ratio_error: np.ndarray
    total_ratio: Estimate
    gain: Estimate | None
    varies: np.ndarray
    unit: np.ndarray
    n_rows: int
    n_latents: int

    @property
    def linear_shares(self) -> tuple[float, float]:
        """``explained`` and ``kept`` of pPCA, as the shares of a :class:`Split`."""
        v = self.varies
        data, explained, kept = (
            float((part[v] / self.unit[v] ** 2).sum())
            for part in (self.data, self.linear.explained, self.linear.kept)
        )
        return explained / data, kept / data

    @property
    def noise_excess(self) -> np.ndarray:
        """Noise variance less mean squared residual of each feature, (d,), squared model units."""
        with np.errstate(divide="ignore", invalid="ignore"):
            excess = self.posterior.kept / self.unit**2 * (1 - 1 / self.noise_ratio)
        return np.where(self.varies, excess, 0.0)

    @property
    def drawn_excess(self) -> np.ndarray:
        """Variance of the model's own draws less the data's, shape (d,), squared model units."""
        with np.errstate(divide="ignore", invalid="ignore"):
            excess = (self.prior.sum - self.data) / self.unit**2
        return np.where(self.varies, excess, 0.0)

    @property
    def verdict(self) -> str:
        """Comparison of the noise and of the model's draws with the data, in sentences."""
        noise_side = _side(self.total_ratio, NOISE_RATIO)
        sentences = [
            f"The noise variance is {self.total_ratio} of the mean squared residual"
            f"{_OF_NOISE[noise_side]}"
        ]
        if self.gain is not None:
            sentences.append(
                f"At the best noise variance, the ELBO is higher by {self.gain} nats a datum."
            )
        return " ".join([*sentences, self.drawn])

    @property
    def drawn(self) -> str:
        """Comparison of the variance of the model's own draws with the data's, in one sentence."""
        share = self.prior.share
        side = _side(share, DRAWN_VARIANCE)
        if side in _OF_DRAWS:
            return f"{_DRAWN} {share} of the data's{_OF_DRAWS[side]}"
        cause = _OF_PRIOR[side] if self.prior_is_cause else _OF_DECODER[side]
        coded = self.posterior.share
        return f"{_DRAWN} {share} of the data's, and with z from the codes {coded}: {cause}"

    @property
    def prior_is_cause(self) -> bool:
        """Whether the variance of draws is off because p(z) is not where the codes are.

        With z from q(z) it is then less than half as far off, on a logarithmic scale.
        """
        prior, posterior = self.prior.share.value, self.posterior.share.value
        if not (prior > 0 and posterior > 0):
            return False
        return abs(math.log(posterior)) < 0.5 * abs(math.log(prior))

    def __str__(self) -> str:
        head = (
            f"Variance split over {self.n_rows} rows, {int(self.varies.sum())} features that "
            f"vary, {self.n_latents} latents; shares of the data's variance, in model units"
        )
        lines = [head, f"{'z from':<22}{'latents':>20}{'noise':>20}{'sum':>20}"]
        for name, part in self._sources():
            shares = (part.share_explained, part.share_kept, part.share)
            lines.append(f"{name:<22}" + "".join(f"{share!s:>20}" for share in shares))
        explained, kept = self.linear_shares
        name = f"pPCA, k = {self.linear.n_components}"
        lines.append(f"{name:<22}{explained:>20.4g}{kept:>20.4g}{explained + kept:>20.4g}")
        lines.append("The same in squared data units, summed over features")
        for name, part in self._sources():
            totals = (part.total_explained, part.total_kept, part.total)
            lines.append(f"{name:<22}" + "".join(f"{total!s:>20}" for total in totals))
        sums = self.linear.explained.sum(), self.linear.kept.sum()
        name = f"pPCA, k = {self.linear.n_components}"
        lines.append(f"{name:<22}{sums[0]:>20.4g}{sums[1]:>20.4g}{sum(sums):>20.4g}")
        lines.append(f"{'data':<22}{'':>40}{self.total_data!s:>20}")
        return "\n".join([*lines, self.verdict])

    def _sources(self) -> tuple[tuple[str, Split], ...]:
        return ("the prior", self.prior), ("the posterior", self.posterior)


_OF_NOISE = {
    "sound": ", where the likelihood is largest.",
    "open": ": these rows are too few to decide whether it is the best.",
    "high": (
        ": it includes variance that the latents explain already. Learn the noise variance, with "
        'noise="shared" or "feature".'
    ),
    "low": (
        ": it is too small for the residuals. On rows that were not trained on, the reason may be "
        "that the model overfits its training rows. recalibrate() on held-out rows increases it."
    ),
}
_DRAWN = "The variance of the model's own draws is"
_OF_DRAWS = {
    "sound": ".",
    "open": ": these rows are too few to decide whether it is right.",
}
_OF_PRIOR = {
    "high": "too much, since p(z) is wider than the codes. See prior_mismatch().",
    "low": "too little, since the codes are wider than p(z). See prior_mismatch().",
}
_OF_DECODER = {
    "high": "too much, since the noise or the decoder adds variance that the data do not have.",
    "low": "too little, since the noise is too small for rows that were not trained on.",
}


def _side(figure: Estimate, band: Band) -> str:
    """Return "sound", "open", or the side of the ideal value: "high" or "low"."""
    verdict = band.verdict(figure)
    if verdict in (SOUND, OPEN):
        return verdict
    return "high" if figure.value > band.ideal else "low"
