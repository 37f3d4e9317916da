"""A tight PyTorch loop: data in memory, one index_select a step, fused Adam, channels last."""

import math
from collections.abc import Callable

import torch
from torch import nn

from benchmarks.cases import Case


class Network(nn.Module):
    """Gaussian VAE with one learned noise variance."""

    def __init__(self, case: Case):
        super().__init__()
        self.k = case.n_latents
        build = convolutional if case.is_image else dense
        self.encoder, self.decoder = build(case)
        self.log_sigma = nn.Parameter(torch.zeros(()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        raw = self.encoder(x).flatten(1)
        mean, log_scale = raw[:, : self.k], raw[:, self.k :]
        z = mean + torch.exp(log_scale) * torch.randn_like(mean)
        residual = (x - self.decoder(z)).flatten(1)
        d = residual.shape[1]
        distortion = 0.5 * (residual**2).sum(1) * torch.exp(-2 * self.log_sigma)
        distortion = distortion + d * (self.log_sigma + 0.5 * math.log(2 * math.pi))
        rate = 0.5 * (mean**2 + torch.exp(2 * log_scale) - 1 - 2 * log_scale).sum(1)
        return (distortion + rate).mean()


def dense(case: Case) -> tuple[nn.Module, nn.Module]:
    d, widths, k = case.shape[0], case.widths, case.n_latents
    return stack((d, *widths, 2 * k)), stack((k, *widths, d))


def stack(widths: tuple[int, ...]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for n_in, n_out in zip(widths[:-1], widths[1:], strict=True):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def convolutional(case: Case) -> tuple[nn.Module, nn.Module]:
    h, w, c = case.shape
    channels = (c, *case.widths)
    strides = 2 ** len(case.widths)
    grid = (channels[-1], h // strides, w // strides)
    flat = math.prod(grid)
    down: list[nn.Module] = []
    for n_in, n_out in zip(channels[:-1], channels[1:], strict=True):
        down += [nn.Conv2d(n_in, n_out, 4, 2, 1), nn.ReLU()]
    up: list[nn.Module] = [nn.Linear(case.n_latents, flat), nn.ReLU(), nn.Unflatten(1, grid)]
    backwards = channels[::-1]
    for n_in, n_out in zip(backwards[:-1], backwards[1:], strict=True):
        up += [nn.ConvTranspose2d(n_in, n_out, 4, 2, 1), nn.ReLU()]
    encoder = nn.Sequential(*down, nn.Flatten(), nn.Linear(flat, 2 * case.n_latents))
    return encoder, nn.Sequential(*up[:-1])


def train(case: Case, turn: Callable[[], None]) -> None:
    """Train for ever."""
    torch.manual_seed(0)
    x = torch.from_numpy(case.data())
    model = Network(case)
    if case.is_image:
        h, w, c = case.shape
        x = x.reshape(-1, h, w, c).permute(0, 3, 1, 2)  # channels last already
        model = model.to(memory_format=torch.channels_last)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    while True:
        for rows in torch.randperm(len(x)).split(case.batch_size):
            optimiser.zero_grad(set_to_none=True)
            model(x[rows]).backward()
            optimiser.step()
        turn()
