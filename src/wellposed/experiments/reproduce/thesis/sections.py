"""The sections of the page: one for each figure of the thesis, with its text and its picture."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeAlias

from wellposed.plotting.canvas import Figure

from ..cells import Section
from . import pictures
from .measures import Measures
from .pictures import Gallery
from .trainings import DIGIT, LARGE_BETA, RECONSTRUCTING, SMALL_BETA

Draw: TypeAlias = Callable[[Gallery], Figure]
Entry: TypeAlias = tuple[Section, Draw]

_ROWS_ALT = "Rows of images: data, the thesis's reconstructions, the causal model's means and draws"


def sections(m: Mapping[str, Measures], frechet: Mapping[str, Mapping[str, float]]) -> list[Entry]:
    """Return all sections in the order of the thesis, each with the function of its picture."""
    return [*_simple(m), *_patches(m, frechet), *_costs(m)]


def _simple(m: Mapping[str, Measures]) -> list[Entry]:
    """§5.2: the VAE as the papers write it."""
    return [
        _section(
            "5.3", "Latent plane, d = 2",
            f"The model of the papers, with μ(z) and σ(z) for every pixel: {_of(m['free-2'])}. "
            "Most of its likelihood comes from pixels that hardly vary, where σ(z) can be small, "
            "and its codes serve those pixels. The causal model's codes carry less information, "
            f"{m['causal-2'].rate:.1f} nats, because neighbouring pixels determine the rest.",
            partial(pictures.planes, names={"free-2": "σ(z)", "causal-2": "causal"}, decoded=False),
            "Two latent planes, points marked by the digit",
        ),
        _pairs("5.4", "Reconstructions, d = 2, σ(z)", "free-2", "causal-2", m,
               "σ(z) treats the errors of μ(z) as noise at little cost in likelihood: the means "
               "are blurred, and some show another digit."),
        _pairs("5.5", "Reconstructions, d = 20, σ(z)", "free-20", "causal-20", m,
               "With eighteen more latents, the means are still worse than they could be."),
        _section(
            "5.6", "PCA with d = 1, 10, 50 and 250",
            "The same images by PCA, which uses all of its components for the mean. The RMSE of "
            f"σ(z) with d = 20 is {m['free-20'].rmse:.3f}; see the first statement above. The "
            "causal model does not minimise the squared error: its last row shows draws.",
            partial(pictures.reconstructions, name="free-20", causal="causal-20",
                    label="σ(z), d = 20", pca=True),
            "Rows of images: data, PCA with four numbers of components, both models",
        ),
        _section(
            "5.7", "64 ancestral draws",
            "z ~ p(z), x ~ p(x | z). At the left, the model of the papers: each pixel is drawn "
            "independently, which gives speckle. At the right, the same procedure with noise that "
            "depends on the neighbours already drawn, and with a mixture of Gaussians as p(z).",
            partial(pictures.draws, name="free-20", how="ancestral", causal="causal-20"),
            "Two grids of 64 images",
        ),
    ]  # fmt: skip


def _patches(m: Mapping[str, Measures], frechet: Mapping[str, Mapping[str, float]]) -> list[Entry]:
    """§5.3: the patches."""
    free, causal = frechet["free-20"], frechet["causal-20"]
    return [
        _pairs("5.9", f"Reconstructions of a β-VAE, d = 20, β = {RECONSTRUCTING:g}", "beta-20",
               "causal-20", m,
               f"A small β gives sharp means at a high rate, {m['beta-20'].rate:.1f} nats. The "
               "model is equivalent to the VAE with σ = 0.1 and β = 1, whose rate is "
               f"{m['twin-20'].rate:.1f} nats and whose RMSE is {m['twin-20'].rmse:.3f}: only "
               "βσ² matters."),
        _pairs("5.10", "Reconstructions, d = 2, σ = 1", "unit-2", "causal-2", m,
               "With one σ for all pixels, the errors of all pixels have the same weight."),
        _pairs("5.11", "Reconstructions, d = 20, σ = 1", "unit-20", "causal-20", m,
               "σ = 1 means noise as wide as the whole scale. A linear VAE encodes only directions "
               "of the data whose variance exceeds σ². Most of q(z|x) equals the prior: its mean "
               f"variance is {m['unit-20'].within:.2f}."),
        _section(
            "5.12", "Deterministic sampling",
            "At the left, means μ(z) of the model of figure 5.7. They have no speckle, but they "
            f"are blurred: their Fréchet distance to the data is {free['mean']:.0f}, that of the "
            f"draws {free['draws']:.0f}. At the right, draws of the causal model with their noise, "
            "with z from its p(z), the mixture fitted to its codes: "
            f"{causal['draws']:.0f}.",
            partial(pictures.draws, name="free-20", how="mean", causal="causal-20"),
            "Two grids of 64 images",
        ),
        _pairs("5.13", "Reconstructions, d = 2, σ = 0.0001", "tiny-2", "causal-2", m,
               "This is an autoencoder: the KL is negligible beside such a likelihood. The ELBO is "
               f"{m['tiny-2'].elbo:.2g} nats: the density p(x) of real images is tiny."),
        _pairs("5.14", "Reconstructions, d = 20, σ = 0.0001", "tiny-20", "causal-20", m,
               "The means are as good as those of σ = 0.1, whose RMSE is "
               f"{m['twin-20'].rmse:.3f}, but the ELBO is {m['tiny-20'].elbo:.2g} nats instead "
               f"of {m['twin-20'].elbo:.0f}."),
        _section(
            "5.15", "μ(z) + ασ(z)",
            "All pixels take the same quantile of their noise. They are perfectly correlated, and "
            "every α gives an image without speckle. This confirms the thesis's diagnosis: the "
            "pixels of independent draws lack correlation. At the right, several draws of the "
            "causal model for each z: they share z and differ in their noise.",
            partial(pictures.quantiles, name="free-20", causal="causal-20"),
            "Rows of images for five values of alpha; rows of draws",
        ),
    ]  # fmt: skip


def _costs(m: Mapping[str, Measures]) -> list[Entry]:
    """§5.4: what the patches cost."""
    small, large = m["small-beta-2"], m["large-beta-2"]
    lone_small, lone_large = m["small-beta-digit"], m["large-beta-digit"]
    return [
        _section(
            "5.16", f"Latent and decoded plane, β = {SMALL_BETA:g} and {LARGE_BETA:g}",
            f"β too small: the codes have a variance of {small.between:.3g}, much larger than the "
            f"prior's, while the variance of q(z|x) is only {small.within:.2g}. Draws of "
            f"z ~ N(0, I) cover the middle of the codes only. β too large: {_collapse(large)}, and "
            "μ(z) is the mean of all digits. The causal model's codes have a variance of "
            f"{m['causal-2'].between:.3g}, like the prior, and q(z|x) one of "
            f"{m['causal-2'].within:.2g}. Draws over its plane show strokes, and digits where two "
            "latents suffice to determine one.",
            partial(pictures.planes, decoded=True, names={
                "small-beta-2": f"β = {SMALL_BETA:g}", "large-beta-2": f"β = {LARGE_BETA:g}",
                "causal-2": "causal"}),
            "Three latent planes, below them the decoded planes",
        ),
        _section(
            "5.17", f"The same on a single digit, {DIGIT}",
            f"β too small: the codes have a variance of {lone_small.between:.3g}, and draws of "
            f"z ~ N(0, I) cover their middle only. β too large: {_collapse(lone_large)}, and all "
            "images are the same. The causal model's codes have a variance of "
            f"{m['causal-digit'].between:.3g}.",
            partial(pictures.planes, decoded=True, names={
                "small-beta-digit": f"β = {SMALL_BETA:g}",
                "large-beta-digit": f"β = {LARGE_BETA:g}", "causal-digit": "causal"}),
            "Three latent planes of one digit, below them the decoded planes",
        ),
        _section(
            "5.18", "Latent plane, d = 2, σ = 0.0001",
            f"E[z|x] has a variance of {m['tiny-2'].between:.3g}, q(z|x) one of "
            f"{m['tiny-2'].within:.2g}. The prior covers a small part of the codes, and draws of z "
            "miss the others.",
            partial(pictures.planes, names={"tiny-2": "σ = 0.0001", "causal-2": "causal"},
                    decoded=True),
            "Two latent planes, below them the decoded planes",
        ),
    ]  # fmt: skip


def _pairs(
    number: str, title: str, name: str, causal: str, m: Mapping[str, Measures], remark: str
) -> Entry:
    text = f"{remark} The thesis's model: {_of(m[name])}; the causal model: {_of(m[causal])}."
    draw = partial(pictures.reconstructions, name=name, causal=causal)
    return _section(number, title, text, draw, _ROWS_ALT)


def _section(number: str, title: str, text: str, draw: Draw, alt: str) -> Entry:
    picture = f"figure-{number.replace('.', '-')}.png"
    return Section(f"Figure {number}: {title}", text, picture, alt), draw


def _of(measures: Measures) -> str:
    return (
        f"RMSE {measures.rmse:.3f}, {measures.bits:.3g} bits a pixel, rate {measures.rate:.1f} "
        f"nats, {measures.explained:.0%} of the variance in the latents"
    )


def _collapse(measures: Measures) -> str:
    return f"{measures.collapsed} of {measures.n_latents} latents have collapsed"
