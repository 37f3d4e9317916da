"""Every command, every option, values that make no sense: one message, exit code 2, no work."""

from pathlib import Path

import numpy as np
import pytest
import typer
from cli_running import frame, run, table

import wellposed as wp
from textbook import textbook_vae
from wellposed.cli import app

HUGE = str(10**12)
SEEDS = ("-1", str(2**32), "1e3", "x", "")
COLUMN = ("", "x", "none=real", "x=1=2", "0=foo", "a=numbr", "a=-1", "a=nan")
HOSTS = {
    "--coordinator": ("", "x", "a:b", "a:99999999"),
    "--processes": ("0", "-1", "x"),
    "--process": ("-1", "5", "x"),
    "--step-timeout": ("0", "-1", "nan", "x"),
}
FIT = {
    "--components": ("0", "-1", "1e9", str(10**9), HUGE, "x", "2.5", ""),
    "--noise": ("nan", "-1", "0", "inf", "gausian", "[red]", ""),
    "--transform": ("x", ""),
    "--encoder": ("x", ""),
    "--decoder": ("conv", "[/red]", ""),
    "--hidden": ("0", "-1", "x", "8,,8", "1e9", str(10**9), HUGE, "9" * 5_000),
    "--activation": ("x", ""),
    "--image-shape": ("0x0", "2x2", "axb", f"{HUGE}x1", "x"),
    "--objective": ("x", ""),
    "--beta": ("nan", "-1", "inf", "x"),
    "--importance": ("0", "-1", HUGE, "x"),
    "--max-epochs": ("0", "-1", HUGE, "9" * 400, "x"),
    "--batch-size": ("0", "-1", "1e18", str(10**18), "x", ""),
    "--learning-rate": ("0", "-1", "nan", "inf", "x"),
    "--weight-decay": ("-1", "nan", "inf", "x"),
    "--prior": ("x", ""),
    "--prior-components": ("0", "-1", HUGE, "x"),
    "--ema-decay": ("-0.1", "1", "nan", "x"),
    "--clip-norm": ("0", "-1", "nan", "inf", "x"),
    "--kl-warmup": ("-1", "500", HUGE, "x"),
    "--encoder-steps": ("-1", HUGE, "x"),
    "--validation-fraction": ("-0.1", "1", "nan", "x"),
    "--validation-folds": ("-1", "1", HUGE, "x"),
    "--patience": ("-1", HUGE, "x"),
    "--missing": ("x", "-1"),
    "--column": COLUMN,
    "--covariates": ("none", "99", "", "a:category:category"),
    "--resolution": ("nan", "-1", "inf", "x", ""),
    "--devices": ("0", "-1", HUGE, "2.5", "x", ""),
    "--shards": ("0", "-1", "x"),
    "--precision": ("float16", "x"),
    "--step-timeout": ("1", "nan", "x"),  # without others
    "--seed": SEEDS,
    "--checkpoint": (".", "{csv}", "{model}", "{csv}/x"),
    "--drop": ("none", "99", "²", ""),
}
DATA = {"--drop": ("none", "99")}
PATHS = ("out.txt", ".")
COMMANDS = {
    ("fit", "{csv}", "-o", "{out}"): FIT,
    ("fit", "{csv}"): {"--output": (".", "{csv}", "x" * 300, "{csv}/x")},
    ("fit", "{csv}", "-o", "{out}", "--distributed"): HOSTS,
    ("score", "{model}", "{csv}", "--blocks", "--distributed"): HOSTS,
    ("launch",): {"--processes": ("0", "-1", HUGE, "x"), "": ("score", "fit")},
    ("demo",): {"--out": ("{csv}",)},
    ("sample", "{model}"): {
        "--number": ("0", "-1", HUGE, "1e3", "x", "9" * 400),
        "--how": ("x", "[red]"),
        "--alpha": ("nan", "inf", "-inf", "x"),
        "--at": ("a", "a=1", "=", ""),
        "--seed": SEEDS,
        "--output": (*PATHS, "a.png"),
    },
    ("sample", "{exact}"): {
        "--number": ("0", HUGE),
        "--how": ("x",),
        "--alpha": ("nan",),
        "--seed": SEEDS,
        "--output": ("a.png",),
    },
    ("score", "{model}", "{csv}"): {
        "--samples": ("0", "-1", str(10**10), "1e10", "x"),
        "--method": ("x", "exact"),
        "--output": PATHS,
        **DATA,
    },
    ("score", "{exact}", "{csv}"): {"--method": ("x", "ais", "importance"), **DATA},
    ("outliers", "{csv}"): {
        "--alpha": ("nan", "0", "1", "x"),
        "--fdr": ("nan", "0", "1", "x"),
        "--trim": ("nan", "-0.1", "0.5", "x"),
        "--missing": ("x", "-1"),
        "--column": COLUMN,
        "--explain": ("-1", "x"),
        "--save": ("detector.wp",),
        "--output": PATHS,
        **DATA,
    },
    ("outliers", "{csv}", "--fdr", "0.1"): {
        "--max-epochs": ("0", "-1", HUGE, "x"),
        "--seed": SEEDS,
    },
    ("impute", "{csv}"): {
        "--draws": ("0", "-1", "x", "2.5"),
        "--model": ("none.wp", "{csv}", "{model}"),
        "--column": COLUMN,
        "--save": (".",),
        "--seed": SEEDS,
        "--output": PATHS,
        **DATA,
    },
    ("encode", "{model}", "{csv}"): {"--output": PATHS, **DATA},
    ("decode", "{model}", "{csv}"): {"--output": PATHS, "--at": ("a=1", "")},
    ("decode", "{model}"): {"": ("", "none.npy", "{model}")},
    ("compress", "{csv}"): {"--output": ("out.txt", ".", ""), "": ("--estimate",)},
    ("compress", "{csv}", "-o", "out.wpz"): {
        "--model": ("none.wp", "{csv}"),
        "--block-rows": ("0", "-1", "x"),
        "--drop": ("x",),
    },
    ("compress", "{csv}", "--model", "{model}", "-o", "out.wpz"): {
        "--target-bits": ("nan", "0", "-1", "inf", "x"),
        "--target-rmse": ("nan", "-1", "inf", "x"),
    },
    ("decompress", "{csv}"): {"--output": ("out.txt", "out.npy")},
    ("decompress", "{csv}", "-o", "out.npy"): {"--model": ("none.wp", "{csv}")},
    ("report", "{model}", "{csv}"): {"--output": PATHS, "--train": ("none.csv",), **DATA},
    ("report", "{exact}", "{csv}"): {"": ("--force",)},
    ("diagnose", "{model}", "{csv}"): {"--output": PATHS, "--train": ("none.csv",), **DATA},
    ("diagnose", "{exact}", "{csv}"): {"": ("--force",)},
    ("explore", "{model}"): {
        "--port": ("-1", "65536", HUGE, "x"),
        "--rows": ("0", "-1", "2001", HUGE, "x"),
        "": ("none.csv",),
    },
    ("explore", "{model}", "{csv}"): DATA,
    ("explore", "{exact}"): {"": ("{csv}",)},
    ("forecast", "{csv}"): {
        "--components": ("0", "-1", HUGE, "x"),
        "--noise-variance": ("nan", "0", "-1", "inf", "x"),
        "--output": PATHS,
    },
    ("forecast", "{csv}", "-k", "2"): {
        "--beta": ("nan", "0", "-1", "inf", "x"),
        "--divide-by": ("nan", "0", "-1", "inf", "x"),
        "--transform": ("x", ""),
        "--resolution": ("x", "nan", "-1", ""),
        **DATA,
    },
    ("demo", "--out", "{out}"): {"--max-epochs": ("0", "-1", HUGE, "x"), "--seed": SEEDS},
    ("data", "info"): {"": ("none.csv", "", "{model}"), "--drop": ("x",)},
    ("data", "fetch"): {"": ("x", "", "[red]")},
    ("data", "fetch", "mnist"): {"--from": ("none", "{csv}")},
    ("data", "fetch", "mnist", "--from", "none"): {"--cache": ("{csv}",)},
    ("data", "convert", "{csv}"): {"--output": ("out.txt", ".", "{csv}")},
    ("data", "convert", "{csv}", "-o", "out.npy"): {
        "--size": ("0", "-1", "x", "1e9", "axb", HUGE, ""),
        "--crop": ("0", "-1", "x", "1e9", "axb", HUGE, ""),
        "--decimal": ("x", "[red]"),
        **DATA,
    },
    ("reproduce",): {"": ("x", "", "\x1b[31m")},
    ("reproduce", "lucas2019-mnist", "--quick"): {
        "--folder": ("{csv}", "{csv}/x"),
        "--data": ("none", "{csv}"),
    },
}
CASES = [
    (command, option, value)
    for command, options in COMMANDS.items()
    for option, values in options.items()
    for value in values
]


