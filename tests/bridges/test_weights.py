"""Weights of a PyTorch module taken over, and given back."""

import dataclasses
import sys

import fake_torch
import jax
import numpy as np
import pytest

import wellposed as wp
from wellposed.estimators._prepare import prepare
from wellposed.evaluation import audit, codes
from wellposed.training import History, Outcome

D, K = 6, 2


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(1)
    return (rng.normal(size=(90, K)) @ rng.normal(size=(K, D)) + 2.0).astype(np.float32)


def module_of(nn, *, joined=False, ending=None, first="decoder", activation="ReLU", **settings):
    """A VAE written with any ``torch.nn``."""

    class Foreign(nn.Module):
        def __init__(self):
            super().__init__()
            self.add(first)
            self.add("encoder" if first == "decoder" else "decoder")

        def add(self, part):
            if part == "decoder":
                parts = [nn.Linear(K, 5), getattr(nn, activation)(**settings), nn.Linear(5, D)]
                self.outer = nn.Sequential(*parts, *([getattr(nn, ending)()] if ending else []))
                return
            self.inner = nn.Sequential(nn.Linear(D, 9), nn.Tanh(), nn.Linear(9, 7), nn.Tanh())
            if joined:
                self.heads = nn.Linear(7, 2 * K)
            else:
                self.mean, self.log_variance = nn.Linear(7, K), nn.Linear(7, K)

        def encode(self, x):
            hidden = self.inner(x)
            if joined:
                return self.heads(hidden).chunk(2, 1)
            return self.mean(hidden), self.log_variance(hidden)

        def decode(self, z):
            return self.outer(z)

    return Foreign()


def numbers(tensor):
    return tensor.detach().numpy()


def check_equal(vae, module, rows, tensor):
    """Means and posteriors, of the estimator and of the module."""
    mean, log_variance = map(numbers, module.encode(tensor(rows)))
    np.testing.assert_allclose(vae.transform(rows), mean, rtol=0, atol=1e-5)
    z = np.random.default_rng(2).normal(size=(40, K)).astype(np.float32)
    np.testing.assert_allclose(
        vae.inverse_transform(z), numbers(module.decode(tensor(z))), atol=1e-5
    )
    rate = 0.5 * (mean**2 + np.exp(log_variance) - 1 - log_variance)
    np.testing.assert_allclose(vae.collapse(rows).rates, rate.mean(axis=0), rtol=1e-4)


def round_trip(nn, tensor, rows, **shape):
    module = module_of(nn, **shape)
    vae = wp.from_torch(module, rows)
    check_equal(vae, module, rows, tensor)
    again = wp.to_torch(vae)
    assert again.noise_variance == vae.noise_variance_
    check_equal(vae, again, rows, tensor)
    check_equal(wp.from_torch(again, rows), module, rows, tensor)
    return module, vae


def test_weights_are_taken_over_and_given_back(rows, monkeypatch, tmp_path):
    fake_torch.install(monkeypatch)
    nn, tensor = fake_torch, fake_torch.Tensor
    module, vae = round_trip(nn, tensor, rows)
    # σ² is the best of these networks, and the bound is that of the audit.
    judged = audit(
        encode=lambda x: tuple(map(numbers, module.encode(tensor(x)))),
        decode=lambda z: numbers(module.decode(tensor(z))),
        X=rows,
        noise_variance=vae.noise_variance_,
        encoder_scale="log_variance",
        n_samples=64,
    )
    assert vae.noise_variance_ == pytest.approx(judged.optimal_noise_variance, rel=0.05)
    bound = vae.elbo(rows, 256).mean()
    assert bound == pytest.approx(judged.trained.elbo, abs=6 * judged.trained.monte_carlo_error)
    assert vae.outcome_.value == "taken_over"
    assert "not known" in vae.outcome_.message
    vae.save(tmp_path / "taken.wp")
    again = wp.load(tmp_path / "taken.wp")
    np.testing.assert_array_equal(again.elbo(rows, 256), vae.elbo(rows, 256))


@pytest.mark.slow
def test_training_continues_from_weights_taken_over(rows):
    vae = wp.from_torch(module_of(fake_torch), rows)
    before = vae.elbo(rows).mean()
    for _ in range(20):
        vae.partial_fit(rows)
    assert vae.elbo(rows).mean() > before + 0.5
    assert vae.n_epochs_ == 20


