"""Text from outside: what is shown of it, and that it obeys nobody."""

import warnings

import numpy as np
import pytest
from matplotlib.cbook import is_math_text

from wellposed import plotting
from wellposed._html import table
from wellposed._text import cut, in_figure, no_tex, paragraph, visible

NASTY = (
    "$x",
    r"\alpha",
    "a$b$c",
    r"$\frac{1}$",
    r"\$a\$ $b$",
    "income_$_to_$",
    "<script>alert(1)</script>",
    "{{x}}",
    "two\nlines",
    "\x00",
    "tab\tbed",
    "\u202eabc\u202c",
    "\N{HEBREW LETTER ALEF}\N{HEBREW LETTER BET}",
    "\U0001f600",
    "x" * 500,
    "",
    "   ",
    7,
    "%s %d {}",
    "_legend",
    "__",
    "\x1b[31mred\x1b]0;title\x07",
    "\ud800",
    "\u2028",
)


@pytest.mark.parametrize("name", NASTY, ids=ascii)
def test_nothing_unseen_is_left(name):
    for shown in (visible(name), in_figure(name), no_tex(name).replace("\n", "")):
        shown.encode("utf-8")
        assert not any(c < " " or "\x7f" <= c < "\xa0" or c in "\u2028\u202e" for c in shown)
    assert "\n" not in paragraph(name)
    assert 0 < len(in_figure(name)) <= 48
    assert visible("na\u00efve \u03c3\u00b2") == "na\u00efve \u03c3\u00b2"


def test_a_cut_name_keeps_both_ends():
    assert cut("abc", 3) == "abc"
    names = {cut("x" * 100 + end, 40) for end in ("first", "second")}
    assert len(names) == 2
    assert {len(name) for name in names} == {40}


def texts(figure):
    import matplotlib.text

    return [text.get_text() for text in figure.findobj(matplotlib.text.Text)]


def drawn(figure):
    """Draw a figure, as saving it does; glyphs that a font has not are no fault."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph", UserWarning)
        figure.canvas.draw()
    assert not any(map(is_math_text, texts(figure)))
    return figure


def test_figures_show_any_name_as_it_is():
    names = list(NASTY)
    data = np.random.default_rng(0).normal(size=(30, len(names)))
    for start in range(0, len(names), 12):
        some = slice(start, start + 12)
        drawn(plotting.marginals(data[:, some], data[:, some], names=names[some]))
    means = data[None, :9]
    drawn(plotting.traversals(np.arange(9.0), means[..., :12], [0], names=names[:12]))
    shown = texts(drawn(plotting.residual_boxes(data[:, :24], names=names[:24])))
    assert r"income_\$_to_\$" in shown
    labels = np.array([str(name) for name in names], dtype=object)
    ax = plotting.latent_plane(data[: len(names), :2], labels=labels, title="a $ to $")
    legend = ax.get_legend_handles_labels()[1]
    assert len(legend) == len(set(labels)) - 1  # 7 is drawn as itself; no other is hidden
    drawn(ax.get_figure())
    mixed = np.array([2, "$a", None] * 8, dtype=object)
    legend = plotting.latent_plane(data[:24, :2], labels=mixed).get_legend_handles_labels()[1]
    assert legend == [r"\$a", "None"]
    pixels = np.zeros((4, 4))
    drawn(plotting.images(pixels, (2, 2), names=["$a$", "_b"], title="$c$").get_figure())
    drawn(plotting.reconstructions(pixels, pixels, (2, 2), title="$c$").get_figure())
    drawn(plotting.families([("$a$\n$b$", {"mean": pixels})], (2, 2)))


def test_records_in_notebooks_show_any_name():
    made = table("a\x1b[0m", ["<b>", "x"], [[name, 1.0] for name in NASTY])
    made.encode("utf-8")
    assert "\x1b" not in made
    assert "<script>" not in made
    assert r"&lt;b&gt;" in made
