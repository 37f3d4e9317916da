"""The forecast on the command line: what it prints and writes is what Python gives."""

import csv
import re

import numpy as np
import pytest
from cli_running import run, table
from matplotlib.image import imread

import wellposed as wp
from wellposed.evaluation import sentences


def read_csv(path):
    """The columns of a table by name."""
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


def printed_rows(text):
    """The cells of each printed latent."""
    return [
        line.split()
        for line in text.splitlines()
        if re.match(r"\s*\d+\s.*(active|collapsed)", line)
    ]


def check_printed(text, found, shown):
    rows = printed_rows(text)
    assert len(rows) == shown
    for i, (direction, variance, share, ratio, rate, state, below) in enumerate(rows):
        assert int(direction) == i + 1
        assert variance == f"{found.eigenvalues[i]:.4g}"
        assert share == f"{found.eigenvalues[i] / found.total_variance:.2%}"
        assert ratio == f"{found.eigenvalues[i] / found.threshold:.4g}"
        assert rate == f"{found.rates[i]:.4g}"
        assert state == ("active" if found.active[i] else "collapsed")
        assert below == f"{found.active_below[i]:.4g}"
    for sentence in sentences(found):
        assert sentence in text


@pytest.mark.parametrize(
    ("options", "settings"),
    [
        (("-k", "10", "--noise-variance", "100"), {"n_components": 10, "noise_variance": 100.0}),
        (("-k", "7"), {"n_components": 7}),
        (("-k", "7", "--beta", "4"), {"n_components": 7, "beta": 4.0}),
        (("-k", "9", "--transform", "standardize"), {"n_components": 9, "transform": "s"}),
    ],
)
def test_the_table_and_the_sentences_are_those_of_python(digits, options, settings):
    if "transform" in settings:
        settings = settings | {"transform": wp.transforms.Standardize(shared=True)}
    found = wp.forecast(digits.reshape(-1, 8, 8), **settings)  # as the command reads them
    result = run("forecast", "digits", *options)
    check_printed(result.stdout, found, shown=found.n_components)
    assert f"σ² = {found.noise_variance:.4g}\n" in result.stdout
    unit = "standardised data" if found.units != "squared units of the data" else "of the data."
    assert unit in result.stdout


def test_many_latents_are_summed_up(digits):
    found = wp.forecast(digits, noise_variance=1.0)
    said = run("forecast", "digits", "--noise-variance", "1").stdout
    check_printed(said, found, shown=20)
    active, rate = found.n_active - 20, found.rates[20:].sum()
    assert f"44 more, 21 to 64: {active} active with {rate:.4g} nats together, " in said


def test_directions_without_variance_are_never_active(tmp_path):
    np.save(tmp_path / "x.npy", table() @ np.diag([1.0, 1.0, 1.0, 0.0, 0.0]))
    said = run("forecast", tmp_path / "x.npy", "-k", "5", "--noise-variance", "100").stdout
    assert [row[-1] == "never" for row in printed_rows(said)] == [False] * 3 + [True] * 2
    assert "the largest possible number, 3" in said


def test_dividing_changes_the_units_of_the_noise_alone(digits, tmp_path):
    whole = wp.forecast(digits, n_components=5, noise_variance=64.0)
    path = tmp_path / "forecast.csv"
    options = ("-k", "5", "--divide-by", "16", "--noise-variance", "0.25", "-o", path)
    said = run("forecast", "digits", *options).stdout
    assert "data divided by 16" in said
    written = read_csv(path)
    np.testing.assert_allclose(written["rate"], whole.rates, rtol=1e-12)
    np.testing.assert_allclose(written["variance"], whole.eigenvalues[:5] / 256, rtol=1e-12)


def test_dividing_divides_a_given_resolution_too():
    said = [
        run("forecast", "digits", "-k", "64", "--resolution", "2", *more).stdout
        for more in (("--transform", "identity"), ("--divide-by", "16"))
    ]
    floor = 2.0**2 / 12
    for text, expected in zip(said, (floor, floor / 256), strict=True):
        assert f"σ² = {expected:.4g}\n" in text
        assert "is at its floor" in text


