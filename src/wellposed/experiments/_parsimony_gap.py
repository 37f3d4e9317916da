"""How far a VAE stays below the best mixture there is."""

import dataclasses
import math
from typing import Any

import numpy as np

from wellposed import evaluation, noise
from wellposed._checks import check_count, check_number
from wellposed.numerics import LOG_2PI

from ._location_mixture import fit_location_mixture, kernel_mixture
from ._nonparametric_bound import nonparametric_bound
from ._rows import as_rows
from ._training import trained

_EM_STEPS = 20  # from a kernel on every datum, which is nearly the best where ξ is small


@dataclasses.dataclass(frozen=True, eq=False)
class ParsimonyGap:
    r"""Mean log densities of the training rows, in nats a datum and data units.

    A VAE is a mixture, p(x) = ∫ N(x | μ(z), diag σ²(z)) p(z) dz, infinite but with few
    parameters. Over all mixing distributions the likelihood has a maximum, reached by at most n
    components; what a VAE stays below it is the parsimony gap:

    .. math:: \mathrm{ELBO} \le \log p_{VAE} \le \log p_{\hat G} \le -\tfrac d2 \log 2\pi\xi .

    *Certified:* ``certified`` and ``ceiling`` bound the optimum from above, ``gaussians``,
    ``kernels`` and ``locations`` from below, as values of mixtures in the class. Adding ξ to the
    diagonal, as reg_covar does, keeps a mixture in the class without being its best step under
    the constraint, and EM finds a local optimum: so these are lower estimates, no more.
    *Estimated:* ``elbo`` and ``log_likelihood``, by Monte Carlo, at the parameters where training
    ended. The gap is defined at the maximum-likelihood parameters of the VAE, so its estimate
    includes the optimisation error of the training, for ``largest_gap`` too; ``outcome`` says
    how that ended.

    References
    ----------
    Mattei & Frellsen (2018), §2: Frey faces, five latents, 200 hidden units.
    """

    variance: float  # ξ, the smallest eigenvalue allowed, data units squared
    elbo: float  # of the VAE, estimated with as many draws as log p
    log_likelihood: float  # of the VAE, by importance sampling, low on average
    log_likelihood_error: float  # its standard error, of Monte Carlo alone
    effective_sample_size: float  # median over rows
    gaussians: float  # scikit-learn's GaussianMixture with reg_covar = ξ, exact
    kernels: float  # one N(x_i, ξI) on every datum, exact
    locations: float  # that, improved by EM over means and weights, exact
    certified: float  # no mixture with eigenvalues ≥ ξ is above this
    ceiling: float  # −(d/2) log 2πξ
    outcome: str  # how the VAE's training ended

    @property
    def nonparametric(self) -> float:
        """The best mixture found: a lower estimate of the nonparametric optimum."""
        return max(self.gaussians, self.kernels, self.locations)

    @property
    def gap(self) -> float:
        """The parsimony gap, estimated: from the best mixture found down to log p."""
        return self.nonparametric - self.log_likelihood

    @property
    def largest_gap(self) -> float:
        """The parsimony gap at most, with the certified bound for the nonparametric optimum."""
        return self.certified - self.log_likelihood


def parsimony_gap(
    rows: Any = None,
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
    """Stand a VAE with σ²(z) ≥ ξ beside the best mixture of Gaussians with eigenvalues ≥ ξ.

    What is certified and what is estimated is said in :class:`ParsimonyGap`.

    Parameters
    ----------
    rows : array-like of shape (n, d); the embedded digits over 16 by default
    variance : ξ > 0, in the units of the rows squared
    n_components, hidden, max_epochs, random_state : of :class:`wellposed.VAE`, trained on all rows
    n_samples : draws of z a row, for the ELBO and for log p
    n_gaussians : components of scikit-learn's mixture, at most n
    n_rounds : see ``nonparametric_bound``

    Raises
    ------
    SettingError
        If ``variance`` is not positive, or another setting out of its range.
    DataError
        If the rows are no finite table.

    Examples
    --------
    >>> rows = np.random.default_rng(0).normal(size=(30, 2))
    >>> found = parsimony_gap(rows, variance=1.0, n_gaussians=2, max_epochs=2)
    >>> found.nonparametric <= found.certified <= found.ceiling
    True
    """
    variance = check_number("variance", variance, "Try 2**-4 on data in 0..1.", above=0)
    _check_counts(n_samples=n_samples, n_gaussians=n_gaussians, n_rounds=n_rounds)
    values = as_rows(rows, 1797) if rows is not None else as_rows(None, 1797) / 16
    vae = trained(
        values,
        transform="identity",  # in their own units, so that ξ is in them too
        n_components=n_components,
        noise=noise.Gaussian("conditional", floor=math.sqrt(variance)),
        hidden=hidden,
        max_epochs=max_epochs,
        random_state=random_state,
    )
    return ParsimonyGap(
        variance=variance,
        elbo=float(vae.elbo(values, n_samples).mean(dtype=np.float64)),
        **_importance_sampled(vae.log_likelihood(values, n_samples)),
        **_mixtures(values, variance, n_gaussians, random_state),
        certified=nonparametric_bound(values, variance, n_rounds=n_rounds),
        ceiling=-0.5 * values.shape[1] * (LOG_2PI + math.log(variance)),
        outcome=vae.outcome_.value,
    )


def _check_counts(**counts: Any) -> None:
    """Refuse, before the long training, what is needed only after it."""
    for name, count in counts.items():
        check_count(name, count, "Leave it out for the default.")


def _importance_sampled(found: evaluation.LogLikelihood) -> dict[str, float]:
    error = np.asarray(found.standard_error, np.float64)
    return {
        "log_likelihood": float(np.mean(found.value, dtype=np.float64)),
        "log_likelihood_error": float(np.sqrt((error**2).sum()) / len(error)),
        "effective_sample_size": float(np.median(found.effective_sample_size)),
    }


def _mixtures(values: np.ndarray, variance: float, n: int, seed: int) -> dict[str, float]:
    from sklearn.mixture import GaussianMixture  # here, since it takes a second to load

    gaussians = GaussianMixture(min(n, len(values)), reg_covar=variance, random_state=seed)
    kernels = kernel_mixture(values, variance)
    locations = fit_location_mixture(values, variance, n_steps=_EM_STEPS)
    return {
        "gaussians": float(gaussians.fit(values).score(values)),
        "kernels": float(kernels.log_density(values).mean()),
        "locations": float(locations.log_density(values).mean()),
    }
