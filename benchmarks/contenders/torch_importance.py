"""IS_5000 as a batched PyTorch loop: a thousand draws of an image at a time, no gradients."""

import math
from collections.abc import Callable

import torch

from benchmarks.cases import IMPORTANCE_DRAWS, IMPORTANCE_ROWS, Case
from benchmarks.contenders.torch_loop import Network

BATCH = 1_000


def train(case: Case, turn: Callable[[], None]) -> None:
    """Score until stopped."""
    torch.manual_seed(0)
    x = torch.from_numpy(case.data())[:IMPORTANCE_ROWS]
    model = Network(case)
    with torch.inference_mode():
        while True:
            torch.stack([log_p(model, row) for row in x]).numpy()
            turn()


def log_p(model: Network, x: torch.Tensor) -> torch.Tensor:
    raw = model.encoder(x)
    mean, log_scale = raw[: model.k], raw[model.k :]
    scale, variance = log_scale.exp(), torch.exp(2 * model.log_sigma)
    constant = -0.5 * len(x) * torch.log(2 * math.pi * variance) + log_scale.sum()
    parts = []
    for _ in range(IMPORTANCE_DRAWS // BATCH):
        e = torch.randn(BATCH, model.k)
        z = mean + scale * e
        error = (x - model.decoder(z)).square().sum(1)
        ratio = 0.5 * (e.square() - z.square()).sum(1)
        parts.append(constant - 0.5 * error / variance + ratio)
    return torch.logsumexp(torch.cat(parts), 0) - math.log(IMPORTANCE_DRAWS)
