"""Commands that apply a model: what they write is what Python gives."""

import numpy as np
import pytest
from cli_running import SMALL, frame, run, table

import wellposed as wp


def read_csv(text):
    head, *rows = text.strip().splitlines()
    return head.split(","), np.array([[float(cell) for cell in row.split(",")] for row in rows])


@pytest.mark.parametrize("kind", ["csv", "npy"])
def test_score_encode_decode_and_sample_agree_with_python(fitted, tmp_path, kind):
    vae, rows = wp.load(fitted.model), frame()
    data = getattr(fitted, kind)

    def made(*command):
        path = tmp_path / f"{command[0]}.{kind}"
        run(*command, "-o", path)
        return path, np.load(path) if kind == "npy" else read_csv(path.read_text())[1]

    _, scores = made("score", fitted.model, data, "--samples", "20")
    log_p = scores if kind == "npy" else scores[:, 0]
    np.testing.assert_array_equal(log_p.astype(np.float32), vae.score_samples(rows, 20))
    z_path, z = made("encode", fitted.model, data)
    np.testing.assert_array_equal(z.astype(np.float32), vae.transform(rows))
    _, decoded = made("decode", fitted.model, z_path)
    np.testing.assert_allclose(decoded, vae.inverse_transform(z), rtol=1e-6)
    options = ("-n", "7", "--how", "coupled", "--alpha", "0.5", "--seed", "3")
    _, drawn = made("sample", fitted.model, *options)
    expected = vae.sample(7, "coupled", alpha=0.5, random_state=3)
    np.testing.assert_array_equal(drawn.astype(np.float32), expected)


def test_score_prints_csv_and_keeps_the_summary_apart(fitted):
    result = run("score", fitted.model, fitted.csv, "--samples", "20")
    names, scores = read_csv(result.stdout)
    assert names == ["log_p", "standard_error", "effective_sample_size", "pareto_k"]
    assert scores.shape == (60, 4)
    assert (scores[:, 1] >= 0).all()
    assert ((scores[:, 2] > 0.99) & (scores[:, 2] < 20.01)).all()
    error = scores[:, 0].std(ddof=1) / np.sqrt(60)
    assert f"mean log p(x) over 60 rows: {scores[:, 0].mean():.4f} nats" in result.stderr
    assert f"standard error {error:.2g}" in result.stderr


@pytest.mark.slow
def test_score_takes_a_method_and_refuses_others(fitted, tmp_path):
    path = tmp_path / "scores.csv"
    run("score", fitted.model, fitted.csv, "--method", "ais", "-o", path)
    scores = read_csv(path.read_text())[1]
    annealed = wp.load(fitted.model).log_likelihood(frame(), method="ais")
    np.testing.assert_array_equal(scores[:, 0].astype(np.float32), annealed.value)
    assert np.isnan(scores[:, 3]).all()
    said = run("score", fitted.model, fitted.csv, "--method", "exact", code=2).stderr
    assert "hidden=()" in said
    assert "importance" in run("score", fitted.model, fitted.csv, "--method", "is", code=2).stderr


def test_sampling_repeats_itself_and_draws_as_many_as_asked(fitted):
    first, again = (run("sample", fitted.model, "-n", "3").stdout for _ in range(2))
    assert first == again
    assert read_csv(first)[1].shape == (3, 5)
    assert run("sample", fitted.model, "-n", "3", "--seed", "9").stdout != first


def test_outputs_are_overwritten_only_when_forced(fitted, tmp_path):
    path = tmp_path / "z.csv"
    path.write_text("precious")
    assert "--force" in run("encode", fitted.model, fitted.csv, "-o", path, code=2).stderr
    assert path.read_text() == "precious"
    run("encode", fitted.model, fitted.csv, "-o", path, "--force")
    assert path.read_text().startswith("z0,z1\n")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["z.csv"]


def test_a_failed_write_leaves_the_old_file(fitted, tmp_path, monkeypatch):
    path = tmp_path / "z.npy"
    path.write_bytes(b"precious")

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    said = run("encode", fitted.model, fitted.csv, "-o", path, "--force", code=2).stderr
    assert "No space left on device" in said
    assert path.read_bytes() == b"precious"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["z.npy"]


def test_unknown_kinds_of_output_are_refused_before_work(tmp_path):
    said = run("score", "no-model", "no-data", "-o", tmp_path / "z.cvs", code=2).stderr
    assert "Did you mean '.csv'?" in said


