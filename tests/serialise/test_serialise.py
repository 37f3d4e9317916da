"""Files: whole or refused, nothing executed, the old one kept."""

import os
import pickle

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import safetensors.numpy

import wellposed as wp
from textbook import textbook_vae
from wellposed import serialise

X = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)


def fitted(**settings) -> wp.VAE:
    defaults = {"n_components": 2, "hidden": (4,), "max_epochs": 2, "random_state": 0}
    with pytest.warns(wp.TrainingWarning):  # two epochs do not settle
        return textbook_vae(**{**defaults, **settings}).fit(X)


@pytest.fixture(scope="module")
def vae() -> wp.VAE:
    return fitted()


@pytest.mark.parametrize(
    "settings",
    [
        {},
        *(
            pytest.param(settings, marks=pytest.mark.slow)
            for settings in (
                {"noise": 0.5},
                {"noise": "feature"},
                {"noise": "conditional"},
                {"noise": wp.noise.Gaussian("shared", floor=0.01)},
                {"transform": wp.transforms.Standardize(shared=True)},
                {"transform": "identity", "objective": wp.objectives.IWAE(3)},
            )
        ),
        {"encoder": wp.nn.MakeMLP((5, 4), "tanh"), "resolution": np.array([0.1, 0.2, 0.0001])},
    ],
    ids=str,
)
def test_a_loaded_model_is_the_saved_one(tmp_path, settings):
    vae = fitted(**settings)
    path = tmp_path / "model.wp"
    vae.save(path)
    again = wp.load(path)
    assert str(again) == str(vae)
    assert jax.tree.structure(again.model_) == jax.tree.structure(vae.model_)
    np.testing.assert_array_equal(again.elbo(X), vae.elbo(X))
    np.testing.assert_array_equal(again.sample(5), vae.sample(5))
    np.testing.assert_array_equal(again.noise_variance_, vae.noise_variance_)
    assert again.outcome_ is vae.outcome_
    for name, column in vae.history_.items():
        np.testing.assert_array_equal(again.history_[name], column)


def test_the_same_model_is_the_same_bytes(tmp_path, vae):
    first, second, third = (tmp_path / name for name in ("a.wp", "b.wp", "c.wp"))
    vae.save(first)
    vae.save(second)
    wp.load(first).save(third)
    assert first.read_bytes() == second.read_bytes() == third.read_bytes()


def test_a_file_holds_no_numbers_of_single_rows(tmp_path, vae):
    path = tmp_path / "model.wp"
    vae.save(path)
    sizes = [array.shape for array in safetensors.numpy.load_file(path).values()]
    assert not any(len(X) in shape for shape in sizes)


def test_a_loaded_model_names_no_file_to_write(tmp_path, monkeypatch):
    """Neither one that it was trained with, nor one that a forger put in."""
    path, target = tmp_path / "model.wp", tmp_path / "precious"
    fitted(checkpoint=tmp_path / "training.ckpt").save(path)
    assert b"training.ckpt" not in path.read_bytes()
    tensors, header = serialise.read(path)
    header["settings"]["checkpoint"] = str(target)
    serialise.write(path, tensors, header)
    again = wp.load(path)
    assert again.checkpoint is None
    with pytest.warns(wp.TrainingWarning):
        again.fit(X)
    assert not target.exists()


def test_settings_that_no_file_may_hold_are_found_before_the_file_is_written(tmp_path):
    vae = fitted()
    path = tmp_path / "model.wp"
    vae.save(path)
    before = path.read_bytes()
    with pytest.raises(wp.SettingError, match="beta"):
        vae.set_params(beta=-1.0).save(path)
    assert path.read_bytes() == before


def test_every_seed_that_fitting_takes_is_saved(tmp_path):
    vae = fitted(random_state=2**32 - 1)
    vae.save(tmp_path / "model.wp")
    assert wp.load(tmp_path / "model.wp").random_state == 2**32 - 1


def test_a_checkpoint_is_not_the_data(tmp_path):
    path = tmp_path / "data.npy"
    np.save(path, X)
    before = path.read_bytes()
    (tmp_path / "link").symlink_to(path)
    with pytest.raises(wp.SettingError, match="a file of its own"):
        textbook_vae(checkpoint=tmp_path / "link").fit(path)
    assert path.read_bytes() == before


