"""Damaged files of every format: read or refused, and nothing else. The whole is a benchmark."""

import importlib
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
COUNT = 40
KINDS = (
    "npy", "npz", "csv", "csv.gz", "parquet", "idx", "idx.gz",
    "png", "jpeg", "bmp", "gif", "tiff", "webp",
)  # fmt: skip


@pytest.fixture
def fuzz_readers(monkeypatch):
    monkeypatch.syspath_prepend(str(REPOSITORY))
    yield importlib.import_module("benchmarks.fuzz_readers")
    for name in [name for name in sys.modules if name.partition(".")[0] == "benchmarks"]:
        del sys.modules[name]


def test_all_formats_are_tried(fuzz_readers):
    assert fuzz_readers.KINDS == KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_damage_ends_in_an_error_of_the_library(fuzz_readers, tmp_path, kind):
    outcomes = list(fuzz_readers.fuzz(kind, COUNT, tmp_path))
    assert len(outcomes) == COUNT
    assert {o.outcome for o in outcomes} <= {"read", "refused"}
    assert max(o.mebibytes for o in outcomes) <= fuzz_readers.MOST_MEBIBYTES
    assert max(o.seconds for o in outcomes) <= fuzz_readers.MOST_SECONDS