@pytest.fixture(scope="module")
def names(fitted, tmp_path_factory):
    folder = tmp_path_factory.mktemp("nonsense")
    wp.PPCA(2).fit(table()).save(folder / "exact.wp")
    return {
        "csv": str(fitted.csv),
        "model": str(fitted.model),
        "exact": str(folder / "exact.wp"),
        "out": str(folder / "out"),
    }


def _short(value):
    text = " ".join(value) if isinstance(value, tuple) else value
    return ascii(text[:24])


@pytest.mark.parametrize(("command", "option", "value"), CASES, ids=_short)
def test_nonsense_is_one_message(names, tmp_path, monkeypatch, command, option, value):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WELLPOSED_CACHE", names["out"] + "-cache")  # with nothing in it
    given = [part.format(**names) for part in (*command, *filter(None, [option]), value)]
    result = run(*given, code=2)
    said = result.stderr.strip()
    assert said
    assert "Traceback" not in said
    assert "\x1b" not in said
    assert "\n\n" not in said
    if said.startswith("error: "):
        assert "\n" not in said
        assert len(said) < 1_000
    assert not any(tmp_path.iterdir())
    assert not Path(names["out"]).is_file()


def _taking_values(command, path=()):
    """Names of the options of every command below one, but for flags."""
    for name, below in getattr(command, "commands", {}).items():
        yield from _taking_values(below, (*path, name))
    for one in command.params:
        if path and one.param_type_name == "option" and not one.is_flag:
            yield path, one.opts