@pytest.fixture(scope="module")
def of_images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    np.save(folder / "x.npy", np.random.default_rng(0).integers(0, 9, (40, 4, 4), np.uint8))
    run(
        "fit",
        folder / "x.npy",
        "-o",
        folder / "m.wp",
        "-k",
        "2",
        "--hidden",
        "4",
        "--max-epochs",
        "1",
    )
    return folder / "m.wp"


def test_samples_of_images_become_a_picture(of_images, tmp_path):
    run("sample", of_images, "-n", "5", "-o", tmp_path / "draws.png")
    assert (tmp_path / "draws.png").read_bytes().startswith(b"\x89PNG")


def test_a_table_has_no_picture(fitted, tmp_path):
    said = run("sample", fitted.model, "-o", tmp_path / "draws.png", code=2).stderr
    assert "--image-shape" in said
    assert not (tmp_path / "draws.png").exists()


def test_a_damaged_model_is_refused(fitted, tmp_path):
    content = bytearray(fitted.model.read_bytes())
    content[-5] ^= 1
    damaged = tmp_path / "damaged.wp"
    damaged.write_bytes(content)
    said = run("score", damaged, fitted.csv, code=2).stderr
    assert said.startswith("error: ")
    assert "checksum" in said


def test_a_missing_model_is_one_message(fitted, tmp_path):
    said = run("score", tmp_path / "none.wp", fitted.csv, code=2).stderr
    assert said == f"error: {tmp_path / 'none.wp'}: No such file or directory.\n"


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("score", "expecting 5 features"),
        ("encode", "expecting 5 features"),
        ("decode", "2 columns"),
    ],
)
def test_data_of_another_width_are_one_message(fitted, tmp_path, command, message):
    np.save(tmp_path / "x.npy", np.ones((4, 3)))
    result = run(command, fitted.model, tmp_path / "x.npy", code=2)
    assert message in result.stderr
    assert result.stderr.startswith("error: ")
    assert len(result.stderr.splitlines()) == 1


def test_unknown_ways_of_sampling_suggest_the_closest(fitted):
    assert "Did you mean 'mean'?" in run("sample", fitted.model, "--how", "men", code=2).stderr


def test_no_draws_are_refused(fitted):
    said = run("score", fitted.model, fitted.csv, "--samples", "0", code=2).stderr
    assert "n_samples must be a whole number from 1 to" in said


def test_a_checkpoint_is_no_model(fitted, tmp_path):
    state = tmp_path / "state"
    run("fit", fitted.csv, "-o", tmp_path / "m.wp", *SMALL, "--checkpoint", state)
    assert "holds a checkpoint, not a model" in run("encode", state, fitted.csv, code=2).stderr


@pytest.mark.parametrize("make", [wp.PPCA, lambda k: wp.LinearVAE(k, random_state=0)])
def test_exact_models_are_applied_as_others_are(make, fitted, tmp_path):
    rows, model, z = table(), tmp_path / "exact.wp", tmp_path / "z.npy"
    exact = make(2).fit(rows)
    exact.save(model)
    scored = run("score", model, fitted.csv)
    names, scores = read_csv(scored.stdout)
    assert names[0] == "log_p"
    np.testing.assert_allclose(scores[:, 0], exact.score_samples(rows))
    assert (scores[:, 1] == 0).all()
    assert "(exact)" in scored.stderr
    assert "closed form" in run("score", model, fitted.csv, "--method", "ais", code=2).stderr
    run("encode", model, fitted.csv, "-o", z)
    _, decoded = read_csv(run("decode", model, z).stdout)
    np.testing.assert_allclose(decoded, exact.reconstruct(rows))
    _, drawn = read_csv(run("sample", model, "-n", "3").stdout)
    np.testing.assert_allclose(drawn, exact.sample(3))
    said = run("sample", model, "-o", tmp_path / "x.png", code=2).stderr
    assert "Only a model of images" in said
    for command in ("report", "diagnose", "explore"):
        said = run(command, model, fitted.csv, code=2).stderr
        assert "takes a fitted wellposed.VAE; got" in said
        assert "components_" in said or "compare" in said


def test_an_imputer_is_refused_with_what_to_call(tmp_path):
    rows = np.random.default_rng(0).normal(size=(40, 2))
    wp.GaussianImputer(ridge=1.0, random_state=0).fit(rows).save(tmp_path / "imputer.wp")
    np.savetxt(tmp_path / "rows.csv", rows, delimiter=",")
    for command in ("score", "encode"):
        result = run(command, tmp_path / "imputer.wp", tmp_path / "rows.csv", code=2)
        assert "wellposed impute --model" in " ".join(result.output.split())
