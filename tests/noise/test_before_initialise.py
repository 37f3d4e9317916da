"""A family used before it has data raises one error, with a remedy."""

import jax.numpy as jnp
import numpy as np
import pytest

import wellposed as wp
from wellposed.noise import FAMILIES, Columns, Gaussian, Rescaled

MAKERS = {
    **FAMILIES,
    "censored": lambda: wp.noise.Censored(0.5, low=0.0),
    "columns": lambda: Columns(["shared", "shared"]),
    "located columns": lambda: Columns(["shared", "bernoulli"]).locate(2),
    "poisson of totals": lambda: wp.noise.Poisson(library=True),
    "student-t of given scale": lambda: wp.noise.StudentT(0.5),
    "causal, given": lambda: wp.noise.CausalGaussian(3, 0.5),
    **{kind: lambda kind=kind: Gaussian(kind) for kind in ("shared", "feature", "conditional")},
}
# Without a setting that is taken from data.
COMPLETE = {
    "continuous-bernoulli": wp.noise.ContinuousBernoulli(),
    "gaussian": Gaussian(0.5),
    "laplace": wp.noise.Laplace(0.5),
    "student-t": wp.noise.StudentT(0.5, degrees=5.0),
    "beta": wp.noise.Beta(8.0),
    "truncated-normal": wp.noise.TruncatedNormal(0.02),
    "quantile": wp.noise.Quantile(scale=0.5),
    "low-rank": wp.noise.LowRankGaussian(2, 0.5),
    "log-normal": wp.noise.LogNormal(0.5),
    "gamma": wp.noise.Gamma(4.0),
    "zero-inflated": wp.noise.ZeroInflated(wp.noise.Gamma(4.0)),
    "categorical": wp.noise.Categorical(4),
    "rescaled": Rescaled(Gaussian(0.5), 2.0),
}


@pytest.mark.parametrize("name", [name for name in MAKERS if name not in {"continuous-bernoulli"}])
def test_the_family_and_the_remedy_are_named(name):
    noise = MAKERS[name]()
    with pytest.raises(wp.SettingError, match=rf"{type(noise).__name__}.*initialise\(moments\)"):
        noise(jnp.zeros(noise.n_raw * 2))


def test_rescaled_noise_names_the_noise_within():
    with pytest.raises(wp.SettingError, match=r"Laplace.*initialise\(moments\)"):
        Rescaled(wp.noise.Laplace(), 2.0)(jnp.zeros(2))


@pytest.mark.parametrize("name", COMPLETE)
def test_a_family_whose_settings_are_all_given_needs_no_data(name):
    noise = COMPLETE[name]
    assert noise(jnp.zeros(noise.n_raw * 2)).event_shape == (2,)


def test_every_exported_family_is_tested():
    made = {type(make()) for make in MAKERS.values()}
    exported = [getattr(wp.noise, name) for name in wp.noise.__all__]
    families = {cls for cls in exported if isinstance(cls, type)} - {wp.noise.AbstractNoise}
    assert families - made == {Rescaled, wp.noise.Ignorable, wp.noise.SelfMasking}


@pytest.mark.parametrize("make", [wp.noise.Ignorable, wp.noise.SelfMasking])
def test_noise_of_gaps_needs_a_typical_datum(make):
    with pytest.raises(wp.SettingError, match=rf"{make.__name__}.*initialise\(moments\)"):
        make(Gaussian(0.5))(jnp.zeros(2))


def test_methods_of_a_table_that_need_its_units_raise_the_same_error():
    table = Columns(["shared", "bernoulli"])
    for use in (
        lambda: table.encoder_input(jnp.zeros(2)),
        lambda: table.log_density_bound(2),
        table.variance,
        lambda: table.on_floor(np.ones(2)),
        lambda: table.check_rows(np.zeros((3, 2))),
    ):
        with pytest.raises(wp.SettingError, match=r"Columns.*initialise\(moments\)"):
            use()