def test_a_table_round_trips_and_a_figure_shows_something(tmp_path):
    rows = table()
    np.save(tmp_path / "x.npy", rows)
    outputs = tmp_path / "f.csv", tmp_path / "f.png"
    options = ("-k", "4", "--noise-variance", "0.2", "-o", outputs[0], "-o", outputs[1])
    said = run("forecast", tmp_path / "x.npy", *options).stdout
    assert all(f"Wrote {path}" in said for path in outputs)
    found = wp.forecast(rows, n_components=4, noise_variance=0.2)
    written = read_csv(outputs[0])
    expected = {
        "direction": np.arange(1, 5),
        "variance": found.eigenvalues[:4],
        "share": found.eigenvalues[:4] / found.total_variance,
        "ratio": found.eigenvalues[:4] / 0.2,
        "rate": found.rates,
        "active": found.active,
        "active_below": found.active_below,
    }
    assert list(written) == list(expected)
    for name, values in expected.items():
        np.testing.assert_array_equal(written[name], values, err_msg=name)
    picture = imread(outputs[1])
    assert picture.shape[1] > 1000
    assert 0.01 < (picture[..., :3].min(axis=2) < 0.9).mean() < 0.5


def test_outputs_are_overwritten_only_when_forced(tmp_path):
    path = tmp_path / "f.csv"
    path.write_text("precious")
    command = ("forecast", "digits", "-k", "2", "-o", path)
    assert "--force" in run(*command, code=2).stderr
    assert path.read_text() == "precious"
    run(*command, "--force")
    assert path.read_text().startswith("direction,")


def test_columns_can_be_dropped(tmp_path):
    rows = table()
    path = tmp_path / "t.csv"
    np.savetxt(path, rows, "%.2f", ",", header="a,b,c,d,e", comments="")
    said = run("forecast", path, "-k", "2", "--drop", "b", "--drop", "4").stdout
    check_printed(said, wp.forecast(rows[:, [0, 2, 3]], n_components=2), shown=2)


def test_a_file_called_like_a_data_set_is_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits").mkdir()
    said = run("forecast", "digits", "-k", "1", code=2).stderr
    assert "64" not in said
    assert said.startswith("error: ")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "--components K or --noise-variance"),
        (("-k", "0"), "n_components must be"),
        (("--noise-variance", "0"), "noise_variance must be"),
        (("-k", "2", "--beta", "-1"), "beta must be"),
        (("-k", "2", "--divide-by", "0"), "--divide-by must be"),
        (("-k", "2", "--divide-by", "nan"), "--divide-by must be"),
        (("-k", "2", "--divide-by", "16", "--transform", "logit"), "Leave one out"),
        (("-k", "2", "--transform", "standardise"), "Did you mean 'standardize'?"),
        (("-k", "2", "-o", "forecast.pdf"), "output file's kind"),
        (("-k", "2", "--drop", "0"), "--header and --drop"),
        (("-k", "64", "--resolution", "fine"), "resolution"),
    ],
)
def test_bad_settings_are_one_line(options, message):
    result = run("forecast", "digits", *options, code=2)
    assert message in result.stderr
    assert result.stderr.startswith("error: ")
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""


@pytest.mark.parametrize("values", [np.full((5, 2), np.nan), np.ones((5, 2))])
def test_bad_data_are_one_line(tmp_path, values):
    np.save(tmp_path / "x.npy", values)
    result = run("forecast", tmp_path / "x.npy", "-k", "1", code=2)
    assert result.stderr.startswith("error: ")
    assert len(result.stderr.splitlines()) == 1


def test_a_data_set_that_is_not_there_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("WELLPOSED_CACHE", str(tmp_path))
    said = run("forecast", "mnist", "-k", "1", code=2).stderr
    assert "wellposed data fetch mnist" in said
    assert len(said.splitlines()) == 1


def test_the_command_is_named_by_help():
    assert "forecast" in run("--help").stdout


@pytest.mark.slow
def test_mnist_keeps_as_many_latents_as_published(shared_data, tmp_path):
    path = shared_data("mnist/train-images-idx3-ubyte.gz")
    command = ("forecast", path, "--divide-by", "255")
    said = run(*command, "--noise-variance", "1", "-o", tmp_path / "f.csv").stdout
    assert "12 of 784 latents are active" in said
    written = read_csv(tmp_path / "f.csv")
    # Figures of LinearVAE's notebook, the eigenvalues at which modes collapse at unit noise.
    published = [5.11678773, 3.74132848, 3.25265424, 2.84157334, 2.56707496]
    np.testing.assert_allclose(written["variance"][:5], published, rtol=1e-8)
    assert len(written["rate"]) == 784
    said = run(*command, "-k", "50").stdout
    assert "σ² = 0.0126\n" in said
