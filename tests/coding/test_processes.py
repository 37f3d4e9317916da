"""Blocks coded by other processes: the same bytes and cells, and nothing lost with a process."""

import dataclasses
import os
import sys

import numpy as np
import pytest
from digit_models import digits, trained

import wellposed as wp
from wellposed.coding import integer_model
from wellposed.coding.container import Group, Modelled, pack_block
from wellposed.coding.processes import Job, Processes
from wellposed.coding.protocol import MISSING
from wellposed.coding.wire import pack, unpack
from wellposed.estimators.compression import side_by_side

ROWS = digits()[:300].astype(np.uint8)


@pytest.fixture(scope="module")
def job():
    places = np.arange(64)
    modelled = Modelled(np.zeros(64, np.int64), places, np.zeros(64, np.uint8))
    return Job((Group(np.dtype("u1"), 64),), modelled, integer_model(trained("logistic")))


def test_a_process_packs_and_reads_as_this_one_does_and_may_fail_or_end(job):
    with Processes(job, 1) as others:
        body = others.pack([ROWS])
        assert body == pack_block([ROWS], job.modelled, job.coder)
        (cells,) = others.read(body, len(ROWS))
        np.testing.assert_array_equal(cells, ROWS)
        assert cells.dtype == ROWS.dtype
        assert others.read(body[:-5], len(ROWS)) is None
        assert others.pack([ROWS]) == body  # it goes on after a failure
        others._all[0]._process.kill()
        with pytest.warns(RuntimeWarning, match="one of them did not start, or ended"):
            assert others.pack([ROWS]) is None
        assert others.read(body, len(ROWS)) is None
    assert all(worker._process.poll() is not None for worker in others._all)


def test_a_file_does_not_depend_on_processes(job, monkeypatch):
    monkeypatch.setattr(side_by_side, "_WORTH_PROCESSES", 0)
    asked = []
    original = Processes.pack
    monkeypatch.setattr(Processes, "pack", lambda *a: asked.append(original(*a)) or asked[-1])
    files = []
    for n in (2, 1):
        monkeypatch.setattr(side_by_side, "_processors", lambda n=n: n)
        files.append(wp.compress(job.coder, ROWS, block_rows=128))
    assert files[0] == files[1]
    np.testing.assert_array_equal(wp.decompress(files[0], job.coder), ROWS)
    assert len(asked) == 3
    assert None not in asked
    # Without an interpreter to start, this process does the work.
    monkeypatch.setattr(side_by_side, "_processors", lambda: 2)
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    with pytest.warns(RuntimeWarning, match="one of them did not start"):
        assert wp.compress(job.coder, ROWS, block_rows=128) == files[0]
    # Nor is a program started that is no interpreter, or that answers with other words.
    monkeypatch.setattr("sys.executable", "/usr/bin/some-application")
    assert wp.compress(job.coder, ROWS, block_rows=128) == files[0]
    assert len(asked) == 6


def test_what_a_model_codes_survives_its_bytes():
    modelled = Modelled(
        np.array([0, 0, 1]),
        np.array([2, 0, 1]),
        np.array([0, 2, 0], np.uint8),
        {2: (4, -1, MISSING)},
        gaps=True,
        masks={1: (0, 1)},
    )
    again = Modelled.from_state(unpack(pack(modelled.state())))
    for field in dataclasses.fields(Modelled):
        own, other = getattr(modelled, field.name), getattr(again, field.name)
        np.testing.assert_array_equal(own, other)
        assert type(own) is type(other)
    assert again.codes.dtype == np.uint8


@pytest.mark.skipif(os.name != "posix", reason="the program is a shell script")
def test_another_program_is_not_taken_for_a_worker(job, monkeypatch, tmp_path):
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\necho an application, no interpreter\ncat > /dev/null\n")
    program.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(program))
    monkeypatch.setattr("sys.path", [tmp_path, *sys.path])  # imports ignore what is no text
    with Processes(job, 1) as others, pytest.warns(RuntimeWarning, match="did not start, or ended"):
        assert others.pack([ROWS]) is None
