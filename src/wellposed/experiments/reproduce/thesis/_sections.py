"""The page, figure by figure: what is to be seen, the figures behind it, and the picture."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from .._cells import Section
from . import _pictures as pictures
from ._measures import Measured
from ._pictures import Gallery
from ._trainings import DIGIT, LARGE_BETA, RECONSTRUCTING, SMALL_BETA

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Drawn: TypeAlias = "tuple[Section, Callable[[Gallery], Figure]]"

_ROWS_ALT = "Rows of images: data, the thesis's reconstructions, the cure's means and draws"


def sections(m: Mapping[str, Measured], frechet: Mapping[str, Mapping[str, float]]) -> list[Drawn]:
    """All sections in the thesis's order, each with what draws its picture."""
    return [*_simple(m), *_patched(m, frechet), *_costs(m)]


def _simple(m: Mapping[str, Measured]) -> list[Drawn]:
    """§5.2: the VAE as the papers write it."""
    return [
        _section(
            "5.3", "Latent plane, d = 2",
            f"The model of the papers, μ(z) and σ(z) for every pixel: {_of(m['free-2'])}. Its "
            "likelihood is won at pixels that hardly vary, where σ(z) can be small, and its codes "
            "are arranged for that. The cure's plane says less, "
            f"{m['cure-2'].rate:.1f} nats: what neighbours tell of a pixel, z need not.",
            partial(pictures.planes, names={"free-2": "σ(z)", "cure-2": "cure"}, decoded=False),
            "Two latent planes, points marked by the digit",
        ),
        _pairs("5.4", "Reconstructions, d = 2, σ(z)", "free-2", "cure-2", m,
               "σ(z) takes up as noise what μ(z) misses, and pays little for it: means are "
               "blurred, digits are taken for others."),
        _pairs("5.5", "Reconstructions, d = 20, σ(z)", "free-20", "cure-20", m,
               "Eighteen more latents, and the means stay behind what they could be."),
        _section(
            "5.6", "PCA with d = 1, 10, 50 and 250",
            "The same images by PCA, which has nothing but the mean to spend its latents on. "
            f"σ(z) with d = 20: RMSE {m['free-20'].rmse:.3f}; see the first statement above. The "
            "cure does not compete for the squared error: its last row is a draw, strokes and all.",
            partial(pictures.beside_pca, name="free-20", cure="cure-20"),
            "Rows of images: data, PCA with four numbers of components, both models",
        ),
        _section(
            "5.7", "64 ancestral draws",
            "z ~ N(0, I), x ~ p(x | z), at the left as the model is written: each pixel draws for "
            "itself, hence the speckle. At the right the same procedure, with noise that "
            "looks at the neighbours already drawn.",
            partial(pictures.draws, name="free-20", how="ancestral", cure="cure-20",
                    prior="standard"),
            "Two grids of 64 images",
        ),
    ]  # fmt: skip


def _patched(m: Mapping[str, Measured], frechet: Mapping[str, Mapping[str, float]]) -> list[Drawn]:
    """§5.3: the patches in use."""
    free, cure = frechet["free-20"], frechet["cure-20"]
    return [
        _pairs("5.9", f"Reconstructions of a β-VAE, d = 20, β = {RECONSTRUCTING:g}", "beta-20",
               "cure-20", m,
               f"A small β buys sharp means with rate, {m['beta-20'].rate:.1f} nats. It is the "
               f"VAE with σ = 0.1 and β = 1, {m['twin-20'].rate:.1f} nats and RMSE "
               f"{m['twin-20'].rmse:.3f}, under another name: only βσ² counts."),
        _pairs("5.10", "Reconstructions, d = 2, σ = 1", "unit-2", "cure-2", m,
               "With one σ for all pixels every pixel's error counts alike."),
        _pairs("5.11", "Reconstructions, d = 20, σ = 1", "unit-20", "cure-20", m,
               "σ = 1 claims noise as wide as the whole scale, and a direction of the data pays "
               "for a latent of a linear VAE only above σ². Most of q(z|x) is the prior: its mean "
               f"variance is {m['unit-20'].within:.2f}."),
        _section(
            "5.12", "Deterministic sampling",
            "At the left the model of figure 5.7, its noise left out. The speckle is gone, the "
            f"blur is left: the Fréchet distance to the data is {free['mean']:.0f}, that of its "
            f"draws {free['draws']:.0f}. At the right draws of the cure, noise and all, z from the "
            f"mixture fitted to its codes: {cure['fitted prior']:.0f}.",
            partial(pictures.draws, name="free-20", how="mean", cure="cure-20",
                    prior="aggregate"),
            "Two grids of 64 images",
        ),
        _pairs("5.13", "Reconstructions, d = 2, σ = 0.0001", "tiny-2", "cure-2", m,
               "An autoencoder: the KL is nothing beside such a likelihood. The ELBO, "
               f"{m['tiny-2'].elbo:.2g} nats, says what p(x) thinks of real images."),
        _pairs("5.14", "Reconstructions, d = 20, σ = 0.0001", "tiny-20", "cure-20", m,
               f"Means like those of σ = 0.1, RMSE {m['twin-20'].rmse:.3f}; but "
               f"{m['tiny-20'].elbo:.2g} nats where that has {m['twin-20'].elbo:.0f}."),
        _section(
            "5.15", "μ(z) + ασ(z)",
            "All pixels at one quantile of their noise are correlated perfectly, and any α gives "
            "an image without speckle. That is the thesis's own diagnosis: the pixels lack "
            "correlation. At the right draws with correlation, several for each z: what they "
            "share is z, what differs is noise.",
            partial(pictures.quantiles, name="free-20", cure="cure-20"),
            "Rows of images for five values of alpha; rows of draws",
        ),
    ]  # fmt: skip


