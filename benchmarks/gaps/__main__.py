"""Imputers on tables with hidden entries: errors, intervals, pooled means, seconds.

    python -m benchmarks.gaps [notebook] [six] [unit] [mixed] [rubin] [wine-masked] [synthetic]
        [images] [--masks 5] [--repeats 200] [--models 3] [--quick] [--without NAME ...] [--again]

``notebook``: breast cancer with the mask of MIWAE's notebook, mean squared error. ``six``: six
tables with half of the entries hidden completely at random, mean squared error of standardised
columns, and the coverage of 90 % intervals. ``unit``: letter and spam with a fifth hidden, root
mean squared error on [0, 1], and seconds. ``mixed``: horse-colic and adult as they are, a tenth of
the observed cells hidden; errors of numbers in standard deviations, and the share of categories
that are right. ``rubin``: coverage of 95 % intervals of column means from ten imputations.
``wine-masked``: white wine with high values hidden in half of the columns, root mean squared error
of standardised columns, with ``--models`` VAEs. ``synthetic``: draws of a VAE of adult beside real
rows. ``images``: MNIST with halves and single pixels missing, see ``images.py``, and a
picture in build/gaps. ``--quick`` takes one mask, 2,000 rows of letter, spam and adult, 3,000
images, and 40 repeats.
Figures are kept in build/gaps; ``--again`` measures them again. KNN takes the best of five k by
the hidden entries themselves, which is to its advantage.
"""

import argparse

import numpy as np

import wellposed as wp
from benchmarks.gaps import images, rubin
from benchmarks.gaps.data import SIX, Task, fifth_hidden, half_hidden, high_hidden, notebook
from benchmarks.gaps.imputers import IMPUTERS, Score, masked
from benchmarks.gaps.mixed import MIXED, adult, horse_colic, page
from benchmarks.gaps.store import FOLDER, scored
from benchmarks.gaps.synthetic import synthetic

PUBLISHED = {
    "breast": 0.280,
    "banknote": 0.446,
    "concrete": 0.501,
    "red": 0.643,
    "white": 0.735,
    "yeast": 0.964,
}
QUOTED = {"letter": 0.1198, "spam": 0.0513}
QUICK_ROWS = 2_000


def table(tasks: dict[str, list[Task]], names: list[str], *, root: bool, again: bool) -> None:
    """Print errors of imputers, a line each, averaged over the masks of each table."""
    lines: dict[str, list[str]] = {name: [] for name in names}
    for several in tasks.values():
        for name in names:
            scores = [scored(name, task, again=again) for task in several]
            lines[name].append(_cell(scores, root=root))
    print(f"\n{'imputer':16} " + " ".join(f"{title:>24}" for title in tasks))
    for name, cells in lines.items():
        print(f"{name:16} " + " ".join(f"{cell:>24}" for cell in cells), flush=True)


def _cell(scores: list[Score], *, root: bool) -> str:
    errors = np.array([score.error for score in scores])
    errors = np.sqrt(errors) if root else errors
    text = f"{errors.mean():.4f}"
    if len(errors) > 1:
        text += f" ± {errors.std(ddof=1) / np.sqrt(len(errors)):.4f}"
    if scores[0].coverage is not None:
        text += f" {np.mean([score.coverage for score in scores]):.1%}"
    return f"{text} {np.mean([score.seconds for score in scores]):4.0f} s"


def pooled(n_repeats: int) -> None:
    """Print the coverage of Rubin's intervals."""
    print("\n95 % intervals of column means, ten imputations, 200 rows, 40 % hidden")
    for kind in ("normal", "white"):
        for hide in (wp.datasets.hide_completely_at_random, wp.datasets.hide_at_random):
            for bootstrap in (True, False):
                share = rubin.coverage(
                    lambda seed, bootstrap=bootstrap: wp.GaussianImputer(
                        ridge=1.0, bootstrap=bootstrap, tol=1e-5, random_state=seed
                    ),
                    kind,
                    hide,
                    n_repeats,
                )
                how = "with" if bootstrap else "without"
                print(f"{kind:8} {hide.__name__:28} {how:8} bootstrap {share:6.1%}", flush=True)


def main() -> None:
    """Run the tables that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tables", nargs="*", default=["notebook", "six", "unit", "mixed", "rubin"])
    parser.add_argument("--masks", type=int, default=5)
    parser.add_argument("--models", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--without", nargs="*", default=[])
    parser.add_argument("--again", action="store_true")
    options = parser.parse_args()
    names = [name for name in IMPUTERS if name not in options.without]
    masks = range(1 if options.quick else options.masks)
    n_rows = QUICK_ROWS if options.quick else None
    again = options.again
    if "notebook" in options.tables:
        print("\nBreast cancer, MIWAE's notebook: MSE; published 0.287, missForest 0.315")
        table({"breast": [notebook()]}, names, root=False, again=again)
    if "six" in options.tables:
        print("\nHalf of the entries hidden: MSE, 90 % interval; published by MIWAE:", PUBLISHED)
        tasks = {name: [half_hidden(name, mask) for mask in masks] for name in SIX}
        table(tasks, names, root=False, again=again)
    if "unit" in options.tables:
        print("\nA fifth hidden, RMSE on [0, 1]; quoted of GAIN:", QUOTED)
        tasks = {name: [fifth_hidden(name, 0, n_rows)] for name in QUOTED}
        table(tasks, names, root=True, again=again)
    if "mixed" in options.tables:
        kinds = [name for name in MIXED if name not in options.without]
        page("horse-colic", horse_colic(), masks, kinds, again=again)
        page("adult", adult(n_rows), range(1), kinds, again=again)
    if "synthetic" in options.tables:
        synthetic(n_rows)
    if "wine-masked" in options.tables:
        print("\nWhite wine, high values hidden: RMSE; published 1.035 (high), 1.410 (MICE)")
        makers, task = masked(options.models), high_hidden()
        for name in makers:
            if name not in options.without:
                found = scored(name, task, makers, again=again)
                print(f"{name:28} {_cell([found], root=True)}", flush=True)
    if "images" in options.tables:
        images.table(quick=options.quick, again=again)
        images.picture(FOLDER / "images.png", quick=options.quick)
    if "rubin" in options.tables:
        pooled(40 if options.quick else options.repeats)


if __name__ == "__main__":
    main()
