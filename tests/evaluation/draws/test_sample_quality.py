"""Sample quality: known distances, honest errors, and real data beside them."""

import jax
import numpy as np
import pytest

import wellposed as wp
from wellposed import evaluation, models, nn
from wellposed._errors import DataError, SettingError
from wellposed.numerics import scalar

KEY = jax.random.key(0)


def normal(n: int, seed: int, f: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, f))


def judge(drawn, real, held_out, **options):
    options = {"features": np.asarray, "key": KEY, **options}
    return wp.sample_quality(drawn, real, held_out=held_out, **options)


def test_without_resampling_it_is_its_two_measures():
    drawn, real, held_out = 0.7 * normal(80, 0) + 0.5, normal(80, 1), normal(80, 2)
    found = judge(drawn, real, held_out, k=2)
    for likeness, rows in ((found.drawn, drawn), (found.held_out, held_out)):
        share = evaluation.precision_recall(rows, real, k=2)
        assert likeness.frechet.value == evaluation.frechet_distance(rows, real)
        assert likeness.precision.value == share.precision
        assert likeness.recall.value == share.recall
    assert found.frechet_ratio == found.drawn.frechet.value / found.held_out.frechet.value


def test_the_samples_are_cut_to_one_size():
    """What is drawn is as near as what is held out: their biases are those of equal sizes."""
    found = judge(normal(3000, 0), normal(2000, 1), normal(100, 2))
    assert (found.n_rows, found.n_real) == (100, 2000)
    assert 1 / 3 < found.frechet_ratio < 3


def test_its_errors_are_the_spread_over_new_samples():
    """Of a sample shifted far enough that the distance is not all bias."""
    runs = [
        judge(normal(300, 3 * i) + 0.8, normal(300, 3 * i + 1), normal(300, 3 * i + 2))
        for i in range(40)
    ]
    for of in ("frechet", "precision", "recall"):
        values = np.array([getattr(run.drawn, of).value for run in runs])
        stated = np.mean([getattr(run.drawn, of).standard_error for run in runs])
        assert 0.75 < stated / values.std(ddof=1) < 1.5


def test_the_same_key_gives_the_same_numbers_and_another_does_not():
    rows = normal(60, 0), normal(90, 1), normal(50, 2)
    assert judge(*rows) == judge(*rows)
    assert judge(*rows) != judge(*rows, key=jax.random.key(1))


def test_a_classifier_gives_its_features():
    body, head = (
        nn.MakeMLP(())(n_in, n_out, key=KEY).layers[0] for n_in, n_out in ((4, 3), (3, 2))
    )
    classifier = models.Classifier(body, head, scalar(0.0), scalar(2.0), (0, 1), "tanh")
    rows = [normal(60, seed).astype(np.float32) for seed in range(3)]

    def by_hand(x):
        return np.tanh(x / 2 @ np.asarray(body.weight) + np.asarray(body.bias))

    found, expected = judge(*rows, features=classifier), judge(*rows, features=by_hand)
    assert found.n_features == 3
    assert found.drawn.frechet.value == pytest.approx(expected.drawn.frechet.value, rel=1e-4)


def test_it_prints_a_table():
    head, names, drawn, held_out = str(judge(normal(50, 0), normal(60, 1), normal(50, 2))).split(
        "\n"
    )
    assert "50 rows of each against 60 real ones, 4 features" in head
    assert "Fréchet distance" in names
    assert drawn.startswith("drawn")
    assert held_out.count("±") == 3


def test_bad_features_and_numbers_are_refused():
    rows = normal(50, 0), normal(60, 1), normal(50, 2)
    with pytest.raises(SettingError, match="fit_classifier"):
        judge(*rows, features="inception")
    with pytest.raises(DataError, match="one row a datum"):
        judge(*rows, features=lambda x: x.mean(axis=0))
    with pytest.raises(DataError, match="finite"):
        judge(*rows, features=lambda x: np.full_like(x, np.inf))
    with pytest.raises(DataError, match="4 rows or more"):
        judge(rows[0][:3], *rows[1:])
    with pytest.raises(SettingError, match="n_resamples"):
        judge(*rows, n_resamples=1)
    with pytest.raises(SettingError, match="k must be"):
        judge(*rows, k=0)