def _costs(m: Mapping[str, Measured]) -> list[Drawn]:
    """§5.4: what the patches cost."""
    small, large = m["small-beta-2"], m["large-beta-2"]
    lone_small, lone_large = m["small-beta-digit"], m["large-beta-digit"]
    return [
        _section(
            "5.16", f"Latent and decoded plane, β = {SMALL_BETA:g} and {LARGE_BETA:g}",
            f"β too small: codes spread to a variance of {small.between:.3g}, far outside the "
            f"prior, while q(z|x) itself is narrow, {small.within:.2g}. Draws of z ~ N(0, I) "
            f"see the middle alone. β too large: {_dead(large)}, μ(z) is the mean of all "
            f"digits. The cure's codes have a variance of {m['cure-2'].between:.3g}, q(z|x) "
            f"{m['cure-2'].within:.2g}: the prior's, and draws over the plane are strokes, digits "
            "where two latents suffice for one.",
            partial(pictures.planes, decoded=True, names={
                "small-beta-2": f"β = {SMALL_BETA:g}", "large-beta-2": f"β = {LARGE_BETA:g}",
                "cure-2": "cure"}),
            "Three latent planes, below them what each decodes to",
        ),
        _section(
            "5.17", f"The same on a single digit, {DIGIT}",
            f"β too small: codes of variance {lone_small.between:.3g}, of which draws of "
            f"z ~ N(0, I) see the middle. β too large: {_dead(lone_large)}, and all images are "
            f"one. The cure's codes have a variance of {m['cure-digit'].between:.3g}.",
            partial(pictures.planes, decoded=True, names={
                "small-beta-digit": f"β = {SMALL_BETA:g}",
                "large-beta-digit": f"β = {LARGE_BETA:g}", "cure-digit": "cure"}),
            "Three latent planes of one digit, below them what each decodes to",
        ),
        _section(
            "5.18", "Latent plane, d = 2, σ = 0.0001",
            f"What spreads is E[z|x], variance {m['tiny-2'].between:.3g}; q(z|x) has "
            f"{m['tiny-2'].within:.2g}. The prior's circle holds a small part of it, and draws of "
            "z find only what lies there.",
            partial(pictures.planes, names={"tiny-2": "σ = 0.0001", "cure-2": "cure"},
                    decoded=True),
            "Two latent planes, below them what each decodes to",
        ),
    ]  # fmt: skip


def _pairs(
    number: str, title: str, name: str, cure: str, m: Mapping[str, Measured], seen: str
) -> Drawn:
    text = f"{seen} The thesis's model: {_of(m[name])}; the cure: {_of(m[cure])}."
    draw = partial(pictures.reconstructions, name=name, cure=cure)
    return _section(number, title, text, draw, _ROWS_ALT)


def _section(
    number: str, title: str, text: str, draw: "Callable[[Gallery], Figure]", alt: str
) -> Drawn:
    picture = f"figure-{number.replace('.', '-')}.png"
    return Section(f"Figure {number}: {title}", text, picture, alt), draw


def _of(found: Measured) -> str:
    return (
        f"RMSE {found.rmse:.3f}, {found.bits:.3g} bits a pixel, rate {found.rate:.1f} nats, "
        f"{found.explained:.0%} of the variance in the latents"
    )


def _dead(found: Measured) -> str:
    return f"{found.collapsed} of {found.n_latents} latents are dead"
