"""Processes that differ are refused, each with what differs and between which."""

import threading

from wellposed import hosts
from wellposed._errors import HostsError


class Shared:
    """A store in memory."""

    def __init__(self):
        self.texts, self.changed = {}, threading.Condition()

    def set(self, key: str, value: str) -> None:
        with self.changed:
            self.texts[key] = value
            self.changed.notify_all()

    def wait(self, key: str, seconds: float) -> str | None:
        with self.changed:
            self.changed.wait_for(lambda: key in self.texts, seconds)
            return self.texts.get(key)

    def under(self, prefix: str) -> dict[str, str]:
        with self.changed:
            start = f"{prefix}/"
            return {k.removeprefix(start): v for k, v in self.texts.items() if k.startswith(start)}


def ask(stated, monkeypatch, n=None, patience=5.0):
    """Let each process state its facts in a thread; return their errors."""
    from wellposed.hosts import _agree

    store, found = Shared(), {}
    monkeypatch.setattr(_agree, "_ROUNDS", iter([0] * 10))
    monkeypatch.setattr(_agree, "_STEP", 0.05)

    def one(i):
        place = hosts.Place("a:1", n or len(stated), i, "test")
        try:
            hosts.agree(stated[i], place, store, patience=patience)
        except HostsError as error:
            found[i] = str(error)

    threads = [threading.Thread(target=one, args=(i,)) for i in range(len(stated))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_equal_facts_pass_and_each_process_refuses_different_ones(monkeypatch):
    same = {"jax": "0.10.2", "data": "ab"}
    assert ask([same] * 3, monkeypatch) == {}
    other = same | {"jax": "0.11.0"}
    errors = ask([same, other, same], monkeypatch)
    assert sorted(errors) == [0, 1, 2]
    assert len(set(errors.values())) == 1
    assert "jax is 0.10.2 in processes 0, 2, 0.11.0 in process 1" in errors[0]
    assert "data" not in errors[0].split("differ:")[1].split(". Make")[0]


def test_a_process_that_does_not_answer_is_named(monkeypatch):
    errors = ask([{"a": "1"}], monkeypatch, n=2, patience=0.1)
    assert "process 1 did not within 0 s" in errors[0]


def test_many_values_and_processes_are_counted():
    text = hosts.differences({i: {"seed": str(i % 7)} for i in range(70)})
    assert "and 3 others" in text
    assert "0 in processes 0, 7, 14, 21 and 6 more" in text


def test_a_fact_that_one_process_lacks_differs():
    assert "b is 2 in process 0, absent in process 1" in hosts.differences({0: {"b": "2"}, 1: {}})


def test_the_digest_of_code_depends_on_names_and_text(tmp_path):
    (tmp_path / "a.py").write_text("x = 1")
    first = hosts.code_digest(tmp_path)
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    hosts.code_digest.cache_clear()
    second = hosts.code_digest(tmp_path)
    (tmp_path / "b.py").write_text("x = 2")
    hosts.code_digest.cache_clear()
    assert len({first, second, hosts.code_digest(tmp_path)}) == 3
    assert {"python", "jax", "jaxlib", "numpy", "wellposed", "code"} <= set(hosts.versions())
