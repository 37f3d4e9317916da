"""Files with a valid checksum that ``save`` never wrote are refused, or harmless."""

import json
import random

import forging
import numpy as np
import pytest

import wellposed as wp
from variants import slow_beside

# Their kinds differ most; the whole lot is ``python -m benchmarks.forge_models``.
NAMES = ("linear-vae", "ppca-standardized", "vae-columns", "vae-shared")


@pytest.mark.parametrize("name", slow_beside(NAMES, ["ppca-standardized", "vae-shared"]))
def test_forged_files_are_refused_or_harmless(tmp_path, name):
    parts = forging.parts_of(forging.path_of(name))
    rows = np.array(forging.ROWS[name]["rows"], forging.ROWS[name]["dtype"])
    path, found = tmp_path / "forged.wp", {}
    for i in range(50):
        what, content = forging.forge(parts, random.Random(f"{name}.{i}"))
        path.write_bytes(content)
        found[f"{i} {what}"] = forging.verdict(path, rows)
    assert {what: became for what, became in found.items() if became not in SOUND} == {}
    assert list(found.values()).count("refused") > 25


SOUND = ("refused", "finite")


def to(change):
    def forge(tensors, header):
        return change(tensors, header) or json.dumps(header)

    return forge


WEIGHT = "model.encoder.layers.0.weight"


def spoil(name, value):
    return lambda tensors, header: tensors[name].fill(value)


def model(*path, value):
    def change(tensors, header):
        place = header["model"]
        for key in path[:-1]:
            place = place["fields"][key]
        place["fields"][path[-1]] = value

    return change


IDENTITY = {"class": "transforms.Identity", "fields": {}}
CASES = {
    "a weight that is no number": spoil(WEIGHT, np.nan),
    "an infinite weight": spoil(WEIGHT, np.inf),
    "weights beyond what training makes": spoil(WEIGHT, 3e38),
    "a scale that is negative": spoil("model.transform.scale", -1.0),
    "a scale of zero": spoil("model.transform.scale", 0.0),
    "a floor that is negative": spoil("model.noise.scale.floor", -5.0),
    "another shape": lambda t, h: t.update({WEIGHT: t[WEIGHT][:, :-1]}),
    "another type": lambda t, h: t.update({WEIGHT: t[WEIGHT].astype(np.int32)}),
    "half precision": lambda t, h: t.update({WEIGHT: t[WEIGHT].astype(np.float16)}),
    "a leaf missing": lambda t, h: t.pop(WEIGHT) is None or None,
    "a leaf more": lambda t, h: t.update({"model.extra": np.zeros(2)}),
    "nested without end": lambda t, h: json.dumps(h)[:-1] + ',"x":' + "[" * 9999 + "]" * 9999 + "}",
    "nested deep": lambda t, h: json.dumps(h)[:-1] + ',"x":' + "[" * 200 + "]" * 200 + "}",
    "a name twice": lambda t, h: json.dumps(h)[:-1] + ',"kind":"VAE"}',
    "an unknown class": model("noise", value={"class": "os.system", "fields": {}}),
    "an abstract class": model("noise", value={"class": "noise.AbstractNoise", "fields": {}}),
    "a class in another's place": model("noise", value=IDENTITY),
    "an unknown activation": model("encoder", "activation", value="frobnicate"),
    "another kind of scale": model("noise", "scale", "kind", value="conditional"),
    "more latents than there are": model("prior", "k", value=7),
    "features that are not there": lambda t, h: h["state"].update(n_features_in_=7),
    "no features": lambda t, h: h["state"].update(n_features_in_=0),
    "features that are no number": lambda t, h: h["state"].update(n_features_in_="3"),
    "a setting out of range": lambda t, h: h["settings"].update(beta=-1.0),
    "a setting of another type": lambda t, h: h["settings"].update(hidden="abc"),
    "an unknown setting": lambda t, h: h["settings"].update(exec="rm"),
    "names of other features": lambda t, h: h.update(feature_names=["a"]),
    "an unknown outcome": lambda t, h: h.update(outcome="splendid"),
    "no state": lambda t, h: h.update(state=[]),
    "no model": lambda t, h: h.pop("model") and None,
    "the model of another estimator": lambda t, h: h.update(kind="PPCA"),
}  # fmt: skip


@pytest.mark.parametrize("change", CASES.values(), ids=CASES)
def test_what_fitting_cannot_have_made_is_refused(tmp_path, change):
    path = tmp_path / "forged.wp"
    tensors, header = forging.parts_of(forging.path_of("vae-shared"))
    text = to(change)(tensors, header)
    path.write_bytes(forging.seal(tensors, text))
    with pytest.raises(wp.DamagedFileError, match=r"forged\.wp"):
        wp.load(path)
