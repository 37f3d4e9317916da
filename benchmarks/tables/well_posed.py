"""The tables of the page "Is the optimisation of the Gaussian VAE well-posed?", each on its own.

    python -m benchmarks.tables.well_posed [TABLE ...]

``divergence``, ``one-dimension``, ``discrete``, ``conditioning`` and ``residuals`` take seconds and
need no data beyond the digits of scikit-learn; ``trained`` takes two minutes. ``mnist`` reads the
MNIST images of ``$WELLPOSED_DATA``, ``faces`` the Frey faces there, some minutes for each ξ;
without a name, all of them.
"""

import argparse
import warnings
from collections.abc import Sequence

import numpy as np

import wellposed as wp
from benchmarks.data import root, unit_images
from wellposed import experiments

PRECISIONS = (1.0, 4.0, 100.0, 1e6)
SCALES = (1.0, 0.5, 0.2, 0.1, 0.01, 0.0001)
EPSILONS = (1e-8, 1e-16, 1e-32, 1e-64)
FLOORS = {"2**-4": 2.0**-4, "2**-8": 2.0**-8, "(1/255)**2/12": 1 / 255**2 / 12}


def show(name: str, values: Sequence[float] | np.ndarray, digits: int = 1) -> None:
    """One line of a table: its name and its numbers."""
    print(f"{name:28}", *(f"{value:.{digits}f}" for value in np.asarray(values)), sep="  ")


def divergence() -> None:
    """Ten digits in closed form, then two data with posteriors of given widths."""
    found = experiments.divergence(variances=EPSILONS)
    print(f"{'ε':28}", *(f"{value:.0e}" for value in EPSILONS), sep="  ")
    show("ELBO", found.elbo)
    show("log p(x)", found.log_likelihood)
    show("ELBO, floor", found.floored_elbo)
    show("log p(x), floor", found.floored_log_likelihood)
    print(f"bound {found.bound:.1f}, slope {found.slope:.1f}")
    two = np.array([[0.0, 0.0, 0.0], [1.0, 1.0, 0.0]])
    settings = {"variances": (1e-2, *EPSILONS), "outside_variance": 1.0}
    narrow = experiments.divergence(two, scales=(0.5, 0.3), **settings)
    show("sum of two ELBOs, widths given", 2 * narrow.elbo)
    show("the same, widths following ε", 2 * experiments.divergence(two, **settings).elbo)


def trained() -> None:
    """Gradient descent, with and without a floor."""
    found = experiments.trained_divergence()
    for name in ("free", "floored"):
        elbo, scale = getattr(found, name), getattr(found, f"smallest_{name}_scale")
        outcome = getattr(found, f"{name}_outcome")
        print(f"{name:8} best ELBO {np.nanmax(elbo):.1f}, smallest σ {scale:.4f}, {outcome!r}")
    print(f"bound {found.bound:.1f}, passed in epoch {found.passed} of {len(found.free)}")


def one_dimension() -> None:
    """The example of the answer that relies on the KL."""
    found = experiments.one_dimension(np.array(PRECISIONS))
    show("λ", PRECISIONS)
    show("best s", found.best_scale, 6)
    show("best ELBO", found.best_elbo, 4)
    show("s of the answer", found.published_scale, 6)
    show("ELBO there", found.elbo_at_published_scale, 4)
    show("ELBO if μ(z) = 0", found.constant_mean, 4)


def discrete() -> None:
    """Density and probability of a hundred digits under their own mean."""
    found = experiments.discrete(scales=SCALES)
    show("σ", SCALES, 4)
    show("log P(x)", found.discrete, 5)
    show("log N(x; μ, σ²)", found.continuous)


def conditioning() -> None:
    """Directions of ascent at the collapsed point of the digits, and condition numbers."""
    digits = wp.datasets.load_digits().values.astype(float)
    found = experiments.conditioning(digits, 20, noise_variances=(1000, 100, 30, 1, 0.01))
    show("σ²", found.noise_variances, 2)
    show("directions of ascent", found.profile.n_ascent, 0)
    show("steepest", found.profile.steepest_ascent, 3)
    show("condition of the 20 strongest", found.leading_condition, 3)
    show("condition, best q", found.profile.condition, 1)
    show("condition, jointly", found.joint.condition, 1)


def residuals() -> None:
    """Does the leading residual of 1, 2 and 4 latents exceed σ² = 5, in standardised units?"""
    digits = wp.datasets.load_digits().values.astype(float)
    train, test = digits[:1437], digits[1437:]
    settings = experiments.TEXTBOOK | {"transform": "standardize", "noise": 5.0}
    for k in (1, 2, 4):
        vae = wp.VAE(**settings | {"n_components": k, "random_state": 0}).fit(train)
        found, rates = vae.residual_spectrum(test), vae.collapse(test).rates.round(2)
        print(f"k = {k}, rates {rates}: {found.leading:.2f} ± {found.standard_error:.2f}; {found}")


def mnist() -> None:
    """Exact likelihoods, stationary points and counts of active latents of 60,000 images."""
    train, test = unit_images("mnist", "train"), unit_images("mnist", "test")
    for k in (10, 20, 50, 200):
        exact, vae = wp.PPCA(k).fit(train), wp.LinearVAE(k, random_state=0).fit(train)
        print(
            f"k = {k}: σ² {exact.noise_variance_:.6f}, train {exact.log_likelihood_:.3f}, test "
            f"{exact.score(test):.3f}, linear VAE {vae.elbo_:.3f} in {vae.n_iter_} iterations"
        )
    three = wp.PPCA(3).fit(train)
    for active in ((0, 1, 2), (0, 1), (0, 2), ()):
        point = three.stationary_point(active, noise_variance=1.0)
        gain, curvature = point.gain[:3].round(3), point.curvature[:3].round(2)
        print(f"{active!s:10} log p(x) {point.log_likelihood:.3f}, maximum {point.is_maximum}")
        print(f"{'':10} gain {gain}, curvature {curvature}")
    print(wp.forecast(train, noise_variance=1.0, n_components=20))
    eigenvalues = np.linalg.eigvalsh(np.cov(train.T, bias=True))
    for variance in (3, 1, 0.3, 0.1, 0.03, 0.01):
        print(f"σ² {variance}: {np.sum(eigenvalues > variance)} directions exceed it")


def faces() -> None:
    """The parsimony gap of the Frey faces, for each ξ."""
    path = root() / "frey-faces" / "frey_faces_uint8_1965x28x20.npy"
    rows = wp.datasets.read(path).values.reshape(1965, -1) / 255
    for name, variance in FLOORS.items():
        found = experiments.parsimony_gap(rows, variance=variance)
        print(f"ξ = {name}: gap {found.gap:.1f}, {found}", flush=True)


TABLES = {
    "divergence": divergence,
    "trained": trained,
    "one-dimension": one_dimension,
    "discrete": discrete,
    "conditioning": conditioning,
    "residuals": residuals,
    "mnist": mnist,
    "faces": faces,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=", ".join(TABLES))
    asked = parser.parse_args().tables or list(TABLES)
    if unknown := set(asked) - set(TABLES):
        parser.error(f"{', '.join(sorted(unknown))}: choose from {', '.join(TABLES)}")
    for name in asked:
        print(f"\n{name}: {TABLES[name].__doc__.splitlines()[0]}")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", wp.WellposedWarning)
            TABLES[name]()


if __name__ == "__main__":
    main()
