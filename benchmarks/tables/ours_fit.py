"""A first fit by the library: ``ours_fit.py ROWS.npy``."""

import json
import sys
import warnings
from pathlib import Path

import numpy as np

import wellposed as wp
from wellposed.estimators._build import plan_of


def main() -> None:
    """Fit with all settings at their defaults."""
    warnings.simplefilter("ignore")
    rows = np.load(Path(sys.argv[1]))
    vae = wp.VAE(5, random_state=0).fit(rows)
    batch = plan_of(vae.get_params(), len(rows)).batch_size
    print(json.dumps({"k": 5, "epochs": vae.n_epochs_, "batch": batch}))


if __name__ == "__main__":
    main()
