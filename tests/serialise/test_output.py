"""Outputs: what is checked is what is written, what is there keeps its dress, nothing is left."""

import errno
import os
import signal
import stat
import subprocess
import sys
import textwrap

import pytest

import wellposed as wp
from wellposed import serialise
from wellposed.serialise import _temporaries

LONGEST = 255  # bytes of a name, on every file system that tests run on


def written(path, content=b"new"):
    serialise.check_writable(path, overwrite=True)
    with serialise.replace_file(path) as file:
        file.write(content)


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o755])
def test_a_file_keeps_its_permissions(tmp_path, mode):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(mode)
    written(path)
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert path.read_bytes() == b"new"


def test_the_content_of_a_private_file_is_never_public(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(0o600)
    with serialise.replace_file(path) as file:
        assert stat.S_IMODE(os.fstat(file.fileno()).st_mode) == 0o600


@pytest.mark.skipif(os.name != "posix", reason="umask is POSIX")
def test_a_new_file_follows_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        written(tmp_path / "file")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640


@pytest.mark.parametrize("there", [True, False], ids=["file", "dangling"])
def test_a_link_stays_and_what_it_points_to_is_written(tmp_path, there):
    target = tmp_path / "elsewhere" / "file"
    target.parent.mkdir()
    if there:
        target.write_bytes(b"old")
        target.chmod(0o600)
    link = tmp_path / "link"
    link.symlink_to(target)
    written(link)
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert os.listdir(tmp_path / "elsewhere") == ["file"]


@pytest.mark.parametrize("name", ["m" * LONGEST, "ü" * (LONGEST // 2), "a" * 240 + ".wp"])
def test_a_name_as_long_as_can_be_is_written(tmp_path, name):
    written(tmp_path / name)
    assert (tmp_path / name).read_bytes() == b"new"


@pytest.mark.parametrize("name", ["m" * (LONGEST + 1), "ü" * LONGEST, "a\0b"])
def test_a_name_that_cannot_be_is_found_before_the_work(tmp_path, name):
    with pytest.raises(wp.OutputError, match="cannot be written"):
        serialise.check_writable(tmp_path / name, overwrite=True)
    assert os.listdir(tmp_path) == []


def test_what_is_checked_leaves_no_trace(tmp_path):
    serialise.check_writable(tmp_path / "new", overwrite=True)
    assert os.listdir(tmp_path) == []


def test_what_is_checked_is_what_is_written(tmp_path, monkeypatch):
    """A training may change the working directory."""
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path)
    path = serialise.check_writable("file", overwrite=True)
    monkeypatch.chdir(tmp_path / "there")
    with serialise.replace_file(path) as file:
        file.write(b"new")
    assert (tmp_path / "file").read_bytes() == b"new"


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(wp.OutputError, match="is a folder"):
        serialise.check_writable(tmp_path, overwrite=True)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_device_is_written_to_and_stays(tmp_path):
    written("/dev/null")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    with pytest.raises(wp.OutputError, match="No space left"):
        written("/dev/full")


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(wp.OutputError, match="No space left"):
        written(path)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_killed_process_is_swept_up_after(tmp_path):
    """By the next writer; what others write, and other files, are left alone."""
    script = textwrap.dedent(
        """
        import sys, time
        from wellposed import serialise
        with serialise.replace_file(sys.argv[1]) as file:
            file.write(b"half")
            print("writing", flush=True)
            time.sleep(60)
        """
    )
    environment = os.environ | {"PYTHONPATH": os.path.dirname(os.path.dirname(wp.__file__))}
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "file")],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    (tmp_path / ".wellposed-notes.tmp").write_text("mine")
    written(tmp_path / "other")
    temporary = [name for name in os.listdir(tmp_path) if _temporaries._NAME.fullmatch(name)]
    assert len(temporary) == 1  # of a process that runs
    process.send_signal(signal.SIGKILL)
    process.communicate()
    written(tmp_path / "other")
    assert sorted(os.listdir(tmp_path)) == [".wellposed-notes.tmp", "other"]


def test_temporaries_of_another_machine_are_left(tmp_path):
    name = ".wellposed-00000000-1-0123abcd.tmp"
    (tmp_path / name).write_bytes(b"")
    written(tmp_path / "file")
    assert name in os.listdir(tmp_path)


@pytest.mark.parametrize("how", ["same", "relative", "symbolic", "hard"])
def test_an_output_that_is_an_input_is_found_by_what_it_is(tmp_path, monkeypatch, how):
    data = tmp_path / "data.csv"
    data.write_text("1,2\n")
    monkeypatch.chdir(tmp_path)
    output = {"same": data, "relative": "./data.csv"}.get(how, tmp_path / "other")
    if how == "symbolic":
        output.symlink_to(data)
    if how == "hard":
        output.hardlink_to(data)
    with pytest.raises(wp.SettingError, match="a file of its own"):
        serialise.check_apart(output, None, data)


def test_outputs_that_are_not_there_yet_are_told_apart(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(wp.SettingError, match="a file of its own"):
        serialise.check_apart(tmp_path / "new", tmp_path / "link" / "new")
    serialise.check_apart(tmp_path / "new", tmp_path / "other", None, 3, "digits")


def test_a_member_of_an_archive_is_the_archive(tmp_path):
    path = tmp_path / "x.npz"
    path.write_bytes(b"")
    with pytest.raises(wp.SettingError, match="a file of its own"):
        serialise.check_apart(path, f"{path}:train")


def test_a_picture_among_the_data_is_an_input(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "a.png").write_bytes(b"")
    (tmp_path / "hard.png").hardlink_to(folder / "a.png")
    for output in (folder / "a.png", folder / "new.png", tmp_path / "hard.png"):
        with pytest.raises(wp.SettingError, match="a file of its own"):
            serialise.check_apart(output, folder)
    serialise.check_apart(folder / "model.wp", folder)
    serialise.check_apart(tmp_path / "new.png", folder)


@pytest.mark.parametrize("length", [10, 250, 255])
def test_a_check_makes_no_file_of_the_name(tmp_path, monkeypatch, length):
    """Another process may wait for it, and would read an empty file."""
    target, opened, own = tmp_path / ("x" * length), [], os.open

    def watched(path, *arguments, **options):
        opened.append(str(path))
        return own(path, *arguments, **options)

    monkeypatch.setattr(os, "open", watched)
    serialise.check_writable(target, overwrite=False)
    assert len(opened) >= 2
    assert str(target) not in opened
    assert not list(tmp_path.iterdir())
