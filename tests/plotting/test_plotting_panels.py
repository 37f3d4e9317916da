"""The latent plane, the curves of training and the demo's picture."""

import io

import numpy as np
import pytest
from matplotlib.colors import to_hex

from wellposed import plotting
from wellposed._errors import DataError

LATENTS = np.random.default_rng(0).normal(size=(60, 4))
LABELS = np.arange(60) % 10
HISTORY = {
    "epoch": np.arange(1.0, 21.0),
    "objective": -100.0 + np.arange(20.0),
    "held_out_objective": -100.0 - (np.arange(20.0) - 12.0) ** 2,
    "noise_variance": np.linspace(1.0, 0.1, 20),
}


def offsets(ax):
    return np.concatenate([np.asarray(points.get_offsets()) for points in ax.collections])


def test_each_label_has_a_colour_of_its_own():
    ax = plotting.latent_plane(LATENTS, labels=LABELS)
    colours = [to_hex(points.get_facecolor()[0]) for points in ax.collections]
    assert len(colours) == len(set(colours)) == 10
    assert len(offsets(ax)) == 60
    assert ax.get_legend() is None  # numerals name themselves


def test_long_labels_are_named_in_the_legend():
    names = np.array(["alpha", "beta", "gamma"])[LABELS % 3]
    ax = plotting.latent_plane(LATENTS, labels=names)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["alpha", "beta", "gamma"]


def test_more_labels_than_colours_differ_in_their_marker():
    names = np.array([f"class {i}" for i in range(12)])
    ax = plotting.latent_plane(np.tile(LATENTS[:1], (12, 1)), labels=names)
    looks = {
        (to_hex(points.get_facecolor()[0]), points.get_paths()[0].vertices.tobytes())
        for points in ax.collections
    }
    assert len(looks) == 12


def test_the_two_latents_of_highest_rate_are_shown():
    ax = plotting.latent_plane(LATENTS, rates=np.array([0.1, 3.0, 0.0, 4.0]))
    np.testing.assert_allclose(offsets(ax), LATENTS[:, [3, 1]])
    assert ax.get_xlabel() == "latent 3  (rate 4.0 nats)"
    assert ax.get_ylabel() == "latent 1  (rate 3.0 nats)"


def test_the_circle_holds_95_percent_of_the_prior():
    circle = plotting.latent_plane(LATENTS).lines[0].get_xydata()
    draws = np.random.default_rng(1).normal(size=(200_000, 2))
    inside = (np.linalg.norm(draws, axis=1) < np.linalg.norm(circle, axis=1).mean()).mean()
    assert inside == pytest.approx(0.95, abs=0.003)


def test_one_latent_is_no_plane():
    with pytest.raises(DataError, match="two latents"):
        plotting.latent_plane(LATENTS[:, :1])


def test_curves_show_both_objectives_and_the_best_epoch():
    ax = plotting.training_curves(HISTORY)
    trained, held, best = ax.lines
    np.testing.assert_array_equal(trained.get_ydata(), HISTORY["objective"])
    np.testing.assert_array_equal(held.get_ydata(), HISTORY["held_out_objective"])
    assert best.get_xdata()[0] == 13
    (twin,) = [other for other in ax.figure.axes if other is not ax]
    np.testing.assert_array_equal(twin.lines[0].get_ydata(), HISTORY["noise_variance"])
    assert len(ax.get_legend().get_texts()) == 3


def test_curves_mark_the_epoch_that_the_model_is_of():
    assert plotting.training_curves(HISTORY, best_epoch=20).lines[2].get_xdata()[0] == 20
    assert len(plotting.training_curves(HISTORY, best_epoch=0).lines) == 2


def test_curves_without_held_out_rows_or_a_noise_variance():
    nothing = np.full(20, np.nan)
    history = HISTORY | {"held_out_objective": nothing, "noise_variance": nothing}
    ax = plotting.training_curves(history)
    assert len(ax.lines) == 1
    assert len(ax.figure.axes) == 1


def test_curves_of_a_single_epoch():
    ax = plotting.training_curves({name: column[:1] for name, column in HISTORY.items()})
    assert len(ax.lines) == 3


def test_the_demo_figure_has_four_panels_on_one_scale_of_greys():
    rows = np.random.default_rng(2).uniform(0, 16, size=(10, 64))
    figure = plotting.demo_figure(
        ancestral=rows[:6] + 3,
        mean=rows[:6],
        data=rows,
        reconstructed=rows,
        latents=LATENTS,
        labels=LABELS,
        rates=np.arange(4.0),
        image_shape=(8, 8),
    )
    counts = [len(ax.images) for ax in figure.axes]
    assert counts == [6, 6, 20, 0]
    low, high = rows.min(), rows.max()
    drawn = figure.axes[1].images[0].get_array().ravel()
    np.testing.assert_allclose(drawn * (high - low) + low, rows[0])
    heads = [ax.get_title(loc="left") for ax in figure.axes]
    assert all(heads)
    assert len(set(heads)) == 4
    figure.savefig(io.BytesIO(), format="png", dpi=40)  # a layout that collapses would warn


def test_no_figure_enters_the_global_registry():
    from matplotlib import _pylab_helpers

    plotting.images(np.zeros((1, 4)), (2, 2))
    assert not _pylab_helpers.Gcf.figs
