"""The distance of a VAE's likelihood to that of the best mixture."""

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from wellposed import evaluation, noise
from wellposed._checks import check_count, check_number
from wellposed.numerics import LOG_2PI

from ._location_mixture import fit_location_mixture, kernel_mixture
from ._nonparametric_bound import nonparametric_bound
from ._rows import as_rows
from ._training import train

_EM_STEPS = 20  # the start, a kernel on every datum, is nearly optimal if ξ is small


@dataclasses.dataclass(frozen=True, eq=False)
class ParsimonyGap:
    r"""Mean log densities of the training rows, in nats a datum and data units.

    A VAE is a mixture, p(x) = ∫ N(x | μ(z), diag σ²(z)) p(z) dz, infinite but with few
    parameters. Over all mixing distributions the likelihood has a maximum, and a mixture of at most
    n components attains it. The parsimony gap is the distance from the VAE to this maximum:

    .. math:: \mathrm{ELBO} \le \log p_{VAE} \le \log p_{\hat G} \le -\tfrac d2 \log 2\pi\xi .

    *Certified:* ``certified`` and ``ceiling`` bound the optimum from above; ``gaussians``,
    ``kernels`` and ``locations`` bound it from below, since they are values of mixtures in the
    class. These lower bounds need not be tight: reg_covar adds ξ to the diagonal, which is not the
    best step under the constraint, and EM finds a local optimum.

    *Estimated:* ``elbo`` and ``log_likelihood``, by Monte Carlo, at the final parameters of the
    training. The gap is defined at the maximum-likelihood parameters of the VAE, so ``gap`` and
    ``largest_gap`` include the optimisation error of the training.

    References
    ----------
    Mattei & Frellsen (2018), §2: Frey faces, five latents, 200 hidden units.

    Examples
    --------
    >>> import wellposed as wp
    >>> found = wp.experiments.parsimony_gap(X)  # doctest: +SKIP
    """

    variance: float  # ξ, the smallest eigenvalue allowed, data units squared
    elbo: float  # of the VAE, with as many draws as log p
    log_likelihood: float  # of the VAE, by importance sampling; its bias is negative
    log_likelihood_error: float  # its standard error over draws of z
    effective_sample_size: float  # median over rows
    gaussians: float  # scikit-learn's GaussianMixture with reg_covar = ξ, exact
    kernels: float  # one N(x_i, ξI) on every datum, exact
    locations: float  # the same, improved by EM on means and weights, exact
    certified: float  # upper bound of every mixture with eigenvalues ≥ ξ
    ceiling: float  # −(d/2) log 2πξ
    outcome: str  # how the VAE's training ended

    @property
    def nonparametric(self) -> float:
        """Log density of the best mixture: a lower bound of the nonparametric optimum."""
        return max(self.gaussians, self.kernels, self.locations)

    @property
    def gap(self) -> float:
        """Estimate of the parsimony gap: log density of the best mixture minus that of the VAE."""
        return self.nonparametric - self.log_likelihood

    @property
    def largest_gap(self) -> float:
        """Upper limit of the parsimony gap: the certified bound minus the VAE's log p."""
        return self.certified - self.log_likelihood


def parsimony_gap(
    rows: npt.ArrayLike | None = None,
    *,
    variance: float = 2.0**-4,
    n_components: int = 5,
    hidden: tuple[int, ...] = (200,),
    max_epochs: int = 400,
    n_samples: int = 512,
    n_gaussians: int = 10,
    n_rounds: int = 5,
    random_state: int = 0,
) -> ParsimonyGap:
    """Compare a VAE with σ²(z) ≥ ξ with the best mixture of Gaussians with eigenvalues ≥ ξ.

    :class:`ParsimonyGap` states which figures are certified.

    Parameters
    ----------
    rows : array-like of shape (n, d), data units; by default the embedded digits divided by 16
    variance : float, ξ > 0, data units squared
    n_components, hidden, max_epochs, random_state : of :class:`wellposed.VAE`, trained on all rows
    n_samples : int, draws of z a row, for the ELBO and for log p
    n_gaussians : int, components of scikit-learn's mixture, at most n
    n_rounds : int, rounds of :func:`nonparametric_bound`

    Raises
    ------
    SettingError
        If ``variance`` is not positive, or another setting is out of its range.
    DataError
        If the rows are not a finite table.

    Examples
    --------
    >>> rows = np.random.default_rng(0).normal(size=(30, 2))
    >>> record = parsimony_gap(rows, variance=1.0, n_gaussians=2, max_epochs=2)
    >>> record.nonparametric <= record.certified <= record.ceiling
    True
    """
    variance = check_number("variance", variance, "Try 2**-4 on data in 0..1.", above=0)
    _check_counts(n_samples=n_samples, n_gaussians=n_gaussians, n_rounds=n_rounds)
    values = as_rows(rows, 1797) if rows is not None else as_rows(None, 1797) / 16
    vae = train(
        values,
        transform="identity",  # so that ξ is in data units
        n_components=n_components,
        noise=noise.Gaussian("conditional", floor=math.sqrt(variance), ratio=None),
        hidden=hidden,
        max_epochs=max_epochs,
        random_state=random_state,
    )
    return ParsimonyGap(
        variance=variance,
        elbo=float(vae.elbo(values, n_samples).mean(dtype=np.float64)),
        **_importance_figures(vae.log_likelihood(values, n_samples)),
        **_mixtures(values, variance, n_gaussians, random_state),
        certified=nonparametric_bound(values, variance, n_rounds=n_rounds),
        ceiling=-0.5 * values.shape[1] * (LOG_2PI + math.log(variance)),
        outcome=vae.outcome_.value,
    )


def _check_counts(**counts: int) -> None:
    """Check, before the long training, the settings that are used after it."""
    for name, count in counts.items():
        check_count(name, count, "Leave it out for the default.")


def _importance_figures(estimate: evaluation.LogLikelihood) -> dict[str, float]:
    error = np.asarray(estimate.standard_error, np.float64)
    return {
        "log_likelihood": float(np.mean(estimate.value, dtype=np.float64)),
        "log_likelihood_error": float(np.sqrt((error**2).sum()) / len(error)),
        "effective_sample_size": float(np.median(estimate.effective_sample_size)),
    }


def _mixtures(values: np.ndarray, variance: float, n: int, seed: int) -> dict[str, float]:
    from sklearn.mixture import GaussianMixture  # a local import, since it takes a second

    gaussians = GaussianMixture(min(n, len(values)), reg_covar=variance, random_state=seed)
    kernels = kernel_mixture(values, variance)
    locations = fit_location_mixture(values, variance, n_steps=_EM_STEPS)
    return {
        "gaussians": float(gaussians.fit(values).score(values)),
        "kernels": float(kernels.log_density(values).mean()),
        "locations": float(locations.log_density(values).mean()),
    }
