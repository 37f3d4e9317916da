"""The audit of a PyTorch VAE trained with the loss that everybody copies, and its advice taken."""

import numpy as np
import pytest

from wellposed.datasets import load_digits
from wellposed.evaluation import audit, implied_noise_variance

torch = pytest.importorskip("torch", reason="needs PyTorch: pip install torch")
functional = torch.nn.functional

LATENTS, FEATURES = 10, 64


class ClassicVAE(torch.nn.Module):
    """The module of a hundred tutorials."""

    def __init__(self):
        super().__init__()
        self.inner = torch.nn.Sequential(torch.nn.Linear(FEATURES, 128), torch.nn.ReLU())
        self.fc_mu = torch.nn.Linear(128, LATENTS)
        self.fc_var = torch.nn.Linear(128, LATENTS)
        self.outer = torch.nn.Sequential(
            torch.nn.Linear(LATENTS, 128), torch.nn.ReLU(), torch.nn.Linear(128, FEATURES)
        )

    def encode(self, x):
        hidden = self.inner(x)
        return self.fc_mu(hidden), self.fc_var(hidden)

    def forward(self, x):
        mu, log_var = self.encode(x)
        z = mu + torch.exp(0.5 * log_var) * torch.randn_like(mu)
        return self.outer(z), mu, log_var


def trained(rows, kld_weight, epochs=200):
    torch.manual_seed(0)
    vae, data = ClassicVAE(), torch.from_numpy(rows)
    optimiser = torch.optim.Adam(vae.parameters(), lr=2e-3)
    for _ in range(epochs):
        for batch in data[torch.randperm(len(data))].split(128):
            reconstruction, mu, log_var = vae(batch)
            kld = -0.5 * (1 + log_var - mu**2 - log_var.exp()).sum(dim=1).mean()
            error = functional.mse_loss(reconstruction, batch, reduction="mean")
            optimiser.zero_grad()
            (error + kld_weight * kld).backward()
            optimiser.step()
    return vae.eval()


def audited(vae, rows, loss):
    """Tensors straight from the modules, on their graph."""
    return audit(
        encode=lambda x: vae.encode(torch.from_numpy(x)),
        decode=lambda z: vae.outer(torch.from_numpy(z)),
        X=rows,
        noise_variance=loss,
        encoder_scale="log_variance",
        resolution=1 / 16,
    )


@pytest.fixture(scope="module")
def rows():
    values = load_digits().values
    return (values / 16).astype(np.float32)


def test_the_classic_loss_is_audited_and_its_advice_helps(rows):
    train, test = rows[:1437], rows[1437:]
    loss = implied_noise_variance(reduction="mean", kl_weight=0.01, n_features=FEATURES)
    assert loss.noise_variance == pytest.approx(0.32)
    vae = trained(train, loss.kl_weight)
    before = audited(vae, train, loss)
    assert before.noise_variance > 5 * before.optimal_noise_variance
    assert before.collapse.collapsed.sum() >= 5
    residuals, latents = before.advice
    assert "times too large for the residuals" in residuals
    assert "latents have collapsed" in latents
    assert "σ² is too large for them" in latents

    weight = loss.kl_weight_at(before.optimal_noise_variance)
    advised = implied_noise_variance(reduction="mean", kl_weight=weight, n_features=FEATURES)
    again = trained(train, weight)
    after = audited(again, train, advised)
    assert after.collapse.collapsed.sum() < before.collapse.collapsed.sum()
    # Better than before by more than σ² alone would make it: the networks have gained as well.
    gained = after.trained.elbo - before.optimal.elbo
    assert gained > 5 * (after.trained.standard_error + before.optimal.standard_error)
    # And on rows that were not trained on, each model at a variance fixed beforehand.
    old = audited(vae, test, torch.tensor(before.optimal_noise_variance)).trained
    new = audited(again, test, advised).trained
    assert new.elbo - old.elbo > 5 * (old.standard_error + new.standard_error)
    print(before, after, old, new, sep="\n\n")


def test_dropout_left_on_is_named(rows):
    vae = torch.nn.Sequential(torch.nn.Linear(FEATURES, 20), torch.nn.Dropout(0.5))
    with pytest.raises(ValueError, match=r"encode must give a row the same output.*model\.eval"):
        audit(
            encode=lambda x: vae(torch.from_numpy(x)).chunk(2, dim=1),
            decode=lambda z: torch.zeros(len(z), FEATURES),
            X=rows[:40],
            noise_variance=1.0,
            encoder_scale="log_variance",
        )


def test_half_precision_says_what_to_convert(rows):
    with pytest.raises(ValueError, match=r"encode must return what numpy can read.*float\(\)"):
        audit(
            encode=lambda x: (torch.zeros(len(x), 2).bfloat16(), torch.zeros(len(x), 2)),
            decode=lambda z: torch.zeros(len(z), FEATURES),
            X=rows[:40],
            noise_variance=1.0,
            encoder_scale="log_variance",
        )
