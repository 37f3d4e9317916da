"""The thesis's explanations, compared with the figures."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from wellposed.estimators import PPCA

from ..cells import Claim
from .measures import Measures
from .trainings import LARGE_BETA

_ALIKE = 0.05  # two figures count as equal below this relative difference


@dataclasses.dataclass(frozen=True, eq=False)
class LinearTheory:
    """Figures of pPCA with 20 latents on the training images, pixels in [0, 1]."""

    eigenvalues: np.ndarray  # of the covariance, falling; at most one a row
    left_over: float  # mean of the eigenvalues that belong to the noise, zeros included
    noise_variance: float
    aggregate_variance: float  # mean of Var z over the latents, z ~ q(z)
    explained_variance: float  # mean of the squared norms of W's columns

    @staticmethod
    def of(images: np.ndarray, d: int = 20) -> "LinearTheory":
        """Fit pPCA to images of shape (n, 784), grey levels."""
        rows = images.astype(np.float64) / 255.0
        ppca = PPCA(d).fit(rows)
        within = np.diag(ppca.model_.posterior_covariance)
        between = ppca.model_.posterior_means(rows).var(axis=0)
        eigenvalues = ppca.spectrum_.eigenvalues
        return LinearTheory(
            eigenvalues,
            float(eigenvalues[d:].sum() / (rows.shape[1] - d)),
            float(ppca.noise_variance_),
            float((between + within).mean()),
            float((ppca.components_**2).sum(axis=1).mean()),
        )


def statements(
    m: Mapping[str, Measures],
    frechet: Mapping[str, Mapping[str, float]],
    pca: Mapping[int, float],
    linear: LinearTheory,
) -> tuple[Claim, ...]:
    """Return each statement, whether it holds, and the figures that decide.

    Parameters
    ----------
    m : figures of the models, by name
    frechet : Fréchet distances of "free-20" and "causal-20", by kind of sample
    pca : RMSE of PCA by number of components
    linear : figures of pPCA
    """
    return (*_of_patches(m, frechet, pca), *_of_variances(m, linear), *_of_causal_noise(m, frechet))


def _of_patches(
    m: Mapping[str, Measures],
    frechet: Mapping[str, Mapping[str, float]],
    pca: Mapping[int, float],
) -> tuple[Claim, ...]:
    free = frechet["free-20"]
    apart = abs(m["beta-20"].rmse / m["twin-20"].rmse - 1)
    return (
        Claim(
            "§5.2: PCA with d = 10 reconstructs as well as the simple VAE with d = 20",
            m["free-20"].rmse > 0.9 * pca[10],
            f"RMSE {pca[10]:.3f} against {m['free-20'].rmse:.3f}; PCA with d = 50 {pca[50]:.3f}",
        ),
        Claim(
            "§5.3.2: σ = 1 reconstructs better than σ(z)",
            all(m[f"unit-{d}"].rmse < m[f"free-{d}"].rmse for d in (2, 20)),
            "RMSE "
            + ", ".join(
                f"{m[f'unit-{d}'].rmse:.3f} against {m[f'free-{d}'].rmse:.3f} (d = {d})"
                for d in (2, 20)
            ),
        ),
        Claim(
            "§5.3.3: μ(z) is nearer to the data than draws from p(x | z)",
            free["mean"] < free["draws"],
            f"Fréchet distance {free['mean']:.1f} against {free['draws']:.1f}",
        ),
        Claim(
            "§5.3.4: μ(z) + ασ(z) looks as good for any α",
            max(free["α = 1"], free["α = -1"]) < 1.25 * free["mean"],
            ", ".join(f"{kind}: {free[kind]:.1f}" for kind in ("α = -1", "mean", "α = 1")),
        ),
        Claim(
            "§5.3.4: a small β and a small σ are totally different approaches",
            apart > _ALIKE,
            f"β = 0.01 with σ = 1 and β = 1 with σ = 0.1: RMSE {m['beta-20'].rmse:.4f} and "
            f"{m['twin-20'].rmse:.4f}, rate {m['beta-20'].rate:.1f} and {m['twin-20'].rate:.1f}",
        ),
    )


def _of_variances(m: Mapping[str, Measures], linear: LinearTheory) -> tuple[Claim, ...]:
    tiny, unit, large = m["tiny-2"], m["unit-2"], m["large-beta-2"]
    first, average = float(linear.eigenvalues[0]), float(linear.eigenvalues[:20].mean())
    return (
        Claim(
            "§5.4.1: a small σ gives q(z|x) a high variance",
            tiny.within > unit.within,
            f"mean Var q(z|x) {tiny.within:.2g} at σ = 0.0001, {unit.within:.2g} at σ = 1; the "
            f"variance of E[z|x] grows instead, {tiny.between:.3g} and {unit.between:.3g}",
        ),
        Claim(
            f"§5.4.1: at β = {LARGE_BETA:g}, the posterior collapses to the prior",
            large.collapsed == large.n_latents,
            f"{large.collapsed} of {large.n_latents} latents; the data alone predict it: their "
            f"largest eigenvalue {first:.2f} is below βσ² = {LARGE_BETA:g}",
        ),
        Claim(
            "§5.4.1: there is no automated way to choose σ, or β",
            m["learned-20"].elbo
            < max(m[name].elbo for name in ("unit-20", "twin-20", "tiny-20")),
            f"σ² learned by maximum likelihood: {m['learned-20'].elbo:.0f} nats; given, "
            + ", ".join(f"{m[n].elbo:.4g}" for n in ("unit-20", "twin-20", "tiny-20")),
        ),
        Claim(
            "§5.5: in pPCA, the variance of z is the average of the d largest eigenvalues",
            abs(linear.aggregate_variance / average - 1) < _ALIKE,
            f"Var z = {linear.aggregate_variance:.4f}; that average is {average:.4f}. The squared "
            f"norms of W's columns are λ − σ², {linear.explained_variance:.4f} on average",
        ),
        Claim(
            "§5.5: in pPCA, σ² is the average of the left-over eigenvalues",
            abs(linear.noise_variance / linear.left_over - 1) < 1e-4,
            f"{linear.noise_variance:.6f} and {linear.left_over:.6f}",
        ),
    )  # fmt: skip


def _of_causal_noise(
    m: Mapping[str, Measures], frechet: Mapping[str, Mapping[str, float]]
) -> tuple[Claim, ...]:
    free, causal = frechet["free-20"], frechet["causal-20"]
    independent = min(m[name].bits for name in m if name.endswith("-20") and name != "causal-20")
    return (
        Claim(
            "§5.5: noise that is not independent models images better",
            m["causal-20"].bits < independent,
            f"{m['causal-20'].bits:.3f} bits a pixel against {independent:.3f}, the best "
            "independent Gaussian with d = 20",
        ),
        Claim(
            "Causal draws are nearer to the data than means and draws of the simple VAE",
            causal["draws"] < min(free["mean"], free["draws"]),
            f"Fréchet distance {causal['draws']:.1f} against {free['mean']:.1f} and "
            f"{free['draws']:.1f}. The causal model's means: {causal['mean']:.1f}",
        ),
    )
