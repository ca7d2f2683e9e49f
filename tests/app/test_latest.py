import threading
import time

import pytest

from app.capture.latest import Latest


def test_the_newest_value_wins_and_the_others_are_counted():
    box = Latest()
    for value in (1, 2, 3):
        assert box.put(value)
    assert box.take(0) == 3
    assert box.dropped == 2
    assert box.take(0) is None


def test_take_waits_for_a_value():
    box = Latest()
    timer = threading.Timer(0.05, box.put, ("late",))
    timer.start()
    assert box.take(5) == "late"
    timer.join()


def test_take_gives_up_after_its_timeout():
    start = time.monotonic()
    assert Latest().take(0.05) is None
    assert time.monotonic() - start >= 0.05


def test_close_wakes_a_waiting_take():
    box = Latest()
    timer = threading.Timer(0.05, box.close)
    timer.start()
    assert box.take(30) is None
    assert box.closed
    timer.join()


def test_a_value_put_before_close_is_still_there_and_later_ones_are_refused():
    box = Latest()
    box.put("last")
    box.close()
    assert not box.put("too late")
    assert box.take() == "last"
    assert box.take() is None


def test_blocking_put_loses_nothing():
    box = Latest(block=True)
    taken = []

    def consume():
        while (value := box.take()) is not None:
            taken.append(value)

    consumer = threading.Thread(target=consume)
    consumer.start()
    for value in range(1, 501):
        box.put(value)
    while len(taken) < 500 and consumer.is_alive():
        time.sleep(0.001)
    box.close()
    consumer.join()
    assert taken == list(range(1, 501))
    assert box.dropped == 0


@pytest.mark.parametrize("block", [False, True])
def test_close_wakes_a_waiting_put(block):
    box = Latest(block=block)
    box.put(1)
    timer = threading.Timer(0.05, box.close)
    timer.start()
    assert box.put(2) is not block  # refused when it had to wait until the close
    timer.join()
