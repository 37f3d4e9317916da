"""The panels of a report: a picture and how to read it, or None if it does not apply."""

import io
import warnings
from typing import Any

import numpy as np

from wellposed import evaluation, plotting

from ._facts import Facts
from ._record import Panel, Table

_DPI = 110
_TRAVERSED, _STEPS = 8, 9
_CALIBRATED = 300  # rows
_REACH = 2.5  # of a traversal, in standard deviations of the prior


def samples(facts: Facts) -> Panel:
    """Draws of the model: with the noise, without it, and all features at one quantile."""
    kinds = {
        "draws from p(x | z)": ("ancestral", 1.0),
        "means, the noise left out": ("mean", 1.0),
        "coupled, every feature at +1σ": ("coupled", 1.0),
    }
    title = "Samples"
    if facts.image_shape is None:
        drawn = facts.drawn(len(facts.rows))
        return Panel(
            "samples",
            title,
            "Histograms of the data (filled) and of as many draws from the model (line), "
            "z ~ p(z) and x ~ p(x | z). Where the line is wider or smoother than the data, the "
            f"noise or the prior has too much variance.{_left_out(facts)}",
            figure_as_png(
                plotting.marginals(
                    facts.observed(facts.shown), drawn, names=facts.names, levels=facts.levels
                )
            ),
            "Histograms of data and draws, one panel for each feature",
        )
    figure = _figure((11.0, 4.1))
    each = evaluation.samples_each_way(
        facts.vae.model_,
        36,
        tuple(kinds.values()),
        key=facts.vae.key("sample"),
        covariates=facts.given(36),
    )
    for ax, name, drawn in zip(figure.subplots(1, 3), kinds, each, strict=True):
        plotting.images(drawn, facts.image_shape, ax=ax, limits=facts.limits, title=name)
    return Panel(
        "samples",
        title,
        "All three show the same z ~ p(z). The left images are samples of the model: speckle "
        "is noise that is independent between pixels in the model. The middle images are often "
        "printed as samples, but they are not draws from p(x).",
        figure_as_png(figure),
        "Three grids of 36 images: draws, means, and draws at one quantile",
    )


def reconstructions(facts: Facts) -> Panel | None:
    """Data, reconstructions, and the residual in units of the noise."""
    shape = facts.image_shape
    if shape is None:
        return _residuals(facts)
    shown = facts.shown[:16]
    figure = _figure((11.0, 4.6))
    left, right = figure.subplots(1, 2)
    means = evaluation.reconstructions(facts.vae.model_, facts.rows[:16], key=facts.key)
    back = facts.vae.in_data_units(means)
    plotting.reconstructions(shown, back, shape, ax=left, n_columns=8, limits=facts.limits)
    if facts.grey:
        plotting.images(
            facts.residuals[:16], shape, ax=right, n_columns=4, limits=(-4.0, 4.0), cmap="RdBu_r",
            title="residual over σ, from −4 (blue) to 4 (red)",
        )  # fmt: skip
    else:
        right.hist(np.clip(facts.residuals.ravel(), -6, 6), 60, density=True, color=plotting.QUIET)
        right.set_xlabel("residual over σ")
    return Panel(
        "reconstructions",
        "Reconstructions",
        "Each datum is above its reconstruction, the mean of p(x | z) at the posterior mean. At "
        "the right is the residual in units of the noise's σ. Outlines in it are structure that "
        "the model treats as noise; pale residuals mean that σ is too large.",
        figure_as_png(figure),
        "Images, their reconstructions, and maps of the residuals in units of sigma",
    )


def _residuals(facts: Facts) -> Panel | None:
    """Residuals of the features that have no levels and some cells; None without one."""
    residuals = facts.observed(facts.residuals)
    seen = np.flatnonzero(~np.isnan(residuals).all(axis=0)).tolist()
    at = [j for j in seen if j not in facts.levels]
    if not at:
        return None
    names = None if facts.names is None else [facts.names[j] for j in at]
    levels = " Columns of levels have no such residual." if facts.levels else ""
    return Panel(
        "reconstructions",
        "Residuals",
        "Residuals of each feature at the posterior mean, divided by the σ of the noise: quartiles "
        "(thick) and the central 95 % (thin). If the noise is Gaussian and correct, the thin lines "
        f"fill the band.{levels}{_left_out(facts)}",
        figure_as_png(plotting.residual_boxes(facts.observed(facts.residuals)[:, at], names=names)),
        "Quartiles and central intervals of the residuals, one line for each feature",
    )


