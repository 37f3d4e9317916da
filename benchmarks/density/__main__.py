"""Held-out log p(x) of tables: a VAE with its default settings beside every rival, in one run.

    python -m benchmarks.density [--outliers] [--tables NAME,...] [--splits 5] [--rivals NAME,...]
        [--folds 1] [--vae KEY=VALUE ...] [--seconds] [--chosen] [--json FILE] [--rivals-from FILE]

Seven tables of scikit-learn and ``uci``, at most 1,500 rows; or, with ``--outliers``, the inliers
of the 28 tables of ``outliers``, at most 5,000 rows. Rows are jittered within their resolution. A
fifth of the rows, drawn by the split's number, is held out. Every rival chooses its settings on a
fifth of the training rows, or on each of ``--folds`` fifths in turn; columns are standardised for
the rivals, and log densities are of data units. The VAE has its default settings, or ``--vae`` ones
for an experiment. ``--json`` keeps all figures; ``--rivals-from`` takes the figures of rivals that
a file holds instead of running them.
"""

import argparse
import ast
import warnings
from pathlib import Path
from typing import Any

from sklearn.exceptions import ConvergenceWarning

import wellposed as wp

from . import page, tables
from .compare import Comparison
from .figures import Store, measure
from .rivals import FOLDS, RIVALS, VAE, Rival, rivals_of
from .verdict import verdict


def setting(text: str) -> tuple[str, Any]:
    """Parse KEY=VALUE; a value that is no Python literal is a word."""
    key, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    try:
        return key, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return key, value


def names(text: str) -> list[str]:
    """Parse NAME,NAME."""
    return [name for name in text.split(",") if name]


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--outliers", action="store_true", help="the inliers of the 28 tables")
    parser.add_argument("--tables", type=names)
    parser.add_argument("--rivals", type=names, default=[*RIVALS, VAE], help=", ".join(RIVALS))
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--folds", type=int, default=1, choices=range(1, FOLDS + 1))
    parser.add_argument("--vae", type=setting, nargs="*", default=[], metavar="KEY=VALUE")
    parser.add_argument("--seconds", action="store_true", help="print seconds as well")
    parser.add_argument("--chosen", action="store_true", help="print what each rival chose")
    parser.add_argument("--json", type=Path, help="file that keeps the figures")
    parser.add_argument("--rivals-from", type=Path, help="file with figures of rivals")
    given = parser.parse_args()
    unknown = set(given.rivals) - {*RIVALS, VAE}
    if unknown:
        parser.error(f"no rival {', '.join(sorted(unknown))}; there are {', '.join(RIVALS)}, {VAE}")
    if given.splits < 1:
        parser.error(f"--splits must be at least 1; got {given.splits}")
    return given


def compare(
    table: tables.Table,
    rivals: dict[str, Rival],
    given: argparse.Namespace,
    known: Store,
    kept: Store,
) -> Comparison:
    """Measure each rival on each split, but take the rivals' figures that are known."""
    figures: dict[str, list[Any]] = {name: [] for name in rivals}
    for seed in range(given.splits):
        split = table.split(seed)
        for name, rival in rivals.items():
            figure = None if name == VAE else known.get(table.name, name, seed)
            if figure is None or figure.log_p is None or figure.folds != given.folds:
                figure = measure(table.name, name, rival, split, seed, given.folds)
            kept.add(figure)
            figures[name].append(figure)
    return Comparison(table.name, figures)


def main() -> None:
    """Print the tables and the verdict."""
    given = arguments()
    for kind in (ConvergenceWarning, wp.WellposedWarning):  # of many candidates
        warnings.simplefilter("ignore", kind)
    rivals = {n: rival for n, rival in rivals_of(dict(given.vae)).items() if n in given.rivals}
    known, kept = Store(given.rivals_from), Store(given.json)
    compared, seconds = [], []
    print(page.heading(list(rivals)), flush=True)
    for table in tables.read(given.tables, outliers=given.outliers):
        found = compare(table, rivals, given, known, kept)
        print(page.line(str(table), found, list(rivals)), flush=True)
        notes = page.choices(found) if given.chosen else page.skips(found)
        print("\n".join(notes), end="\n" if notes else "", flush=True)
        seconds.append(page.seconds_line(str(table), found, list(rivals)))
        compared.append(found)
    if given.seconds:
        print("\n" + page.seconds_heading(list(rivals), given.rivals_from), *seconds, sep="\n")
    print("\n" + verdict(compared, outliers=given.outliers))


if __name__ == "__main__":
    main()
