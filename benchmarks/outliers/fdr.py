"""False discoveries of OutlierVAE beside the rate asked, over 100 repeats a table.

    python -m benchmarks.outliers.fdr [--sets NAME,... | small] [--repeats 100] [--quick]

A detector is fitted to the normal rows of a table, clean protocol. Its calibration rows and the
normal rows of the test had no part in the training; a repeat deals them anew, as many to calibrate
by as the fit held out, and half of the others into a stream in which one row of ten is an outlier
of the table. Benjamini & Hochberg at 5, 10 and 20 % flags rows of the stream by their conformal
p-values. Printed is the mean share of normal rows among the flagged ones, with the standard error
over repeats, and the share of the outliers that is found. Below the least p-value, 1/(m + 1), no
rate can be reached: a table with few calibration rows flags nothing.
"""

import argparse
import warnings

import numpy as np

from benchmarks.outliers.data import SMALL, names, task
from benchmarks.outliers.detectors import DETECTORS, OURS
from wellposed.evaluation.outliers import benjamini_hochberg, conformal_p_values

RATES = (0.05, 0.1, 0.2)
SHARE = 0.1  # of outliers in the stream


def repeat(
    usual: np.ndarray, outlying: np.ndarray, n_held: int, rng: np.random.Generator
) -> np.ndarray:
    """Return false discoveries and finds of one repeat, shape (rates, 2).

    ``usual`` and ``outlying`` are scores, larger for outliers; ``n_held`` calibrate.
    """
    dealt = rng.permutation(usual)
    held, rest = dealt[:n_held], dealt[n_held:]
    stream = rest[: max(1, len(rest) // 2)]
    n_out = min(len(outlying), max(1, round(SHARE / (1 - SHARE) * len(stream))))
    drawn = rng.choice(outlying, n_out, replace=False)
    p = conformal_p_values(np.append(stream, drawn), held)
    found = []
    for rate in RATES:
        flagged = benjamini_hochberg(p, rate)
        false, right = flagged[: len(stream)].sum(), flagged[len(stream) :].sum()
        found.append((false / max(1, false + right), right / n_out))
    return np.array(found)


def measure(name: str, n_repeats: int, *, quick: bool) -> np.ndarray:
    """Figures of all repeats on a table, shape (repeats, rates, 2)."""
    given = task(name, "clean", 0, quick=quick)
    scores, detector = DETECTORS[OURS](given.train, given.test, 0)
    held = -detector.calibration_scores_
    usual = np.append(held, scores[given.y == 0])
    rng = np.random.default_rng(0)
    return np.stack([repeat(usual, scores[given.y == 1], len(held), rng) for _ in range(n_repeats)])


def main() -> None:
    """Print a line a table, and the means."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sets", default="")
    parser.add_argument("--repeats", type=int, default=100)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    sets = SMALL if given.sets == "small" else given.sets.split(",") if given.sets else names()
    print(f"{'false discoveries; outliers found':34}" + "".join(f"{r:>22.0%}" for r in RATES))
    means, within = [], np.zeros(len(RATES), int)
    for name in sets:
        found = measure(name, given.repeats, quick=given.quick)
        mean = found.mean(axis=0)
        error = found[:, :, 0].std(axis=0, ddof=1) / np.sqrt(given.repeats)
        within += mean[:, 0] <= RATES + 2 * error
        cells = (
            f"{false:9.1%} ± {e:.1%}; {right:6.1%}"
            for (false, right), e in zip(mean, error, strict=True)
        )
        print(f"{name:34}" + "".join(cells), flush=True)
        means.append(mean)
    total = np.mean(means, axis=0)
    print(f"{'mean':34}" + "".join(f"{f:15.1%}; {r:6.1%}" for f, r in total))
    shown = ", ".join(f"{n} of {len(sets)} at {r:.0%}" for n, r in zip(within, RATES, strict=True))
    print(f"at most the rate asked, to within two standard errors: {shown}")


if __name__ == "__main__":
    main()