def test_the_file_is_a_safetensors_file_that_others_can_read(tmp_path, vae):
    path = tmp_path / "model.wp"
    vae.save(path)
    assert "model.decoder.layers.0.weight" in safetensors.numpy.load_file(path)


def test_a_damaged_byte_anywhere_is_refused(tmp_path, vae):
    """Every byte of the header, and a sample of the tensors'."""
    path = tmp_path / "model.wp"
    vae.save(path)
    whole = path.read_bytes()
    header = 8 + int.from_bytes(whole[:8], "little")
    places = [*range(header), *range(header, len(whole), 97), len(whole) - 1]
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= 0x01
        path.write_bytes(damaged)
        with pytest.raises(wp.DamagedFileError):
            wp.load(path)


@pytest.mark.parametrize("cut", [0, 4, 100, -1])
def test_a_cut_file_is_refused(tmp_path, vae, cut):
    path = tmp_path / "model.wp"
    vae.save(path)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(wp.DamagedFileError, match=r"model\.wp"):
        wp.load(path)


def test_a_pickle_is_refused_unopened(tmp_path):
    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "executed"),)

    path = tmp_path / "model.wp"
    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(wp.DamagedFileError):
        wp.load(path)
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize(
    "spec",
    [
        {"class": "os.system", "fields": {}},
        {"class": "noise.Gaussian", "fields": {"kind": "given"}},
        {"tensor": "absent"},
        {"unheard": "of"},
    ],
    ids=str,
)
def test_only_our_own_classes_are_built(spec):
    with pytest.raises(wp.DamagedFileError):
        serialise.rebuild(spec, {}, {})


def test_another_format_version_is_refused(tmp_path, monkeypatch, vae):
    path = tmp_path / "model.wp"
    monkeypatch.setattr("wellposed.serialise._file.FORMAT_VERSION", 99)
    vae.save(path)
    monkeypatch.undo()
    with pytest.raises(wp.DamagedFileError, match="format version 99"):
        wp.load(path)


def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch, vae):
    path = tmp_path / "model.wp"
    vae.save(path)
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(wp.OutputError, match="No space left"):
        vae.save(path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["model.wp"]


def test_a_file_has_the_permissions_of_any_other(tmp_path, vae):
    path, other = tmp_path / "model.wp", tmp_path / "other"
    vae.save(path)
    other.touch()
    assert path.stat().st_mode == other.stat().st_mode


def test_an_existing_file_is_kept_on_request(tmp_path, vae):
    path = tmp_path / "model.wp"
    vae.save(path, overwrite=False)
    with pytest.raises(wp.OutputError, match="exists"):
        vae.save(path, overwrite=False)


class Affine(eqx.Module):
    """A user's own network."""

    weight: jax.Array
    bias: jax.Array

    def __call__(self, x):
        return jnp.tanh(x @ self.weight) + self.bias


def make_affine(n_in, n_out, *, key):
    return Affine(jax.random.normal(key, (n_in, n_out)), jnp.zeros(n_out))


def test_a_users_network_needs_its_maker(tmp_path):
    vae = fitted(encoder=make_affine)
    path = tmp_path / "model.wp"
    vae.save(path)
    with pytest.raises(wp.SettingError, match="encoder=make"):
        wp.load(path)
    again = wp.load(path, encoder=make_affine)
    np.testing.assert_array_equal(again.score_samples(X), vae.score_samples(X))


@pytest.mark.slow
def test_a_maker_of_other_shapes_is_refused(tmp_path):
    class Wide(eqx.Module):
        inner: Affine
        outer: Affine

        def __call__(self, x):
            return self.outer(self.inner(x))

    def make(width):
        def build(n_in, n_out, *, key):
            first, second = jax.random.split(key)
            return Wide(make_affine(n_in, width, key=first), make_affine(width, n_out, key=second))

        return build

    path = tmp_path / "model.wp"
    fitted(encoder=make(5)).save(path)
    with pytest.raises(wp.DamagedFileError, match=r"encoder\.inner\.weight of shape \(3, 6\)"):
        wp.load(path, encoder=make(6))
    assert wp.load(path, encoder=make(5)).transform(X).shape == (60, 2)


def test_a_checkpoint_is_not_a_model(tmp_path):
    path = tmp_path / "training.ckpt"
    fitted(checkpoint=path)
    with pytest.raises(wp.DamagedFileError, match="checkpoint"):
        wp.load(path)
