"""A small soak: what is flat is called flat, and what leaks is found."""

import os

import numpy as np
import pytest

from benchmarks.soak.__main__ import soak
from benchmarks.soak.measures import ALLOWED, growth, leaks
from recognizer.model_card import shipped_models

ROUNDS = 5


@pytest.fixture(autouse=True)
def _models():
    if not {"act", "st-gcn"} <= shipped_models().keys():
        pytest.skip("needs weights/act and weights/st-gcn")


@pytest.mark.slow  # what each round does: tests of the engine, the library and teaching
@pytest.mark.timeout(600)
def test_a_few_rounds_of_everything_hold_nothing():
    found = soak(ROUNDS, ROUNDS)
    done = found["done"]
    assert [done[kind] for kind in ("losses", "swaps", "clients", "recordings")] == [ROUNDS] * 4
    assert done["connections"] > ROUNDS
    held = [tuple(count[name] for name in ("threads", "handles", "sockets", "files")) for count in found["rounds"]]
    assert max(held[2:]) <= tuple(np.add(min(held[1:]), 2)), held
    assert not {"threads", "handles", "sockets", "files", "processes"} & found["leaks"].keys()
    assert found["rounds"][-1]["files"] == 0


@pytest.mark.timeout(600)
def test_a_leak_of_handles_is_found():
    leaked = []

    def leak(_number):
        leaked.extend(os.open(os.devnull, os.O_RDONLY) for _ in range(4))

    try:
        found = soak(ROUNDS, ROUNDS, kinds=("swaps",), after_round=leak)
    finally:
        for handle in leaked:
            os.close(handle)
    # Not memory: five short rounds do not outlast the caches that fill at first.
    assert found["leaks"].keys() - {"memory_mb"} == {"handles"}
    assert found["leaks"]["handles"] == pytest.approx(12, abs=1)


def rounds_of(memory_mb):
    return [dict.fromkeys(ALLOWED, 1.0) | {"memory_mb": float(value)} for value in memory_mb]


def test_the_verdict_looks_at_the_trend_and_not_at_one_round():
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 3, 20)
    assert leaks(rounds_of(200 + noise)) == {}
    warm = 200 + 40 * (1 - np.exp(-np.arange(20)))  # caches that fill at first
    assert leaks(rounds_of(warm + noise)) == {}
    one_is_off = 200 + noise
    one_is_off[-1] += 500
    assert leaks(rounds_of(one_is_off)) == {}
    assert leaks(rounds_of(200 + noise + 3 * np.arange(20))).keys() == {"memory_mb"}
    assert growth([0, 0, 1, 2, 3, 4]) == 4.0
