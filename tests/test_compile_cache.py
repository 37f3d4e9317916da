"""Programs kept between runs of the tests: bounded, and never able to make a result wrong."""

import os

import jax
import jax.numpy as jnp
import pytest
from jax.experimental.compilation_cache import compilation_cache

import compile_cache


@pytest.mark.parametrize("word", compile_cache.OFF)
def test_a_variable_turns_it_off(word, monkeypatch):
    monkeypatch.setenv(compile_cache.VARIABLE, word)
    assert compile_cache.root() is None
    assert compile_cache.folder() is None


def test_the_folder_is_that_of_versions_compression_and_processor(monkeypatch, tmp_path):
    monkeypatch.setenv(compile_cache.VARIABLE, str(tmp_path))
    mine = compile_cache.folder()
    assert mine.parent == tmp_path
    assert jax.__version__ in mine.name
    for fact in ("processor", "compression"):
        with monkeypatch.context() as other:
            other.setattr(compile_cache, fact, lambda: "another")
            assert compile_cache.folder() != mine


def test_the_compression_is_that_which_jax_reads_by():
    from jax._src.compilation_cache import compress_executable

    magic = b"\x28\xb5\x2f\xfd"  # of a Zstandard frame, RFC 8878, section 3.1.1
    frame = compress_executable(b"program")
    assert frame.startswith(magic) == (compile_cache.compression() == "zstd")


def test_a_folder_that_cannot_be_written_is_not_used(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(compile_cache.VARIABLE, str(tmp_path / "file"))
    assert compile_cache.folder() is None


def test_what_was_used_longest_ago_goes_first(tmp_path):
    for version in ("one", "two"):
        (tmp_path / version).mkdir()
        for age in range(3):
            entry = tmp_path / version / f"jit_f-{age}-cache"
            entry.write_bytes(bytes(100))
            os.utime(entry, (1e9 - age, 1e9 - age))
    compile_cache.evict(tmp_path, 450)
    left = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.glob("*/*"))
    assert left == [f"{version}/jit_f-{age}-cache" for version in ("one", "two") for age in (0, 1)]
    compile_cache.evict(tmp_path / "absent")


@pytest.fixture
def empty_cache(tmp_path):
    """A folder of compiled programs that is this test's own."""
    before = jax.config.jax_compilation_cache_dir

    def use(path):
        compilation_cache.reset_cache()
        jax.config.update("jax_compilation_cache_dir", path)

    use(str(tmp_path))
    yield tmp_path
    use(before)


@pytest.mark.parametrize(
    "damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b[::-1]], ids=["cut", "0", "-1"]
)
def test_a_damaged_entry_is_compiled_anew(empty_cache, damage, request):
    def found():
        jax.clear_caches()
        return float(jax.jit(lambda x: jnp.sin(x) + 2.5)(0.5))

    right = found()
    entries = list(empty_cache.glob("*-cache"))
    assert entries
    for entry in entries:
        entry.write_bytes(damage(entry.read_bytes()))
    with pytest.warns(UserWarning, match="Error reading persistent compilation cache entry"):
        assert found() == right
    # Which the tests' settings must not turn into an error.
    assert any("compilation cache" in line for line in request.config.getini("filterwarnings"))
