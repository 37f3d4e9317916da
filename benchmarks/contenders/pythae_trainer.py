"""pythae, through its own trainer."""

import logging
import tempfile
from collections.abc import Callable

import torch
from pythae.data.datasets import BaseDataset
from pythae.models import VAE, VAEConfig
from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder, BaseEncoder
from pythae.trainers import BaseTrainer, BaseTrainerConfig
from torch import nn

from benchmarks.cases import Case
from benchmarks.contenders.torch_loop import stack


class Encoder(BaseEncoder):
    def __init__(self, case: Case):
        BaseEncoder.__init__(self)
        self.body = nn.Sequential(stack((case.shape[0], *case.widths)), nn.ReLU())
        self.mean = nn.Linear(case.widths[-1], case.n_latents)
        self.log_var = nn.Linear(case.widths[-1], case.n_latents)

    def forward(self, x: torch.Tensor) -> ModelOutput:
        hidden = self.body(x)
        return ModelOutput(embedding=self.mean(hidden), log_covariance=self.log_var(hidden))


class Decoder(BaseDecoder):
    def __init__(self, case: Case):
        BaseDecoder.__init__(self)
        self.body = stack((case.n_latents, *case.widths, case.shape[0]))

    def forward(self, z: torch.Tensor) -> ModelOutput:
        return ModelOutput(reconstruction=self.body(z))


def train(case: Case, turn: Callable[[], None]) -> None:
    """Train until stopped; images are not supported."""
    logging.disable(logging.CRITICAL)
    x = torch.from_numpy(case.data())
    config = VAEConfig(input_dim=case.shape, latent_dim=case.n_latents)
    model = VAE(config, Encoder(case), Decoder(case))
    settings = BaseTrainerConfig(
        output_dir=tempfile.mkdtemp(),
        per_device_train_batch_size=case.batch_size,
        learning_rate=1e-3,
        no_cuda=True,
    )
    trainer = BaseTrainer(model, BaseDataset(x, torch.zeros(len(x))), training_config=settings)
    trainer.prepare_training()
    epoch = 0
    while True:
        epoch += 1
        trainer.train_step(epoch)
        turn()
