"""Compiled programs on disk: where they are, and all that must not go wrong."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from wellposed import _program_cache

COMPILE = """
import warnings
warnings.simplefilter("error")
import wellposed
import sys
assert "jax" not in sys.modules
from wellposed._compiled import compiled
import jax, jax.numpy as jnp
events = []
jax.monitoring.register_event_listener(lambda event, **_: events.append(event))
{first}
compiled(lambda x: jnp.sin(x) @ x)(jnp.ones(7))
{then}
print(events.count("/jax/compilation_cache/cache_hits"), jax.config.jax_compilation_cache_dir)
"""
JAX_OWN = (
    "JAX_COMPILATION_CACHE_DIR",
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES",
    "TF_CPP_MIN_LOG_LEVEL",  # set by jax in this process, where it was imported before wellposed
)


def compile_in_new_process(cache: Path, *, first: str = "", then: str = "", **environment: str):
    """Return the programs that were loaded from disk, and the folder of JAX's cache."""
    inherited = {name: value for name, value in os.environ.items() if name not in JAX_OWN}
    done = subprocess.run(
        [sys.executable, "-c", COMPILE.format(first=first, then=then)],
        env={**inherited, "WELLPOSED_CACHE": str(cache), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    hits, folder = done.stdout.split()
    return int(hits), folder


def entries(cache: Path) -> list[Path]:
    return sorted(cache.rglob("*-cache"))


def test_the_next_process_loads_what_the_first_compiled(tmp_path):
    hits, folder = compile_in_new_process(tmp_path)
    assert hits == 0
    assert Path(folder).is_relative_to(tmp_path / "compiled")
    assert len(entries(tmp_path)) >= 1
    assert {path.stat().st_mode & 0o777 for path in (Path(folder), Path(folder).parent)} == {0o700}
    # Entries cut short by a full disk are compiled anew, and are whole after that.
    for path in entries(tmp_path):
        path.write_bytes(path.read_bytes()[:-10])
    assert compile_in_new_process(tmp_path)[0] == 0
    assert compile_in_new_process(tmp_path)[0] >= 1


def test_entries_damaged_during_a_run_are_no_warning(tmp_path):
    compile_in_new_process(tmp_path)
    spoil = f"""
from pathlib import Path
from wellposed._compiled import keep_compiled
keep_compiled()
warnings.simplefilter("error")
for path in Path({str(tmp_path)!r}).rglob("*-cache"):
    path.write_bytes(b"no entry")
"""
    assert compile_in_new_process(tmp_path, first=spoil)[0] == 0
    gone = f"import shutil; keep_compiled(); shutil.rmtree({str(tmp_path)!r})"
    first = "from wellposed._compiled import keep_compiled; " + gone
    assert compile_in_new_process(tmp_path, first=first)[0] == 0


def test_the_users_settings_win(tmp_path):
    theirs = tmp_path / "theirs"
    _, folder = compile_in_new_process(tmp_path, JAX_COMPILATION_CACHE_DIR=str(theirs))
    assert folder == str(theirs)
    least = "assert jax.config.jax_persistent_cache_min_compile_time_secs == 1.0"
    update = f'jax.config.update("jax_compilation_cache_dir", {str(theirs)!r})'
    assert compile_in_new_process(tmp_path, first=update, then=least)[1] == str(theirs)
    for off in ({"WELLPOSED_COMPILED": "off"}, {"JAX_ENABLE_COMPILATION_CACHE": "false"}):
        assert compile_in_new_process(tmp_path, **off) == (0, "None")
    assert not entries(tmp_path)


@pytest.mark.parametrize("how", ["a file", "closed", "open to all"])
def test_a_folder_that_cannot_be_used_is_left_alone(how, tmp_path):
    cache = Path("/proc/none") if how == "closed" else tmp_path / "cache"  # closed to root too
    if how == "a file":
        cache.write_text("")
    elif how == "open to all":
        (cache / "compiled").mkdir(parents=True)
        (cache / "compiled").chmod(0o777)
    assert compile_in_new_process(cache) == (0, "None")


def test_a_misspelt_variable_is_refused(monkeypatch):
    from wellposed._errors import SettingError

    monkeypatch.setenv("WELLPOSED_COMPILED", "offf")
    with pytest.raises(SettingError, match="must be on or off; got 'offf'"):
        _program_cache._is_on()


def test_a_sweep_keeps_what_was_used_last(tmp_path):
    now = time.time()
    for age in range(10):
        path = tmp_path / str(age % 2) / f"{age}-cache"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x" * 100)
        os.utime(path, (now - age, now - age))
    _program_cache.sweep(tmp_path, 350)
    assert sorted(path.name for path in entries(tmp_path)) == ["0-cache", "1-cache", "2-cache"]
    _program_cache.sweep(tmp_path, 350)
    assert len(entries(tmp_path)) == 3


def test_a_full_disk_keeps_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("WELLPOSED_CACHE", str(tmp_path))
    assert _program_cache._usable_folder() is not None
    monkeypatch.setattr(_program_cache, "_free_bytes", lambda folder: 2**20)
    assert _program_cache._usable_folder() is None
