"""The picture of an outlier: a bar a column, wrong cells in colour and in words."""

import numpy as np
from matplotlib.colors import to_hex

from wellposed import plotting
from wellposed.evaluation import Explanation


def explained(d):
    """Return an explanation of a row of which column 1 is wrong."""
    contributions = np.linspace(3.0, 0.0, d)[None]
    order = np.array([[1, 0, *range(2, d)]])
    wrong = np.arange(d)[None] == 1
    cells = np.arange(d, dtype=float)[None]
    names = tuple(f"name_{j}" for j in range(d))
    return Explanation(
        contributions.sum(axis=1),
        contributions,
        order,
        np.where(wrong, 0.01, 0.5),
        wrong,
        cells + 7.0 * wrong,
        names,
        cells,
    )


def test_bars_are_in_order_and_the_wrong_one_is_in_colour():
    found = explained(5)
    ax = plotting.outliers(found)
    np.testing.assert_allclose(
        [bar.get_width() for bar in ax.patches], found.contributions[0, found.order[0]]
    )
    colours = [to_hex(bar.get_facecolor()) for bar in ax.patches]
    assert colours[0] not in colours[1:]
    assert len(set(colours[1:])) == 1
    assert [text.get_text() for text in ax.get_yticklabels()][:2] == ["name_1", "name_0"]
    assert any("1 where 8 is expected" in text.get_text() for text in ax.texts)


def test_many_columns_are_summed_and_the_bars_still_sum_to_the_surprise():
    found = explained(40)
    ax = plotting.outliers(found)
    assert len(ax.patches) == 13
    total = sum(bar.get_width() for bar in ax.patches)
    assert abs(total - found.surprise[0]) < 1e-9


def test_the_text_names_the_cell_and_what_was_expected():
    assert "name_1 is 1 where 8 is expected" in str(explained(5))
    assert explained(5).first == ("name_1",)
