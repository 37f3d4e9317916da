"""Adult as its file is: a VAE of it, and the quality of as many draws as it has rows."""

import time
import warnings

import pandas as pd

import wellposed as wp
from benchmarks.data import root
from benchmarks.gaps.mixed import ADULT_NAMES

TRAIN_SHARE = 0.8


def synthetic(n_rows: int | None = None) -> None:
    """Print the quality of a synthetic table, of all rows of adult or of some."""
    path = root() / "gaps" / "adult-train.csv"
    frame = pd.read_csv(path, header=None, skipinitialspace=True, names=ADULT_NAMES.split())
    frame = frame.sample(n_rows, frac=None if n_rows else 1.0, random_state=0)
    n_train = int(TRAIN_SHARE * len(frame))
    train, test = frame[:n_train], frame[n_train:]
    vae = wp.VAE(noise=wp.Schema.of(frame), random_state=0)
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", wp.WellposedWarning)  # of 99999 in the gains
        vae.fit(train)
    print(f"\nAdult, {len(train)} rows to train on: fitted in {time.perf_counter() - start:.0f} s")
    drawn = vae.sample(len(train))
    print(wp.table_quality(drawn, train, test, target="income"), flush=True)
    some = test[:1_000]
    log_p = vae.score_samples(some)
    error = log_p.std(ddof=1) / len(log_p) ** 0.5
    print(f"log p(x) of {len(some)} held-out rows: {log_p.mean():.1f} ± {error:.1f} nats")
