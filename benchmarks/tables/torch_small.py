"""A PyTorch loop of as many epochs as ours took, same networks: ``torch_small.py ROWS.npy WORK``.

WORK is the output of ``ours_fit.py`` or ``ours_grid.py``. A tenth of the rows is held out and
evaluated after each epoch; Adam is fused.
"""

import itertools
import json
import math
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

HIDDEN, FOLDS, DRAWS = (256, 256), 3, 128


class Network(nn.Module):
    """Gaussian VAE with one learned noise variance, or one a feature."""

    def __init__(self, d: int, k: int, feature: bool):
        super().__init__()
        self.k = k
        self.encoder = stack((d, *HIDDEN, 2 * k))
        self.decoder = stack((k, *HIDDEN[::-1], d))
        self.log_sigma = nn.Parameter(torch.zeros(d if feature else 1))

    def log_likelihood(self, x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        scaled = (x - self.decoder(z)) * torch.exp(-self.log_sigma)
        each = -0.5 * scaled**2 - self.log_sigma - 0.5 * math.log(2 * math.pi)
        return each.sum(-1)

    def elbo(self, x: torch.Tensor) -> torch.Tensor:
        mean, log_scale = self.encoder(x).split(self.k, -1)
        z = mean + torch.exp(log_scale) * torch.randn_like(mean)
        rate = 0.5 * (mean**2 + torch.exp(2 * log_scale) - 1 - 2 * log_scale).sum(-1)
        return (self.log_likelihood(x, z) - rate).mean()

    def log_p(self, x: torch.Tensor) -> torch.Tensor:
        mean, log_scale = self.encoder(x).split(self.k, -1)
        e = torch.randn(DRAWS, *mean.shape)
        z = mean + torch.exp(log_scale) * e
        ratio = 0.5 * (e**2 - z**2).sum(-1) + log_scale.sum(-1)
        return torch.logsumexp(self.log_likelihood(x, z) + ratio, 0) - math.log(DRAWS)


def stack(widths: tuple[int, ...]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for n_in, n_out in itertools.pairwise(widths):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def fit(x: torch.Tensor, k: int, epochs: int, batch: int, feature: bool = False) -> Network:
    """Train, and keep the weights of the epoch with the highest ELBO on held-out rows."""
    order = torch.randperm(len(x))
    n_held = round(0.1 * len(x))
    held, rows = x[order[:n_held]], x[order[n_held:]]
    model = Network(x.shape[1], k, feature)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    best, kept = -math.inf, model.state_dict()
    for _ in range(epochs):
        for chosen in torch.randperm(len(rows)).split(batch):
            optimiser.zero_grad(set_to_none=True)
            (-model.elbo(rows[chosen])).backward()
            optimiser.step()
        with torch.inference_mode():
            value = float(model.elbo(held))
        if value > best:
            best, kept = value, {n: v.clone() for n, v in model.state_dict().items()}
    model.load_state_dict(kept)
    return model


def grid(x: torch.Tensor, work: dict) -> None:
    """Cross-validate as ours did, and fit the best on all rows."""
    folds, scores = torch.arange(len(x)).tensor_split(FOLDS), []
    for number, settings in enumerate(work["fits"]):
        test = folds[number % FOLDS]
        inside = torch.ones(len(x), dtype=torch.bool)
        inside[test] = False
        model = fit(standardise(x[inside], x[inside]), **settings)
        with torch.inference_mode():
            scores.append(float(model.log_p(standardise(x[test], x[inside])).mean()))
    best = work["fits"][int(np.argmax(scores))]
    fit(standardise(x, x), **{**best, **work["refit"]})


def standardise(x: torch.Tensor, by: torch.Tensor) -> torch.Tensor:
    return (x - by.mean(0)) / by.std(0)


def main() -> None:
    """Run one fit, or a grid."""
    torch.manual_seed(0)
    x, work = torch.from_numpy(np.load(Path(sys.argv[1]))).float(), json.loads(sys.argv[2])
    if "fits" in work:
        grid(x, work)
    else:
        fit(standardise(x, x), **work)


if __name__ == "__main__":
    main()
