"""The second VAE of a recipe: what it is trained on, and what it draws."""

import numpy as np
import pytest

from textbook import textbook_vae
from wellposed.experiments.reproduce.second_stage import second_stage, two_stage_means


@pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")
@pytest.mark.slow
def test_the_second_vae_is_one_of_codes(monkeypatch):
    rows = np.random.default_rng(0).normal(size=(60, 3)) + 100.0
    first = textbook_vae(2, hidden=(8,), max_epochs=3, random_state=0).fit(rows)
    second = second_stage(first, rows, max_epochs=2)
    assert second.n_features_in_ == second.n_components == 2
    means = two_stage_means(first, second, 7)
    np.testing.assert_array_equal(means, first.inverse_transform(second.sample(7)))
    assert np.abs(means.mean(axis=0) - 100).max() < 2

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("wellposed.training._training.epoch_program", lambda n_rows: interrupted)
    with pytest.raises(KeyboardInterrupt):
        second_stage(first, rows, max_epochs=2)
