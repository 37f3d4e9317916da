"""wellposed, through ``training.fit``: a user's epoch, host included."""

from collections.abc import Callable

from benchmarks.cases import Case


def train(case: Case, turn: Callable[[], None]) -> None:
    """Train as the peers do: N(0, I), relu, Adam, a learned shared noise variance."""
    import warnings

    import wellposed as wp
    from wellposed.experiments import TEXTBOOK

    warnings.simplefilter("ignore")
    image = case.is_image
    own = {
        "n_components": case.n_latents,
        "encoder": wp.nn.MakeConvEncoder(case.shape, channels=case.widths) if image else "mlp",
        "decoder": wp.nn.MakeConvDecoder(case.shape, channels=case.widths) if image else "mlp",
        "hidden": case.widths,
        "image_shape": case.shape if image else None,
        "batch_size": case.batch_size,
        "validation_fraction": 0.0,
        "max_epochs": 1_000_000,
        "transform": "identity",
        "random_state": 0,
    }
    wp.VAE(**(TEXTBOOK | own)).fit(case.data(), callbacks=[turn])
