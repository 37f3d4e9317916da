"""Cards and the Hub: what a card states is what the model gives, and files are checked."""

import re
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

import wellposed as wp
from wellposed.estimators.sharing.hub import Address
from wellposed.estimators.sharing.use import FILE, use


@pytest.fixture(scope="module")
def fitted():
    X = np.random.default_rng(0).normal(size=(160, 2)) @ np.array([[1.0, 0.5, 2.0], [0, 1.0, 1.0]])
    return wp.PPCA(1).fit(X), X


def hub_at(folder, monkeypatch):
    """A Hub that is a folder, one folder a commit."""
    commits = []

    def create_repo(self, repo, *, private, exist_ok):
        assert exist_ok
        if repo.startswith("denied"):
            raise PermissionError("403 Forbidden\nwith details")

    def upload_folder(self, *, repo_id, folder_path, revision, commit_message):
        oid = f"{len(commits):040x}"
        commits.append(oid)
        Path(folder_path).rename(Path(folder, oid))
        Path(folder_path).mkdir()  # which the caller removes
        return SimpleNamespace(oid=oid)

    def hf_hub_download(repo, file, *, revision):
        found = Path(folder, revision or commits[-1], file)
        if not found.exists():
            raise FileNotFoundError(f"404: no {file}")
        return str(found)

    hub = ModuleType("huggingface_hub")
    hub.HfApi = type("HfApi", (), {"create_repo": create_repo, "upload_folder": upload_folder})
    hub.hf_hub_download = hf_hub_download
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)


def test_a_model_comes_back_from_the_hub_at_its_revision(fitted, tmp_path, monkeypatch):
    model, X = fitted
    hub_at(tmp_path, monkeypatch)
    noise = np.random.default_rng(1).normal(size=X.shape)
    card = f"# Rows\n\n{use(FILE)}"
    first = wp.push_to_hub(model, "me/rows", card=card)
    second = wp.push_to_hub(wp.PPCA(2).fit(X + noise), "me/rows", file="more/two.wp")
    assert first == f"hf://me/rows@{0:040x}/model.wp"
    assert second == f"hf://me/rows@{1:040x}/more/two.wp"
    np.testing.assert_array_equal(wp.load(first).score_samples(X), model.score_samples(X))
    assert wp.load("hf://me/rows/more/two.wp").n_components == 2
    text = Path(tmp_path, f"{0:040x}", "README.md").read_text()
    assert text.startswith("# Rows\n")
    (address,) = re.findall(r'wp\.load\("(.+)"\)', text)
    assert address == "hf://me/rows/model.wp"
    assert "pip install 'wellposed[hub]'" in text
    with pytest.raises(wp.DownloadError, match=r"hf://me/rows/model\.wp could not be had.*404.*re"):
        wp.load("hf://me/rows")


def test_a_damaged_file_of_the_hub_is_refused(fitted, tmp_path, monkeypatch):
    hub_at(tmp_path, monkeypatch)
    address = wp.push_to_hub(fitted[0], "me/rows")
    (file,) = tmp_path.rglob("model.wp")
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(wp.DamagedFileError, match="checksum is not that"):
        wp.load(address)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("hf://a/b", Address("a/b")),
        ("hf://a/b/c.wp", Address("a/b", "c.wp")),
        ("hf://a/b@v1.0", Address("a/b", "model.wp", "v1.0")),
        ("hf://a/b@0a1/c/d.wp", Address("a/b", "c/d.wp", "0a1")),
    ],
)
def test_addresses(text, address):
    assert Address.of(text) == address
    assert Address.of(str(address)) == address


@pytest.mark.parametrize("text", ["hf://", "hf://a", "hf://a/b@", "hf://a/b@x@y/c", "hf://a/b/ c"])
def test_what_is_no_address(text):
    with pytest.raises(wp.SettingError, match=r"must be hf://user/repo.*For example"):
        wp.load(text)


def test_refusals_name_the_remedy(fitted, tmp_path, monkeypatch):
    model, _ = fitted
    hub_at(tmp_path, monkeypatch)
    with pytest.raises(wp.OutputError, match=r"denied/x: PermissionError: 403 Forbidden\. Check"):
        wp.push_to_hub(model, "denied/x")
    with pytest.raises(wp.SettingError, match="must be \"user/repo\"; got 'rows'"):
        wp.push_to_hub(model, "rows")
    for file in ("../x.wp", "/x.wp", "a b.wp", "README.md", ""):
        with pytest.raises(wp.SettingError, match="file must be a path within the repository"):
            wp.push_to_hub(model, "me/x", file=file)
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    for call in (lambda: wp.push_to_hub(model, "me/x"), lambda: wp.load("hf://me/x")):
        with pytest.raises(wp.SettingError, match=r"pip install 'wellposed\[hub\]'"):
            call()


@pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")
@pytest.mark.slow
def test_a_card_states_what_the_model_gives(fitted):
    import pandas as pd

    X = pd.DataFrame(fitted[1], columns=["a|b", "b", "c"])
    vae = wp.VAE(1, prior="standard", hidden=(4,), max_epochs=2, random_state=0).fit(X[:100])
    held = X[100:]
    card = wp.model_card(vae, held, X[:100], title="Three columns")
    assert card.startswith("---\nlibrary_name: wellposed\n")
    assert "# Three columns\n" in card
    log_p = vae.score_samples(held).astype(float)
    error = log_p.std(ddof=1) / np.sqrt(len(log_p))
    assert f"| log p(x), nats a row | {log_p.mean():.4g} ± {error:.2g} |" in card
    fingerprint = wp.training.fingerprint
    assert f"| SHA-256, held out | `{fingerprint((vae.rows(held),))}` |" in card
    assert f"{vae.model_.log_density_bound(3):.4g} nats a row" in card
    units = "each feature minus its mean, over its standard deviation"
    assert f"| transform to model units | {units} |" in card
    assert "| noise variance σ², model units |" in card
    best = vae.best_epoch_
    at = f"epoch {best}, " if best else "that of the start"
    assert f"2 epochs, the model is {'of ' if best else ''}{at}" in card
    for finding in wp.diagnose(vae, held, X[:100]).findings:
        assert f"| {finding.verdict} | {finding.question} |" in card
    assert "a\\|b, b, c" in card
    assert "| `hidden` | `(4,)` |" in card
    assert f"| wellposed | {wp.__version__} |" in card
    assert card.endswith(f"\n\n{use(FILE)}")
    with pytest.raises(wp.SettingError, match="got a PPCA"):
        wp.model_card(fitted[0], held)
