"""AUROC of detectors of outliers on 28 tables, ours beside its rivals, in one run.

    python -m benchmarks.outliers [published] [clean] [unsupervised] [--sets NAME,... | small]
        [--seeds 5] [--detectors NAME,...] [--quick] [--again]

``published`` is the protocol of the published table, with its faults: tables below 1,000 rows are
resampled before they are split, so that rows of the test were trained on, and normal rows are not
shuffled. ``clean`` has neither. ``unsupervised`` trains on rows with outliers among them, where
``OutlierVAE(trim=0.2)`` is ours. Every other detector has its default settings; LOF, OCSVM and the
mixture are fitted to at most 10,000 rows, and MCD to at most 40 leading directions. Beside AUROC
and average precision stand the mean rank, a 95 % interval of the difference from KNN over tables,
the share of false alarms at α = 1, 5 and 10 %, and seconds.
Figures are kept in build/outliers; ``--again`` measures them again.
"""

import argparse
import json
import time
import warnings
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from benchmarks.data import REPOSITORY
from benchmarks.outliers.data import PROTOCOLS, SMALL, names, published, task
from benchmarks.outliers.detectors import ABSENT, DETECTORS, OURS, TRIMMED

FOLDER = REPOSITORY / "build" / "outliers"
RATES = (0.01, 0.05, 0.1)
RESAMPLES = 2_000
Figures = dict[str, Any]


def measured(
    name: str, protocol: str, seed: int, detector: str, *, quick: bool, again: bool
) -> Figures:
    """Figures of a detector on a table, measured now or earlier."""
    title = f"{protocol}-{name}-{seed}-{detector}{'-quick' if quick else ''}"
    path = FOLDER / f"{title}.json".replace(" ", "_").replace("'", "")
    if path.exists() and not again:
        return json.loads(path.read_text(encoding="utf-8"))
    given = task(name, protocol, seed, quick=quick)
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scores, fitted = DETECTORS[detector](given.train, given.test, seed)
        seconds = time.perf_counter() - start
        figures: Figures = {
            "auroc": 100 * roc_auc_score(given.y, scores),
            "precision": 100 * average_precision_score(given.y, scores),
            "seconds": seconds,
        }
        if fitted is not None:
            held = fitted.calibration_scores_
            below = np.searchsorted(held, -scores[given.y == 0], side="right")
            p = (1 + below) / (len(held) + 1)
            figures["alarms"] = [float((p <= rate + 1e-9).mean()) for rate in RATES]
            figures["sizes"] = [len(held), len(p)]
    FOLDER.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(figures), encoding="utf-8")
    return figures


def interval(difference: np.ndarray) -> tuple[float, float]:
    """95 % interval of a mean over tables, by the bootstrap."""
    rng = np.random.default_rng(0)
    drawn = rng.choice(difference, (RESAMPLES, len(difference))).mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def page(protocol: str, found: dict[str, dict[str, list[Figures]]]) -> None:
    """Print a line a table, and the means."""
    sets, known = list(found), list(next(iter(found.values())))
    mean = {
        kind: np.array([[np.mean([f[kind] for f in found[s][d]]) for d in known] for s in sets])
        for kind in ("auroc", "precision", "seconds")
    }
    print(
        f"\n{protocol}: AUROC of {len(sets)} tables\n{'':16}" + "".join(f"{d:>16}" for d in known)
    )
    for name, line in zip(sets, mean["auroc"], strict=True):
        print(f"{name:16}" + "".join(f"{value:16.1f}" for value in line))
    ranks = (-mean["auroc"]).argsort(axis=1).argsort(axis=1) + 1.0
    for title, values in (
        ("mean AUROC", mean["auroc"].mean(axis=0)),
        ("mean precision", mean["precision"].mean(axis=0)),
        ("mean rank", ranks.mean(axis=0)),
        ("seconds, all", mean["seconds"].sum(axis=0)),
    ):
        print(f"{title:16}" + "".join(f"{value:16.2f}" for value in values))
    own = TRIMMED if TRIMMED in known else OURS
    if own in known:
        ours = mean["auroc"][:, known.index(own)]
        for rival in ("KNN", "pPCA log p"):
            if rival in known:
                gain = ours - mean["auroc"][:, known.index(rival)]
                low, high = interval(gain)
                print(
                    f"{own} less {rival}: {gain.mean():+.2f}, 95 % interval {low:+.2f} to "
                    f"{high:+.2f}; lowest {gain.min():+.1f}, below −5 on {(gain < -5).sum()} tables"
                )
        alarms(found, own)
    theirs = published(protocol)
    if theirs and all(name in theirs for name in sets):
        best = {m: np.mean([theirs[s][m] for s in sets]) for m in theirs[sets[0]]}
        listed = sorted(best.items(), key=lambda item: -item[1])[:6]
        print("published: " + ", ".join(f"{m} {value:.1f}" for m, value in listed))
    for absent in ABSENT:
        print(f"not in the table: {absent}")


def alarms(found: dict[str, dict[str, list[Figures]]], own: str) -> None:
    """Print the share of inliers of the test with a p-value below each rate, over all tables."""
    all_of = [f for each in found.values() for f in each[own] if "alarms" in f]
    for i, rate in enumerate(RATES):
        shares = np.array([f["alarms"][i] for f in all_of])
        m, n = np.array([f["sizes"] for f in all_of]).T
        error = np.sqrt(rate * (1 - rate) * (1 / m + 1 / n))
        inside = np.abs(shares - rate) <= 2 * error + 1 / (m + 1)
        print(
            f"false alarms at {rate:.0%}: {shares.mean():.2%} on average, within two binomial "
            f"errors on {inside.sum()} of {len(inside)}"
        )


def main() -> None:
    """Measure, and print after every table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("protocols", nargs="*", default=["published"], choices=PROTOCOLS)
    parser.add_argument("--sets", default=",".join(names()))
    parser.add_argument("--detectors", default=",".join(DETECTORS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--again", action="store_true")
    given = parser.parse_args()
    sets = SMALL if given.sets == "small" else given.sets.split(",")
    for protocol in given.protocols:
        named = given.detectors.split(",")
        detectors = [d for d in named if d != TRIMMED or protocol == "unsupervised"]
        found: dict[str, dict[str, list[Figures]]] = {}
        for name in sets:
            found[name] = {
                detector: [
                    measured(name, protocol, seed, detector, quick=given.quick, again=given.again)
                    for seed in range(given.seeds)
                ]
                for detector in detectors
            }
            ours = found[name].get(OURS, [{"auroc": np.nan}])
            print(f"{protocol} {name} {ours[0]['auroc']:.1f}", flush=True)
        page(protocol, found)


if __name__ == "__main__":
    main()
