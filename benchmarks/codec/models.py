"""The models that the benchmark of compression codes with: trained once and saved."""

from benchmarks.data import REPOSITORY
from benchmarks.noise.models import FAMILIES, TrainedModel, load, train

FOLDER = REPOSITORY / "build" / "codec"
# Names of the families here and in benchmarks.noise.
NAMES = {
    "independent": "discretised logistic",
    "independent, three logistics": "  mixture of 3",
    "causal": "causal logistic",
    "causal, learned p(z)": "causal, learned p(z)",
}


def trained(data: str, name: str, *, share: float) -> TrainedModel:
    """Return a model of images, trained for a share of the epochs of benchmarks.noise."""
    return train(load(data), FAMILIES[NAMES[name]], FOLDER / f"{share:g}", share=share)


def main() -> None:
    """Train what is named on the command line."""
    import sys

    data, share, *names = sys.argv[1:]
    for name in names or NAMES:
        model = trained(data, name, share=float(share))
        print(f"{name}: {model.epochs} epochs, {model.seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
