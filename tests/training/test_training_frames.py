"""How many frames of the Python stack lie between ``VAE.fit`` and the compiled epoch."""

import traceback
from pathlib import Path

import numpy as np
import pytest

import wellposed as wp
from textbook import textbook_vae
from wellposed.training import _pass

LIBRARY = str(Path(wp.__file__).parent)


@pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")
def test_few_frames_lie_between_fit_and_the_compiled_epoch(monkeypatch):
    """Counted where the epoch is traced, frames of equinox and JAX included, as are both ends."""
    stacks, run_epoch = [], _pass.run_epoch

    def record(*inputs, **options):
        stacks.append(traceback.extract_stack()[:-1])  # without this frame
        return run_epoch(*inputs, **options)

    monkeypatch.setattr(_pass, "run_epoch", record)
    X = np.random.default_rng(0).normal(size=(60, 3))
    # No other test has these widths: the epoch is traced here.
    textbook_vae(1, hidden=(7, 5), max_epochs=1, random_state=0, progress=False).fit(X)
    names = [frame.name for frame in stacks[0]]
    frames = stacks[0][max(i for i, name in enumerate(names) if name == "fit") :]
    assert "_vae" in frames[0].filename
    assert len(frames) <= 13, [frame.name for frame in frames]
    ours = [frame.name for frame in frames if frame.filename.startswith(LIBRARY)]
    assert ours == ["fit", "fit_member", "run_epochs", "call", "train_epoch"]
