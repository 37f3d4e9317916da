"""Tables of several kinds with the default settings: a minute, so marked slow."""

import pandas as pd
import pytest

import wellposed as wp


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::wellposed.DataWarning", "ignore::wellposed.TrainingWarning")
def test_the_default_is_not_behind_a_mixture_of_independent_columns(shared_data):
    """It was a nat behind while the KL had its whole weight from the first step."""
    read = pd.read_csv(
        shared_data("gaps") / "adult-train.csv", header=None, na_values="?", skipinitialspace=True
    )
    columns = [0, 1, 3, 5, 6, 9, 10, 12, 14]
    frame = read[columns].set_axis([f"column {j}" for j in columns], axis=1)
    frame = frame.sample(1_600, random_state=0, ignore_index=True)
    held_out, train = frame[:400], frame[400:]
    schema = wp.Schema.of(frame)
    vae = wp.VAE(noise=schema, missing="ignorable", random_state=0).fit(train)
    found = vae.compare(held_out, train)
    mixture = next(rival for rival in found.rivals if rival.kind == "mixture")
    assert found.reading(mixture) != "worse", str(found)
    assert vae.collapse(held_out).rates.sum() > 2
