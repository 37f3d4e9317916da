"""What the page on well-posedness quotes of MNIST is what the library prints."""

from pathlib import Path

import pytest

import wellposed as wp

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reproductions" / "well-posed.md"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::wellposed.ConstantFeatureWarning")
def test_the_forecast_quoted(shared_data):
    images = wp.datasets.read(shared_data("mnist/train-images-idx3-ubyte.gz")).values
    rows = images.reshape(len(images), -1) / 255
    page = " ".join(PAGE.read_text().split())
    assert str(wp.forecast(rows, noise_variance=1.0, n_components=20)) in page
    ladder = [wp.forecast(rows, noise_variance=v).n_active for v in (3, 1, 0.3, 0.1, 0.03, 0.01)]
    assert " | ".join(map(str, ladder)) in page


def test_the_loss_quoted():
    found = wp.implied_noise_variance(reduction="mean", kl_weight=1.0, n_features=784, n_latents=20)
    assert str(found) in " ".join(PAGE.read_text().split())
