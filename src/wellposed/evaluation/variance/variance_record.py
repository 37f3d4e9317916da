"""How the variance is split between latents and noise, and how to say it."""

import dataclasses

import numpy as np

from .._estimate import Estimate
from .._thresholds import DRAWN_VARIANCE, NOISE_RATIO, OPEN, SOUND, Band


@dataclasses.dataclass(frozen=True, eq=False)
class Split:
    """Var E[x|z] and E Var[x|z] of each feature, for one source of z; squared data units.

    Totals are sums over features. Shares are such sums in model units, over the features that
    vary, divided by the data's: of a table, no column's unit counts more than another's.
    """

    explained: np.ndarray  # (d,), Var E[x|z]
    kept: np.ndarray  # (d,), E Var[x|z]
    explained_error: np.ndarray  # (d,), over rows, as all errors
    kept_error: np.ndarray  # (d,)
    sum_error: np.ndarray  # (d,), of the sum of the two
    total_explained: Estimate
    total_kept: Estimate
    total: Estimate
    share_explained: Estimate
    share_kept: Estimate
    share: Estimate

    @property
    def sum(self) -> np.ndarray:
        """Var x of each feature, shape (d,)."""
        return self.explained + self.kept


@dataclasses.dataclass(frozen=True, eq=False)
class LinearSplit:
    """The split of probabilistic PCA on the same rows: diag(WWᵀ) and σ², squared data units."""

    explained: np.ndarray  # (d,)
    kept: np.ndarray  # (d,)
    n_components: int  # the model's, or as many as leave some variance to the noise


@dataclasses.dataclass(frozen=True, eq=False)
class VarianceSplit:
    """Where a model puts the variance of the data; ``print`` it for a table and a verdict.

    ``noise_ratio`` is the noise variance over the mean squared residual E_q (x − μ(z))², one where
    the likelihood is largest: below, the noise is too narrow. Of Gaussian noise in model units;
    of other noise E Var[x|z] over the residual, in data units. ``gain`` is what the ELBO would
    gain, in nats a datum, at the best noise variance (one for all features, where the noise has
    one), the encoder and the decoder kept; None for noise that is not Gaussian, or whose variance
    depends on z. NaN where a feature never varies.
    """

    data: np.ndarray  # (d,), variance of the rows, squared data units
    data_error: np.ndarray  # (d,)
    total_data: Estimate
    prior: Split  # z ~ p(z): the model's own draws
    posterior: Split  # z ~ q(z | x) of the rows
    linear: LinearSplit
    noise_ratio: np.ndarray  # (d,)
    noise_ratio_error: np.ndarray  # (d,)
    total_ratio: Estimate
    gain: Estimate | None
    varies: np.ndarray  # (d,), bool: over the rows, and in training
    unit: np.ndarray  # (d,), a model unit in data units; one where the transform is not affine
    n_rows: int
    n_latents: int

    @property
    def linear_shares(self) -> tuple[float, float]:
        """pPCA's two parts as shares of the data's variance, as those of a :class:`Split`."""
        v = self.varies
        data, explained, kept = (
            float((part[v] / self.unit[v] ** 2).sum())
            for part in (self.data, self.linear.explained, self.linear.kept)
        )
        return explained / data, kept / data

    @property
    def verdict(self) -> str:
        """What the split says, in sentences."""
        said = [f"The noise variance is {self.total_ratio} of the mean squared residual"]
        said[0] += _OF_NOISE[_side(self.total_ratio, NOISE_RATIO)]
        if self.gain is not None:
            said.append(f"At the best one, the ELBO would gain {self.gain} nats a datum.")
        share = self.prior.share
        side = _side(share, DRAWN_VARIANCE)
        said.append(f"The model's own draws vary by {share} of the data{_OF_DRAWS[side]}")
        return " ".join(said)

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
    "sound": ", as the likelihood wants it.",
    "open": ": these rows cannot tell whether it is the best.",
    "high": (
        ": it keeps variance that the latents explain already. Let it be learned, "
        'noise="shared" or "feature".'
    ),
    "low": (
        ": residuals are larger than it says, as they are on rows that were not trained on where "
        "those that were are fitted too closely. recalibrate() on rows held out widens it."
    ),
}
_OF_DRAWS = {
    "sound": ".",
    "open": ", as far as these rows tell.",
    "high": ": too much, where N(0, I) reaches beyond the codes. See prior_mismatch().",
    "low": ": too little; the codes spread wider than N(0, I). See prior_mismatch().",
}


def _side(figure: Estimate, band: Band) -> str:
    """Return "sound", "open", or the side of its ideal on which a figure is: "high" or "low"."""
    verdict = band.verdict(figure)
    if verdict in (SOUND, OPEN):
        return verdict
    return "high" if figure.value > band.ideal else "low"
