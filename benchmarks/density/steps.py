"""One table from one Gaussian to a VAE: what each step gains.

    python -m benchmarks.density.steps [TABLE] [--splits 5] [--folds 5] [--json FILE]

Each step is fitted to the same splits as in ``benchmarks.density``; its gain is the paired
difference to the step that it extends. docs/reproductions/gaussian-to-vae.md shows the table.
"""

import argparse
import dataclasses
import warnings
from pathlib import Path
from typing import Any

from sklearn.exceptions import ConvergenceWarning

import wellposed as wp

from . import tables
from .compare import Comparison, Mean, mean_of
from .figures import Store, measure
from .rivals import FACTORS, FOLDS, MIXTURE, RIVALS, Rival, vae_of


@dataclasses.dataclass(frozen=True)
class Step:
    """A model, and the name of the one that it extends."""

    name: str
    rival: Rival
    extends: str | None = None


RESIDUAL, PRIOR, SIGMA = "nonlinear residual", "mixture as p(z)", "σ(z)"
_FEATURE: dict[str, Any] = {"noise": "feature", "prior": "standard", "linear_start": True}
STEPS = [
    Step("Gaussian", RIVALS["Gaussian"]),
    Step(FACTORS, RIVALS[FACTORS], "Gaussian"),
    Step(MIXTURE, RIVALS[MIXTURE], "Gaussian"),
    Step("MixturePPCA", RIVALS["MixturePPCA"], FACTORS),
    Step(RESIDUAL, vae_of(_FEATURE), FACTORS),
    Step(PRIOR, vae_of(_FEATURE | {"prior": "mixture"}), RESIDUAL),
    Step(SIGMA, vae_of(_FEATURE | {"prior": "mixture", "noise": "conditional"}), PRIOR),
    Step("default settings", vae_of({}), FACTORS),
]


def gain(found: Comparison, step: Step) -> Mean | None:
    """Paired difference of a step to the one that it extends."""
    ours = found.log_p(step.name)
    before = None if step.extends is None else found.log_p(step.extends)
    return None if ours is None or before is None else mean_of(ours - before)


def main() -> None:
    """Print the steps of one table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("table", nargs="?", default="breast-cancer", choices=tables.SEVEN)
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--folds", type=int, default=FOLDS, choices=range(1, FOLDS + 1))
    parser.add_argument("--json", type=Path, help="file that keeps the figures")
    given = parser.parse_args()
    for kind in (ConvergenceWarning, wp.WellposedWarning):  # of many candidates
        warnings.simplefilter("ignore", kind)
    (table,) = tables.read([given.table], outliers=False)
    kept = Store(given.json)
    print(f"{table}, {given.splits} splits; held-out log p(x), nats a row in data units")
    print(f"{'':20} {'log p(x)':>16} {'gain':>16}  over")
    figures: dict[str, list[Any]] = {}
    for step in STEPS:
        figures[step.name] = []
        for seed in range(given.splits):
            figure = measure(
                table.name, step.name, step.rival, table.split(seed), seed, given.folds
            )
            kept.add(figure)
            figures[step.name].append(figure)
        found = Comparison(table.name, figures)
        mean, more = found.mean(step.name), gain(found, step)
        over = "" if more is None else f"{more!s:>16}  {step.extends}"
        why = f"({figures[step.name][0].chosen})" if mean is None else f"{mean!s:>16} {over}"
        print(f"{step.name:20} {why}", flush=True)


if __name__ == "__main__":
    main()