@pytest.mark.parametrize(
    "shape",
    [
        {"joined": True, "ending": "Sigmoid", "first": "encoder"},
        {"ending": "Tanh", "first": "encoder", "activation": "SiLU"},
        *(
            pytest.param({"activation": name}, marks=pytest.mark.slow)
            for name in ("LeakyReLU", "ELU", "Softplus")
        ),
        pytest.param({"activation": "GELU", "approximate": "tanh"}, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_modules_of_other_shapes(shape, rows, monkeypatch):
    fake_torch.install(monkeypatch)
    round_trip(fake_torch, fake_torch.Tensor, rows, **shape)


def test_a_given_variance_is_kept_and_nonsense_is_refused(rows):
    module = module_of(fake_torch)
    assert wp.from_torch(module, rows, noise_variance=0.25).noise_variance_ == 0.25
    with pytest.raises(wp.SettingError, match=r"noise_variance must be .*leave it out"):
        wp.from_torch(module, rows, noise_variance=-1.0)


def test_modules_that_layers_do_not_give_are_refused(rows):
    for name in ("Sin", "GELU"):  # GELU is the exact one here, and this library's is not
        odd = module_of(fake_torch, activation=name)
        with pytest.raises(wp.SettingError, match=r"those of decode differ by .* of the largest"):
            wp.from_torch(odd, rows)
    with pytest.raises(wp.SettingError, match=r"the layers 2→5, 5→6.* are no encoder and decoder"):
        wp.from_torch(module_of(fake_torch), np.pad(rows, ((0, 0), (0, 5))))
    normalised = module_of(fake_torch)
    normalised.norm = fake_torch.Module()
    normalised.norm.running_mean = fake_torch.Tensor(np.zeros(3))
    with pytest.raises(wp.SettingError, match=r"got norm\.running_mean\. For convolutions"):
        wp.from_torch(normalised, rows)

    class Keras:
        def encode(self, x): ...
        def decode(self, z): ...

    with pytest.raises(wp.SettingError, match=r"takes a torch\.nn\.Module; got a Keras.*audit"):
        wp.from_torch(Keras(), rows)


def given_back(tensor, X, *, linear_start):
    """A VAE at its start: standardised, a linear map beside each network, a constant column."""
    settings = {"noise": "feature", "prior": "standard", "hidden": (8,), "random_state": 0}
    vae = wp.VAE(K, linear_start=linear_start, **settings)
    prepared = prepare(vae, X)
    keys = iter(jax.random.split(jax.random.key(1), 99))
    drawn = jax.tree.map(
        lambda w: w + 0.1 * jax.random.normal(next(keys), w.shape),
        (prepared.model.encoder, prepared.model.decoder),
    )
    model = dataclasses.replace(prepared.model, encoder=drawn[0], decoder=drawn[1])
    vae.store(model, History(), Outcome.budget_spent, prepared.rows)
    module = wp.to_torch(vae)
    mean, log_variance = map(numbers, module.encode(tensor(X)))
    np.testing.assert_allclose(mean, vae.transform(X), atol=2e-5)
    z = np.random.default_rng(2).normal(size=(40, K)).astype(np.float32)
    np.testing.assert_allclose(
        numbers(module.decode(tensor(z))), vae.inverse_transform(z), atol=1e-4
    )
    scale = codes(vae.model_, X, key=jax.random.key(0), most=len(X)).scale
    np.testing.assert_allclose(np.exp(0.5 * log_variance), scale, rtol=1e-4)
    assert np.shape(module.noise_variance) == (X.shape[1],)
    whole = numbers(module(tensor(X)))
    np.testing.assert_array_equal(whole, numbers(module.decode(module.encode(tensor(X))[0])))
    return vae, module


@pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")
@pytest.mark.parametrize("linear_start", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_vae_of_this_library_is_given_back(linear_start, rows, monkeypatch):
    fake_torch.install(monkeypatch)
    X = np.concatenate([rows * [1, 10, 1, 1, 0.1, 1], np.full((len(rows), 1), 3.0)], axis=1)
    vae, module = given_back(fake_torch.Tensor, X.astype(np.float32), linear_start=linear_start)
    assert module.training
    vae.model_ = dataclasses.replace(vae.model_, transform=wp.transforms.Logit())
    with pytest.raises(wp.SettingError, match=r"takes a VAE .*got the transform Log"):
        wp.to_torch(vae)


def test_without_torch_the_remedy_is_named(rows, monkeypatch):
    vae = wp.from_torch(module_of(fake_torch), rows)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(wp.SettingError, match=r"pip install 'wellposed\[torch\]'"):
        wp.to_torch(vae)


@pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")
def test_pytorch_itself(rows):
    torch = pytest.importorskip("torch", reason="needs PyTorch: pip install torch")
    torch.manual_seed(0)
    for shape in ({}, {"joined": True, "ending": "Sigmoid", "activation": "SiLU"}):
        module, vae = round_trip(torch.nn, torch.from_numpy, rows, **shape)
        assert wp.audit(module, rows).optimal_noise_variance == pytest.approx(
            vae.noise_variance_, rel=1e-5
        )
        assert module.training
    given_back(torch.from_numpy, rows, linear_start=True)
