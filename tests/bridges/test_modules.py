"""Modules of other frameworks are audited by their methods, none of the frameworks imported."""

import fake_torch as torch
import numpy as np
import pytest

import wellposed as wp


class Foreign(torch.Module):
    """The module of a hundred tutorials, with weights that no training has touched."""

    def __init__(self, d=6, k=2, ending=None):
        super().__init__()
        self.inner = torch.Sequential(torch.Linear(d, 8), torch.ReLU(), torch.Dropout())
        self.fc_mu, self.fc_var = torch.Linear(8, k), torch.Linear(8, k)
        parts = (torch.Linear(k, 5), torch.Tanh(), torch.Linear(5, d))
        self.outer = torch.Sequential(*parts, *([] if ending is None else [ending]))

    def encode(self, x):
        hidden = self.inner(x)
        return self.fc_mu(hidden), self.fc_var(hidden)

    def decode(self, z):
        return self.outer(z)


@pytest.fixture(scope="module")
def rows():
    return np.random.default_rng(0).normal(size=(80, 6)).astype(np.float32)


def by_functions(module, X, **options):
    """The audit with the functions written out, in evaluation mode."""
    for part in module.modules():
        part.training = False
    return wp.audit(
        encode=lambda x: module.encode(torch.Tensor(x)),
        decode=lambda z: module.decode(torch.Tensor(z)),
        X=X,
        encoder_scale="log_variance",
        **options,
    )


def test_a_module_is_audited_as_its_functions_are(rows):
    module = Foreign()
    found = wp.audit(module, rows, noise_variance=0.5)
    assert all(part.training for part in module.modules())  # dropout was off, and is on again
    expected = by_functions(module, rows, noise_variance=0.5)
    assert found.trained == expected.trained
    assert found.optimal == expected.optimal
    # Whatever type the rows have.
    assert wp.audit(module, rows.astype(np.float64), noise_variance=0.5).optimal_noise_variance == (
        pytest.approx(expected.optimal_noise_variance, rel=1e-6)
    )


def test_an_unknown_noise_variance_is_not_judged(rows):
    found = wp.audit(Foreign(), rows)
    assert found.noise_variance is None
    assert found.trained is None
    assert found.forecast is None
    said = str(found)
    assert "cannot tell" in said
    assert "σ² of training was not given, so it cannot be judged" in said
    assert "Nothing to change" not in said


def test_modules_without_parameters_get_arrays(rows):
    """As Keras and Flax take them, in float32."""

    class Plain:
        def encode(self, x):
            assert type(x) is np.ndarray
            assert x.dtype == np.float32
            return x[:, :2], np.zeros_like(x[:, :2])

        def decode(self, z):
            return np.repeat(z, 3, axis=1)

    found = wp.audit(Plain(), rows.astype(np.float64), noise_variance=1.0)
    kl = 0.5 * (rows[:, :2] ** 2).sum(axis=1).mean()  # of N(m, 1) from N(0, 1)
    assert found.rates.sum() == pytest.approx(kl, rel=1e-5)


def test_flax_modules_of_both_kinds(rows):
    linen, nnx = pytest.importorskip("flax.linen"), pytest.importorskip("flax.nnx")
    jax = pytest.importorskip("jax")

    class Nnx(nnx.Module):
        def __init__(self):
            self.mean, self.log_variance, self.back = (
                nnx.Linear(n, m, rngs=nnx.Rngs(i))
                for i, (n, m) in enumerate([(6, 2), (6, 2), (2, 6)])
            )

        def encode(self, x):
            return self.mean(x), self.log_variance(x)

        def decode(self, z):
            return self.back(z)

    class Linen(linen.Module):
        def setup(self):
            self.mean, self.log_variance = linen.Dense(2), linen.Dense(2)
            self.back = linen.Dense(6)

        def __call__(self, x):
            return self.decode(self.encode(x)[0] + self.encode(x)[1])

        def encode(self, x):
            return self.mean(x), self.log_variance(x)

        def decode(self, z):
            return self.back(z)

    module, source = Linen(), Nnx()
    variables = module.init(jax.random.key(0), rows)
    with pytest.raises(wp.SettingError, match=r"must be bound.*module\.bind\(variables\)"):
        wp.audit(module, rows)
    for name in ("mean", "log_variance", "back"):
        kernel, bias = getattr(source, name).kernel, getattr(source, name).bias
        variables["params"][name] = {"kernel": kernel[...], "bias": bias[...]}
    found, again = wp.audit(source, rows), wp.audit(module.bind(variables), rows)
    assert found.optimal == again.optimal


@pytest.mark.parametrize(
    ("encode", "message"),
    [
        (lambda x: x[:, :2], "pair.*got a Tensor.*A mean alone leaves.*without a scale"),
        (lambda x: (x[:, :2],) * 3, "pair.*got a tuple of 3.*Pass two functions"),
        (lambda x: {"mean": x}, "pair.*got a dict.*Pass two functions"),
    ],
)
def test_other_outputs_are_refused_with_the_remedy(rows, encode, message):
    module = Foreign()
    module.encode = encode
    with pytest.raises(wp.DataError, match=message):
        wp.audit(module, rows)


def test_what_is_no_module_is_refused(rows):
    with pytest.raises(wp.SettingError, match="got a Tensor without encode and decode"):
        wp.audit(torch.Tensor([1.0]), rows)
    with pytest.raises(wp.SettingError, match=r"a module, or the two functions.*got none of them"):
        wp.audit(X=rows)
    with pytest.raises(wp.SettingError, match="got module, encode"):
        wp.audit(Foreign(), rows, encode=np.asarray)
