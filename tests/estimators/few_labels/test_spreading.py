"""Labels spread along neighbours: the linear system with class masses, moons, rows out of reach."""

import numpy as np
import pytest
from sklearn.datasets import make_moons

from wellposed import DataError, SettingError
from wellposed.estimators.few_labels.spreading import LabelSpread


def dense(Z: np.ndarray, known: np.ndarray, n_neighbors: int, alpha: float) -> np.ndarray:
    """F by a dense inverse."""
    distance = np.linalg.norm(Z[:, None] - Z[None], axis=2)
    weight = np.zeros_like(distance)
    for i, row in enumerate(distance):
        near = np.argsort(row + 1e9 * (np.arange(len(Z)) == i))[:n_neighbors]
        weight[i, near] = np.exp(-((row[near] / row[near[-1]]) ** 2))
    weight = np.maximum(weight, weight.T)
    scale = np.diag(weight.sum(axis=1) ** -0.5)
    step = np.eye(len(Z)) - alpha * scale @ weight @ scale
    return (1 - alpha) * np.linalg.solve(step, known)


@pytest.mark.parametrize("prior", [None, np.array([0.2, 0.5, 0.3])])
def test_equals_the_dense_solution(prior):
    rng = np.random.default_rng(0)
    Z, y = rng.normal(size=(80, 3)), np.full(80, -1)
    y[:9] = np.repeat([0, 1, 2], [2, 3, 4])
    found = LabelSpread(n_neighbors=6, alpha=0.9, prior=prior).fit(Z, y)
    reached = dense(Z, (y[:, None] == np.arange(3)).astype(float), 6, 0.9)
    shares = (1.0 if prior is None else prior) * reached / reached.sum(axis=0)
    expected = shares / shares.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found.transduction_, expected, atol=1e-5)


def test_follows_two_moons_from_one_label_each():
    Z, y = make_moons(400, noise=0.05, random_state=0)
    few = np.full(400, -1)
    few[[np.flatnonzero(y == 0)[0], np.flatnonzero(y == 1)[0]]] = 0, 1
    classifier = LabelSpread().fit(Z, few)
    new, truth = make_moons(200, noise=0.05, random_state=1)
    assert (classifier.predict(new) == truth).mean() > 0.98


def test_a_new_row_on_a_row_of_the_fit_has_mostly_its_shares():
    Z = np.array([[0.0], [1.0], [2.0], [10.0], [11.0], [12.0]])
    classifier = LabelSpread(n_neighbors=2).fit(Z, np.array([5, -1, -1, 7, -1, -1]))
    assert classifier.classes_.tolist() == [5, 7]
    found = classifier.predict_proba(Z)
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    assert classifier.predict(Z).tolist() == [5, 5, 5, 7, 7, 7]


def test_a_row_out_of_reach_has_the_prior():
    Z = np.concatenate([np.arange(12.0), 1e6 + np.arange(12.0)])[:, None]
    y = np.full(24, -1)
    y[[0, 11]] = 0, 1
    prior = np.array([0.25, 0.75])
    found = LabelSpread(n_neighbors=3, prior=prior).fit(Z, y).transduction_
    np.testing.assert_allclose(found[12:], np.tile(prior, (12, 1)))


def test_refusals():
    with pytest.raises(DataError, match="At least one row must have a label"):
        LabelSpread().fit(np.eye(4), np.full(4, -1))
    with pytest.raises(SettingError, match="alpha"):
        LabelSpread(alpha=1.0).fit(np.eye(4), [0, 1, -1, -1])
