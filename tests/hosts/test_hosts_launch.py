"""Local processes that do not compute: their output, codes, signals and end."""

import os
import signal
import subprocess
import sys
import time

import pytest

import wellposed as wp
from wellposed import hosts

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are those of POSIX")

ME = "import os, sys, time; me = int(os.environ['WELLPOSED_PROCESS']); "


def launch(code, n=2, **given):
    return hosts.launch([sys.executable, "-S", "-c", ME + code], n, **given)


def test_each_process_has_its_id_and_all_have_one_address(capsys):
    code = "print(os.environ['WELLPOSED_COORDINATOR'], os.environ['WELLPOSED_PROCESSES'])"
    assert launch(f"{code}; print('σ', file=sys.stderr)", 3) == 0
    out, err = capsys.readouterr()
    lines = sorted(out.splitlines())
    assert [line[:4] for line in lines] == ["[0] ", "[1] ", "[2] "]
    assert len({line[4:] for line in lines}) == 1
    assert lines[0].startswith("[0] 127.0.0.1:")
    assert lines[0].endswith(" 3")
    assert sorted(err.splitlines()) == ["[0] σ", "[1] σ", "[2] σ"]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("sys.exit(7 if me else 75)", 7),  # 75: ended because another had
        ("sys.exit(75)", 75),
        ("os.kill(os.getpid(), 9) if me else sys.exit(75)", 137),
    ],
)
def test_the_code_is_that_of_the_first_that_failed_of_itself(code, expected):
    assert launch(code) == expected


def test_the_others_are_ended_after_a_failure(capsys):
    begun = time.monotonic()
    assert launch("sys.exit(3) if me else time.sleep(60)", grace=0.2) == 3
    assert time.monotonic() - begun < 5
    err = capsys.readouterr().err
    assert "[1] ended with code 3" in err
    assert "[0] was ended by SIGKILL" in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_are_passed_on_once(number):
    child = (
        f"{ME}import signal; seen = []; "
        "[signal.signal(n, lambda n, f: seen.append(n)) for n in (2, 15)]; "
        "print('ready', flush=True); "
        "[time.sleep(0.05) for _ in range(100) if not seen]; time.sleep(0.2); "
        "print(seen); sys.exit(4)"
    )
    script = (
        "import sys; from wellposed.hosts import launch; "
        "sys.exit(launch([sys.executable, '-S', '-c', sys.argv[1]], 2))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, child], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert {process.stdout.readline() for _ in range(2)} == {"[0] ready\n", "[1] ready\n"}
    process.send_signal(number)
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 4
    assert sorted(out.splitlines()) == [f"[0] [{int(number)}]", f"[1] [{int(number)}]"]


@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells a child that its parent is gone")
def test_processes_end_with_the_launcher():
    script = (
        "import sys; from wellposed.hosts import launch; "
        f"launch([sys.executable, '-S', '-c', '''{ME}print(os.getpid(), flush=True); "
        "time.sleep(60)'''], 1)"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    child = int(process.stdout.readline().removeprefix("[0] "))
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and _runs(child):
        time.sleep(0.02)
    assert not _runs(child)


def _runs(process):
    try:
        with open(f"/proc/{process}/stat", encoding="ascii") as stat:
            return stat.read().split()[2] != "Z"
    except OSError:
        return False


def test_a_program_that_is_not_there_is_refused():
    with pytest.raises(wp.HostsError, match=r"must begin with a program.*'no-such-program'"):
        hosts.launch(["no-such-program"], 2)