def _left_out(facts: Facts) -> str:
    """Return a sentence on missing cells, which are drawn elsewhere; empty without."""
    if facts.gaps is None:
        return ""
    return f" {facts.gaps.sum():,} missing cells are left out."


def plane(facts: Facts) -> Panel | None:
    """The two most active latents."""
    if facts.means.shape[1] < 2:
        return None
    drawn = evaluation.plotted_prior(facts.vae.model_.prior, key=facts.key)
    ax = plotting.latent_plane(facts.means, labels=facts.labels, rates=facts.rates, prior=drawn)
    prior = (
        "The dashed circle contains 95 % of the prior."
        if drawn is None
        else ("Grey points are draws of the prior.")
    )
    return Panel(
        "plane",
        "Latent plane",
        f"Posterior means of the two latents with the highest rates. {prior} The decoder was not "
        "trained on regions of the prior without points, but draws of z fall there.",
        figure_as_png(ax, (7.0, 5.5)),
        "Scatter of the posterior means of two latents",
    )


def traversals(facts: Facts) -> Panel:
    """E[x | z] along each latent, the others at the prior's mean."""
    latents = facts.by_rate[:_TRAVERSED]
    grid = np.linspace(-_REACH, _REACH, _STEPS)
    mean, deviation = (np.asarray(part) for part in facts.vae.model_.prior.moments())
    codes = np.tile(mean.astype(np.float32), (len(latents), _STEPS, 1))
    for i, latent in enumerate(latents):
        codes[i, :, latent] += deviation[latent] * grid
    means = facts.decoded(codes.reshape(-1, codes.shape[-1]))
    if facts.image_shape is None:
        moved = means.reshape(len(latents), _STEPS, -1)[:4]
        spread = facts.shown.std(axis=0)
        picture = figure_as_png(
            plotting.traversals(
                grid,
                moved,
                latents[:4].tolist(),
                names=facts.names,
                levels=facts.levels,
                scale=np.where(spread > 0, spread, np.inf),
            )
        )
        seen = "the four most active latents change, one line each"
    else:
        names = [f"{latent} ({facts.rates[latent]:.1f} nats)" for latent in latents]
        ax = plotting.images(
            means, facts.image_shape, n_columns=_STEPS, limits=facts.limits, names=names
        )
        picture = figure_as_png(ax, (0.75 * _STEPS + 1.5, 0.75 * len(latents) + 0.4))
        seen = f"the {len(latents)} most active latents change, one row each"
    return Panel(
        "traversals",
        "Traversals of the latents",
        f"E[x | z] as {seen}, from −{_REACH:g} to {_REACH:g} standard deviations of the prior, "
        "with all others at its mean. A latent that changes nothing has collapsed.",
        picture,
        "Means of the model along its most active latents",
    )


def rates(facts: Facts) -> Panel:
    """Rate of each latent, beside the forecast."""
    forecast = facts.forecast
    predicted = None if forecast is None else np.asarray(forecast.rates)
    ax = plotting.rates(facts.rates, forecast=predicted)
    beside = (
        "Diamonds are the rates of the best linear VAE at this noise variance, computed from the "
        "eigenvalues of these rows. "
        if forecast is not None
        else ""
    )
    rows = tuple((int(i), float(facts.rates[i])) for i in facts.by_rate)
    return Panel(
        "rates",
        "Rate of each latent",
        "Mean KL(q(z_i | x) ‖ N(m_i, s_i²)), with the mean and the variance of p(z_i): "
        f"{facts.rates.sum():.3g} nats added up. KL(q(z | x) ‖ p(z)) of all latents at once is "
        f"{facts.total_rate} nats. {beside}Latents at zero have collapsed, which is no fault if "
        "the forecast is zero as well.",
        figure_as_png(ax),
        "Bars of the mean rate of each latent",
        Table(("latent", "rate, nats"), rows),
    )


def eigenvalues(facts: Facts) -> Panel | None:
    """Eigenvalues of the data against σ²."""
    if facts.forecast is None:
        return None
    return Panel(
        "eigenvalues",
        "Eigenvalues against σ²",
        "A latent of a linear VAE is active only if the variance of its direction exceeds the "
        "threshold. At the right is the number of active latents at each noise variance, and the "
        "noise variance of this model.",
        figure_as_png(plotting.forecast(facts.forecast)),
        "Eigenvalues of the data and the threshold; active latents over the noise variance",
    )


