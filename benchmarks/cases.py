"""The cases of training, for all contenders; without any framework."""

import dataclasses
import os

import numpy as np

# Of a turn of benchmarks.judge.likelihood; its --rows reaches the contenders by the environment.
IMPORTANCE_ROWS, IMPORTANCE_DRAWS = int(os.environ.get("IMPORTANCE_ROWS", "20")), 5_000


@dataclasses.dataclass(frozen=True)
class Case:
    """A data shape, a network and a batch size."""

    name: str
    shape: tuple[int, ...]  # (d,) or (H, W, C)
    n_rows: int
    batch_size: int
    n_latents: int
    widths: tuple[int, ...]  # hidden layers, or channels of the stride-2 4x4 convolutions

    @property
    def is_image(self) -> bool:
        """Whether the networks are convolutional."""
        return len(self.shape) == 3

    def data(self) -> np.ndarray:
        """Uniform noise, float32, shape (n_rows, d): values do not change the time."""
        d = int(np.prod(self.shape))
        return np.random.default_rng(0).random((self.n_rows, d), np.float32)


CASES = {
    case.name: case
    for case in (
        Case("mlp", (784,), 20_000, 128, 20, (500, 500)),
        Case("conv32", (32, 32, 1), 2_048, 64, 20, (32, 64, 128)),
        Case("conv64", (64, 64, 3), 2_048, 64, 20, (32, 64, 128)),
    )
}
