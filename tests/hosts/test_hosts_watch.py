"""The watch, with a clock and a store of the test's own."""

import threading
import time

from test_hosts_agree import Shared

import wellposed as wp
from wellposed import hosts

PLACE = hosts.Place("a:1", 2, 0, "test")
OTHER = hosts.Place("a:1", 2, 1, "test")


class Ends:
    def __init__(self):
        self.messages, self.come = [], threading.Event()

    def __call__(self, message: str) -> None:
        self.messages.append(message)
        self.come.set()


class Clock(Shared):
    """A clock that the test moves, and the store of the watch, which counts its looks at it."""

    def __init__(self, ends: Ends):
        super().__init__()
        self.ends, self.now, self.asked = ends, 0.0, {"clock": 0, "store": 0}

    def __call__(self) -> float:
        self.asked["clock"] += 1
        return self.now

    def under(self, prefix: str) -> dict[str, str]:
        self.asked["store"] += 1
        return super().under(prefix)

    def move(self, seconds: float, beat: str | None = None) -> bool:
        """Move on, after a beat of process 1, and let both threads look; whether the watch ends."""
        if beat is not None:
            self.set("wellposed/beats/1", beat)
            self._let("store", 4)
        self.now += seconds
        self._let("store", 4)
        self._let("clock", 8)
        return self.ends.come.is_set()

    def _let(self, what: str, times: int) -> None:
        seen, begun = self.asked[what], time.monotonic()
        while self.asked[what] < seen + times and not self.ends.come.is_set():
            assert time.monotonic() - begun < 120
            time.sleep(0.002)


def watch(place, ends, store=None, **given):
    settings = {"step_timeout": None, "heartbeat": 60.0, "pause": 0.02} | given
    if isinstance(store, Clock):
        settings["clock"] = store
    return hosts.Watch(place, store or Shared(), end=ends, **settings)


def test_steps_that_end_in_time_are_left_alone_and_a_stuck_one_ends_the_process():
    ends = Ends()
    clock = Clock(ends)
    with watch(PLACE, ends, clock, step_timeout=5.0, heartbeat=1e9):
        assert not clock.move(6)  # no step has begun
        hosts.beat()
        for _ in range(4):
            assert not clock.move(4)
            hosts.beat()
        assert clock.move(6)  # 2 x step_timeout is the limit
    assert "no step has ended for 5 s" in ends.messages[0]


def test_after_the_steps_nothing_is_timed():
    ends = Ends()
    clock = Clock(ends)
    with watch(PLACE, ends, clock, step_timeout=1.0, heartbeat=1e9):
        hosts.beat()
        hosts.rest()
        assert not clock.move(100)
    hosts.beat()  # without a watch it does nothing


def test_a_process_that_is_silent_is_named():
    ends = Ends()
    clock = Clock(ends)
    with watch(PLACE, ends, clock, heartbeat=10.0):
        for n in range(4):
            assert not clock.move(4, beat=str(n))
        assert not clock.move(4)
        assert clock.move(4)
    assert "nothing was heard from process 1 for" in ends.messages[0]
    assert clock.texts["wellposed/ended/0"] == ends.messages[0]


def test_a_process_that_was_frozen_itself_waits_again_for_the_others():
    ends = Ends()
    clock = Clock(ends)
    with watch(PLACE, ends, clock, heartbeat=10.0):
        assert not clock.move(4, beat="1")
        assert not clock.move(1_000)
        assert not clock.move(4, beat="2")


class Mute(Shared):
    def set(self, key: str, value: str) -> None:
        raise RuntimeError("UNAVAILABLE")


def test_a_store_that_does_not_answer_means_that_process_0_is_gone():
    ends = Ends()
    with watch(OTHER, ends, Mute(), heartbeat=0.3):
        assert ends.come.wait(5)
    assert "process 0 has not answered" in ends.messages[0]


def test_a_process_ends_with_the_message_of_another():
    ends, store = Ends(), Shared()
    store.set("wellposed/ended/0", "DataError: row 3")
    with watch(OTHER, ends, store):
        assert ends.come.wait(5)
    assert "process 1 of 2 ends, since process 0 has ended" in ends.messages[0]
    assert "DataError: row 3" in ends.messages[0]


def test_a_block_that_ends_leaves_no_threads():
    before = threading.active_count()
    with watch(PLACE, Ends()):
        assert threading.active_count() == before + 2
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.02)
    assert threading.active_count() == before


def test_an_error_of_data_is_no_loss_of_a_process():
    assert not hosts.is_loss(wp.DataError("Column 'barrier_height' holds NaN at row 3."))
    assert hosts.is_loss(ValueError("Gloo all-gather failed: connection closed by peer"))
    assert not hosts.is_loss(KeyError("gloo"))


def test_a_process_that_is_silent_from_the_beginning_is_seen():
    ends = Ends()
    with watch(PLACE, ends, heartbeat=0.3):
        assert ends.come.wait(5.0)
    assert "nothing was heard from process 1" in ends.messages[0]
