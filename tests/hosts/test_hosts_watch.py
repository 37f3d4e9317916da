"""The watch, with a clock and a store of the test's own."""

import threading
import time

import pytest
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


def watch(place, ends, store=None, **given):
    settings = {"step_timeout": None, "heartbeat": 60.0, "pause": 0.02} | given
    return hosts.Watch(place, store or Shared(), end=ends, **settings)


def test_steps_that_end_in_time_are_left_alone_and_a_stuck_one_ends_the_process():
    ends = Ends()
    with watch(PLACE, ends, step_timeout=0.3):
        time.sleep(0.4)  # no step has begun
        hosts.beat()
        for _ in range(4):
            time.sleep(0.15)
            hosts.beat()
        assert not ends.messages
        begun = time.monotonic()
        assert ends.come.wait(5)
        assert 0.25 < time.monotonic() - begun < 0.6  # 2 x step_timeout is the limit
    assert "no step has ended for 0.3 s" in ends.messages[0]


def test_after_the_steps_nothing_is_timed():
    ends = Ends()
    with watch(PLACE, ends, step_timeout=0.1):
        hosts.beat()
        hosts.rest()
        assert not ends.come.wait(0.4)
    hosts.beat()  # without a watch it does nothing


@pytest.mark.parametrize("beats", [True, False])
def test_a_process_that_is_silent_is_named(beats):
    ends, store, over = Ends(), Shared(), threading.Event()

    def other():
        n = 0
        while not over.wait(0.05) and (beats or n < 3):
            n += 1
            store.set("wellposed/beats/1", str(n))

    thread = threading.Thread(target=other)
    thread.start()
    with watch(PLACE, ends, store, heartbeat=0.5):
        assert ends.come.wait(1.2) is not beats
    over.set()
    thread.join()
    if not beats:
        assert "nothing was heard from process 1 for" in ends.messages[0]
        assert store.under("wellposed/ended") == {"0": ends.messages[0]}


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
