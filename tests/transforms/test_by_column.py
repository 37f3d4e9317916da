"""Some columns through transforms of their own."""

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

import wellposed as wp
from textbook import textbook_vae
from wellposed.transforms import ByColumn, Log, Log1p, Standardize, summarise

DRAWS = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {
        "age": DRAWS.normal(40, 10, 200),
        "income": np.exp(DRAWS.normal(8, 1, 200)),
        "rain": np.where(DRAWS.uniform(size=200) < 0.4, 0.0, DRAWS.exponential(5, 200)),
        "height": DRAWS.normal(170, 8, 200),
    }
)
ROWS = FRAME.to_numpy()
TYPES = {"rain": "log1p", "income": "log"}


def fitted() -> ByColumn:
    return ByColumn(TYPES).place(4, list(FRAME.columns)).fit(summarise(ROWS))


def parts() -> dict[int, object]:
    """Each column alone, by the transform that it has."""
    kinds = {0: Standardize(), 1: Log(), 2: Log1p(), 3: Standardize()}
    return {j: kind.fit(summarise(ROWS[:, [j]])) for j, kind in kinds.items()}


def test_it_is_its_parts(x64):
    transform, alone = fitted(), parts()
    key = jax.random.key(0)
    for x in ROWS[:5]:
        mapped = transform.forward(jnp.asarray(x), key=key)
        each = [alone[j].forward(jnp.asarray(x[[j]]), key=key) for j in range(4)]
        np.testing.assert_allclose(mapped.value, [float(e.value[0]) for e in each], rtol=1e-9)
        assert float(mapped.log_det) == pytest.approx(sum(float(e.log_det) for e in each))
        np.testing.assert_allclose(transform.inverse(mapped.value), x, rtol=1e-9, atol=1e-12)
    assert transform.log_det_bound(4) == pytest.approx(
        sum(alone[j].log_det_bound(1) for j in range(4))
    )
    moments = transform.moments(summarise(ROWS), key=key)
    for j in range(4):
        one = alone[j].moments(summarise(ROWS[:, [j]]), key=key)
        assert float(moments.resolution[j]) == pytest.approx(float(one.resolution[0]))
        assert float(moments.variance[j]) == pytest.approx(float(one.variance[0]))


def test_ppca_scores_the_product_of_its_jacobians():
    by_hand = ROWS.copy()
    by_hand[:, 1], by_hand[:, 2] = np.log(ROWS[:, 1]), np.log1p(ROWS[:, 2])
    jacobian = np.log(ROWS[:, 1]) + np.log1p(ROWS[:, 2])
    expected = wp.PPCA(2, transform="standardize").fit(by_hand).score_samples(by_hand) - jacobian
    found = wp.PPCA(2, transform=TYPES).fit(FRAME)
    np.testing.assert_allclose(found.score_samples(FRAME), expected, rtol=1e-6)


@pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")
def test_a_vae_takes_a_mapping_and_survives_its_file(tmp_path):
    vae = textbook_vae(1, transform=TYPES, hidden=(8,), max_epochs=2, random_state=0).fit(FRAME)
    drawn = vae.sample(500)
    assert (drawn[:, 1] > 0).all()
    assert (drawn[:, 2] >= 0).all()
    vae.save(tmp_path / "table.wp")
    loaded = wp.load(tmp_path / "table.wp")
    np.testing.assert_array_equal(loaded.elbo(FRAME), vae.elbo(FRAME))
    with pytest.raises(wp.DataError, match=r"Log transform \(columns 'income'\)"):
        vae.score_samples(FRAME.assign(income=-1.0))


@pytest.mark.parametrize(
    ("types", "words"),
    [
        ({"incme": "log"}, "'income'"),
        ({"income": "log", 1: "log1p"}, "columns 1 have more"),
        ({"income": "lg"}, "'log'"),
        ({"income": "unit"}, "A column's transform"),
        ({"income": wp.transforms.Unit()}, "real line"),
        ({}, "mapping"),
    ],
)
def test_settings_out_of_range_are_refused(types, words):
    with pytest.raises(wp.SettingError, match=words):
        textbook_vae(1, transform=types).fit(FRAME)


def test_data_off_a_columns_domain_are_refused_with_its_place():
    with pytest.raises(wp.DataError, match="Columns 0: The log transform needs numbers above 0"):
        wp.PPCA(1, transform={0: "log"}).fit(ROWS - 40)
