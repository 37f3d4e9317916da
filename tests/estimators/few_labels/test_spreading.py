"""Labels spread along neighbours: the linear system with class masses, moons, rows out of reach."""

import numpy as np
import pytest
from sklearn.datasets import make_moons

from wellposed import DataError, SettingError
from wellposed.estimators.few_labels.spreading import LabelSpread, SpreadLabels


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


def test_a_label_walks_as_many_steps_as_there_are_rows_to_each():
    Z, y = np.random.default_rng(1).normal(size=(60, 2)), np.full(60, -1)
    y[:12] = np.arange(12) % 2
    found = LabelSpread().fit(Z, y)
    assert found.alpha_ / (1 - found.alpha_) == pytest.approx(48 / 12)
    same = LabelSpread(alpha=0.8).fit(Z, y)
    np.testing.assert_allclose(found.transduction_, same.transduction_, atol=1e-5)
    many = np.random.default_rng(2).normal(size=(400, 2))
    assert LabelSpread().fit(many, [0, 1, *[-1] * 398]).alpha_ == 0.99


def test_units_are_those_of_the_distances():
    rng = np.random.default_rng(4)
    Z, y = rng.normal(size=(60, 3)), np.where(np.arange(60) < 8, np.arange(60) % 2, -1)
    units, new = rng.normal(size=(3, 2)), rng.normal(size=(7, 3))
    inside, before = LabelSpread(units=units).fit(Z, y), LabelSpread().fit(Z @ units, y)
    np.testing.assert_allclose(inside.predict_proba(new), before.predict_proba(new @ units))


def test_labels_are_of_any_kind():
    Z = np.array([[0.0], [0.1], [5.0], [5.1]])
    assert LabelSpread(1).fit(Z, ["a", None, "b", None]).predict(Z).tolist() == [*"aabb"]


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
    with pytest.raises(DataError, match="Some rows must have a label"):
        LabelSpread().fit(np.eye(4), np.full(4, -1))
    with pytest.raises(SettingError, match="prior must be a mass above zero for each of 2"):
        LabelSpread(prior=np.ones(3)).fit(np.eye(4), [0, 1, -1, -1])
    with pytest.raises(SettingError, match=r"units must be a finite array of shape \(4, m\)"):
        LabelSpread(units=np.ones((3, 2))).fit(np.eye(4), [0, 1, -1, -1])
    with pytest.raises(SettingError, match="alpha"):
        LabelSpread(alpha=1.0).fit(np.eye(4), [0, 1, -1, -1])


def test_the_surest_rows_get_labels_and_the_given_ones_stay():
    Z, truth = make_moons(300, noise=0.05, random_state=0)
    y = np.full(300, -1)
    y[[np.flatnonzero(truth == 0)[0], np.flatnonzero(truth == 1)[0]]] = 1, 0  # given wrongly
    classifier = LabelSpread().fit(Z, y)
    filled = classifier.surest(y, 0.5)
    assert (filled[y >= 0] == y[y >= 0]).all()
    assert (filled >= 0).sum() == 2 + 149
    lead = np.abs(np.diff(classifier.transduction_, axis=1)[:, 0])
    others = y == -1
    assert lead[others & (filled >= 0)].min() >= lead[others & (filled < 0)].max()
    assert (filled[filled >= 0] != truth[filled >= 0]).mean() > 0.98


def test_labels_that_are_taken_away_leave_no_trace():
    rng = np.random.default_rng(2)
    points, labels = rng.normal(size=(60, 2)), np.full(60, np.nan)
    labels[:6] = [0, 1, 0, 1, 0, 1]
    spread = SpreadLabels(points, 0.8, None, held=np.array([50, 51]))
    spread(labels)  # builds the graph
    fewer, other = labels.copy(), labels.copy()
    fewer[[4, 5]] = other[[4, 5]] = np.nan
    fresh = SpreadLabels(points, 0.8, None, held=np.array([50, 51]))
    np.testing.assert_array_equal(spread(fewer), fresh(other))
    assert np.isnan(spread(labels)[[50, 51]]).all()
    np.testing.assert_array_equal(spread(labels)[:6], labels[:6])
    none = SpreadLabels(points, 0.0, None, held=np.array([], int))
    np.testing.assert_array_equal(none(labels), labels)


def test_a_restored_classifier_says_the_same():
    rng = np.random.default_rng(3)
    Z, y = rng.normal(size=(50, 3)), np.where(np.arange(50) < 6, np.arange(50) % 2, -1)
    fitted = LabelSpread(units=rng.normal(size=(3, 2))).fit(Z, y)
    again = LabelSpread.of_shares(fitted.points, fitted.transduction_, fitted.units)
    new = rng.normal(size=(9, 3))
    np.testing.assert_array_equal(again.predict_proba(new), fitted.predict_proba(new))
