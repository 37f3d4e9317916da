"""Values of the settings that are "auto", from the size and the units of the data."""

from typing import Any

from wellposed.tables import Schema

_LATENTS = 20  # at most
_ROWS_A_LATENT, _FIRST, _ROWS_OF_FIRST = 30, 9, 15  # rows for each, and for each of the first nine
_STEPS = 20_000  # some steps of a training; few rows are seen more often
_EPOCHS = 200, 500  # fewest and most
_LEAST_PATIENCE = 20
_WARMUP = 25  # one epoch in so many
# Shares of the epochs. On tables of thousands of rows the held-out objective often stands still for
# a third of them, until the learning rate falls.
_PATIENCE, _PATIENCE_OF_IMAGES = 0.4, 0.1
_FOLDS = 5
_FOLDED = 10, 500  # rows from which, and below which, folds choose the epoch


def latents_of(setting: Any, n: int, d: int) -> int:
    """Return the number of latents: the setting, or for "auto" d − 1, with limits by the rows.

    One for fifteen rows up to nine, and one for thirty rows up to twenty.
    """
    if setting != "auto":
        return int(setting)
    return max(1, min(_LATENTS, d - 1, max(n // _ROWS_A_LATENT, min(_FIRST, n // _ROWS_OF_FIRST))))


def noise_of(setting: Any, *, one_unit: bool) -> Any:
    """Return the noise: the setting, or for "auto" a learned Gaussian variance.

    Parameters
    ----------
    setting : of the estimator
    one_unit : whether the features share a unit, as pixels do; then they share a variance, and
        otherwise each has its own, which depends on z
    """
    if isinstance(setting, Schema):
        return setting.make_noise()
    if isinstance(setting, str) and setting == "auto":
        return "shared" if one_unit else "conditional"
    return setting


def epochs_of(setting: Any, steps_an_epoch: int) -> int:
    """Return the maximum number of epochs: the setting, or for "auto" 200 to 500 by the steps."""
    if setting != "auto":
        return int(setting)
    fewest, most = _EPOCHS
    return max(fewest, min(most, _STEPS // max(steps_an_epoch, 1)))


def warmup_of(setting: Any, max_epochs: int, *, drawn: bool) -> int:
    """Return the epochs of the KL's warm-up: the setting, or for "auto" one of 25 epochs, or none.

    Parameters
    ----------
    setting : of the estimator
    max_epochs : of the training
    drawn : whether the model starts as it is drawn. At the linear solution its latents have
        information from the first step. From drawn weights the KL is lowered first, and most
        latents then stay without information
    """
    if setting != "auto":
        return int(setting)
    return max_epochs // _WARMUP if drawn else 0


def patience_of(
    setting: Any, max_epochs: int, n_folds: int = 0, *, image: bool = False
) -> int | None:
    """Return the patience: the setting, or for "auto" two fifths of the epochs, at least 20.

    Of images it is a tenth. With folds it is 20: what a single fold misses by it, the average over
    folds does not.
    """
    if setting != "auto":
        return setting
    share = _PATIENCE_OF_IMAGES if image else _PATIENCE
    return _LEAST_PATIENCE if n_folds else max(_LEAST_PATIENCE, round(share * max_epochs))


def folds_of(settings: dict[str, Any], n: int) -> int:
    """Return the number of folds: the setting, or for "auto" 5 for tables of few rows.

    Parameters
    ----------
    settings : of the estimator. Where the epochs or the patience are given, or no row is to be
        held out, "auto" is 0; so it is for images
    n : number of rows
    """
    setting = settings["validation_folds"]
    if setting != "auto":
        return int(setting)
    least, beyond = _FOLDED
    chosen = settings["max_epochs"] == settings["patience"] == "auto"
    few = least <= n < beyond and settings["image_shape"] is None
    return _FOLDS if chosen and few and settings["validation_fraction"] > 0 else 0