def test_every_option_that_takes_a_value_is_tried():
    tried = {(path, option) for path, options in COMMANDS.items() for option in options}
    wanted = list(_taking_values(typer.main.get_command(app)))
    missing = [
        (path, names)
        for path, names in wanted
        if path != ("data", "list")  # any folder is one that holds nothing yet
        and not any(command[: len(path)] == path and option in names for command, option in tried)
    ]
    assert len(wanted) > 50
    assert not missing


@pytest.mark.parametrize(
    "settings",
    [
        {"n_components": 10**9},
        {"hidden": (10**9,)},
        {"hidden": (10**6, 10**6)},
        {"n_importance": 10**9, "objective": "iwae"},
        {"random_state": 2**40},
        {"random_state": -1},
        {"random_state": "x"},
        {"random_state": np.random.default_rng(0)},
        {"max_epochs": 10**20},
        {"batch_size": 10**20},
        {"patience": 10**20},
    ],
    ids=lambda settings: ",".join(f"{name}={type(v).__name__}" for name, v in settings.items()),
)
def test_python_refuses_before_memory_is_taken(settings):
    with pytest.raises(wp.SettingError, match=next(iter(settings))):
        textbook_vae(**{"hidden": (8,), **settings}).fit(table())


def test_python_refuses_draws_beyond_memory(names):
    for path in (names["model"], names["exact"]):
        model = wp.load(path)
        for wrong in (10**9 + 1, 10**12, 0, 2.5):
            with pytest.raises(wp.SettingError, match="n_samples"):
                model.sample(wrong)
        with pytest.raises(wp.SettingError, match="alpha"):
            model.sample(2, "coupled", alpha=float("nan"))
        with pytest.raises(wp.SettingError, match="random_state"):
            model.sample(2, random_state=2**40)
    vae = wp.load(names["model"])
    with pytest.raises(wp.SettingError, match="n_samples must be a whole number from 1 to"):
        vae.score_samples(frame(), n_samples=10**12)
    with pytest.raises(wp.SettingError, match="n_samples must be a whole number from 1 to"):
        vae.elbo(frame(), n_samples=10**12)
