"""Each record's figure shows it, with units on its axes."""

import io

import numpy as np
import pytest

from wellposed import experiments
from wellposed._errors import DataError, OutputError

GAP = experiments.ParsimonyGap(
    variance=0.0625,
    elbo=231.8,
    log_likelihood=233.2,
    log_likelihood_error=0.01,
    effective_sample_size=90.0,
    gaussians=237.7,
    kernels=254.17,
    locations=254.19,
    certified=254.4,
    ceiling=261.7,
    outcome="converged",
)
TRAINED = experiments.TrainedDivergence(
    free=np.linspace(-200, 80, 90),  # broken off
    floored=np.linspace(-200, 3, 100),
    bound=15.0,
    passed=77,
    smallest_free_scale=1e-4,
    smallest_floored_scale=0.29,
    free_outcome="nonfinite",
    floored_outcome="converged",
)
DRAWN = {
    "divergence": (experiments.divergence, experiments.divergence_figure),
    "trained": (lambda: TRAINED, experiments.trained_divergence_figure),
    "one dimension": (experiments.one_dimension, experiments.one_dimension_figure),
    "discrete": (experiments.discrete, experiments.discrete_figure),
    "parsimony": (lambda: GAP, experiments.parsimony_gap_figure),
}


@pytest.mark.parametrize(("recipe", "draw"), DRAWN.values(), ids=DRAWN)
def test_figures_are_800_pixels_wide_and_name_their_units(recipe, draw):
    figure = draw(recipe())
    assert figure.get_figwidth() == 8
    for ax in figure.axes:
        assert ax.get_xlabel()
        assert "nats" in ax.get_xlabel() + ax.get_ylabel()
        assert ax.get_title(loc="left")
    figure.savefig(io.BytesIO(), format="png", dpi=40)  # a layout that collapses would warn


def test_the_divergence_is_drawn_whole():
    found = experiments.divergence()
    (ax,) = experiments.divergence_figure(found).axes
    drawn = {line.get_label(): line.get_ydata() for line in ax.lines}
    np.testing.assert_array_equal(drawn["ELBO, σ free"], found.elbo)
    np.testing.assert_array_equal(
        drawn["log p(x), σ above the floor"], found.floored_log_likelihood
    )
    assert set(drawn["bound of the floored model"]) == {found.bound}
    low, high = ax.get_xlim()
    assert low > high  # ε shrinks to the right


def test_the_gap_is_shaded_and_every_value_written():
    (ax,) = experiments.parsimony_gap_figure(GAP).axes
    shade = ax.patches[0].get_extents().transformed(ax.transData.inverted())
    assert (shade.x0, shade.x1) == pytest.approx((GAP.log_likelihood, GAP.nonparametric))
    written = " ".join(text.get_text() for text in ax.texts)
    for value in (231.80, 233.20, 237.70, 254.17, 254.19, 254.40, 261.70):
        assert f"{value:.2f}" in written


def width(path):
    """In pixels: four bytes of the header, after the signature and the chunk's name."""
    return int.from_bytes(path.read_bytes()[16:20], "big")


def test_figures_writes_one_file_a_figure(tmp_path, monkeypatch):
    module = experiments._figures
    monkeypatch.setattr(module, "trained_divergence", lambda: TRAINED)
    monkeypatch.setattr(module, "parsimony_gap", lambda faces: GAP)
    paths = experiments.figures(tmp_path / "made")
    assert [path.name for path in paths] == [
        "divergence.png",
        "trained-divergence.png",
        "one-dimension.png",
        "discrete.png",
        "parsimony-gap.png",
        "conditioning.png",
        "forecast.png",
    ]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in paths)
    assert [width(path) for path in paths] == 6 * [800] + [1100]


def test_figures_looks_at_folder_and_faces_before_the_long_work(tmp_path, monkeypatch):
    monkeypatch.delattr(experiments._figures, "divergence")
    file = tmp_path / "file"
    file.write_text("kept")
    with pytest.raises(OutputError, match=r"need a folder; .*file is a file\. Name a folder"):
        experiments.figures(file)
    with pytest.raises(OutputError, match="Choose another folder"):
        experiments.figures(file / "inside")
    assert file.read_text() == "kept"
    with pytest.raises(DataError, match="finite table"):
        experiments.figures(tmp_path, faces=np.zeros((2, 28, 20)))