def split(facts: Facts) -> Panel:
    """The variance of each feature, split between latents and noise."""
    result = evaluation.variance_split(facts.vae.model_, facts.rows, key=facts.key)
    if facts.grey:
        ax = plotting.variance_split(result, facts.image_shape)
    else:
        ax = plotting.variance_split(result, names=facts.names)
    names = facts.names if facts.names is not None else [str(j) for j in range(len(result.data))]
    at = np.flatnonzero(result.varies)
    rows = tuple(
        (
            str(names[int(j)]),
            float(result.data[j]),
            float(result.posterior.explained[j] / result.data[j]),
            float(result.posterior.kept[j] / result.data[j]),
        )
        for j in at
    )
    return Panel(
        "split",
        "Variance split",
        f"{result.verdict} The latents explain the variance of E[x | z], and the noise has the "
        "rest. The noise variance of a VAE decides how the two share it."
        f"{' Levels count by their positions.' if facts.levels else ''}",
        figure_as_png(ax),
        "Shares of each feature's variance in latents and noise",
        Table(("feature", "variance", "share of the latents", "share of the noise"), rows),
    )


def calibration(facts: Facts) -> Panel:
    """Ranks of the data in p(x | z)."""
    some = evaluation.subsample(facts.rows, _CALIBRATED)
    # As many draws as the diagnosis has, so that nothing is compiled anew.
    result = evaluation.calibration(facts.vae.model_, some, key=facts.key, n_draws=49)
    cover = result.coverage
    rows = tuple(
        (f"{level:.0%}", float(share), float(error))
        for level, share, error in zip(
            cover.levels, cover.coverage, cover.standard_error, strict=True
        )
    )
    ax = plotting.calibration(result)
    return Panel(
        "calibration",
        "Calibration",
        f"{result.statement} The histogram shows the rank of each value in p(x | z): flat inside "
        "the band is calibrated; a valley means that the noise is too narrow, a hill too wide.",
        figure_as_png(ax),
        "Histogram of the probability integral transform",
        Table(("interval", "coverage", "standard error"), rows),
    )


def training(facts: Facts) -> Panel | None:
    """The objective over epochs, and the bound of the density."""
    if not facts.vae.history_:
        return None
    ax = plotting.training_curves(facts.vae.history_, best_epoch=facts.vae.best_epoch_)
    marked = "; a dotted line marks the epoch that the model is of" if len(ax.lines) > 2 else ""
    bound = facts.vae.model_.log_density_bound(facts.shown.shape[1])
    limit = (
        f"No log density of this model exceeds {bound:.6g} nats."
        if np.isfinite(bound)
        else "The log density has no bound, so that the objective can rise without limit."
    )
    return Panel(
        "training",
        "Training",
        f"The objective over epochs, on training rows and on held-out rows{marked}. {limit}",
        figure_as_png(ax),
        "Curves of the training and held-out objective",
    )


def correlation(facts: Facts) -> Panel | None:
    """Correlation of the noise of a pixel with that of the others."""
    shape, model = facts.image_shape, facts.vae.model_
    if shape is None or not facts.grey:
        return None
    if model.has_independent_noise:
        return None
    result = evaluation.noise_correlation(model, facts.rows[0], key=facts.key)
    return Panel(
        "correlation",
        "Correlation of the noise",
        "Correlation of the noise at a few pixels with that at all others, given the z of the "
        "first datum. Independent noise would leave the maps white, and its draws are speckle.",
        figure_as_png(plotting.noise_correlation(result, shape)),
        "Maps of the correlation of the noise around a few pixels",
    )


def _figure(size: tuple[float, float]) -> Any:
    from wellposed.plotting.canvas import Figure

    return Figure(size, layout="constrained")


def figure_as_png(drawn: Any, inches: tuple[float, float] | None = None) -> bytes:
    """The figure, or that of the axes, as PNG."""
    figure = drawn.get_figure() if hasattr(drawn, "get_figure") else drawn
    if inches is not None:
        figure.set_size_inches(*inches)
    out = io.BytesIO()
    with warnings.catch_warnings():
        # A name in another script: matplotlib draws boxes, and the page's tables have the name.
        warnings.filterwarnings("ignore", r"Glyph \d+ .*missing from", UserWarning)
        figure.savefig(out, format="png", dpi=_DPI)
    return out.getvalue()
