from __future__ import annotations

import _thread
import asyncio
import gc
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musterroll_http import Pump


@pytest.fixture
def pump() -> Iterator[Pump]:
    pump = Pump("test-pump")
    yield pump
    pump.close()
    assert not running()


def running() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "test-pump"]


async def double(number: int) -> int:
    await asyncio.sleep(0)
    return number * 2


async def for_ever(number: int) -> int:
    await asyncio.Event().wait()
    return number


def test_call_does_one_thing_in_the_loop(pump: Pump) -> None:
    assert pump.call(double, 21) == 42
    assert running() == ["test-pump"]


def test_call_raises_what_the_work_raises(pump: Pump) -> None:
    async def fail() -> None:
        raise TimeoutError("of its own")

    with pytest.raises(TimeoutError, match="of its own"):
        pump.call(fail)
    assert pump.call(double, 1) == 2


@settings(deadline=None, max_examples=30)
@given(delays=st.lists(st.sampled_from([0.0, 0.001, 0.003]), max_size=40), in_flight=st.integers(1, 50))
def test_every_item_is_answered_once_and_no_more_are_in_flight_than_allowed(
    delays: list[float], in_flight: int
) -> None:
    at_work = most = 0

    async def work(item: tuple[int, float]) -> int:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        await asyncio.sleep(item[1])
        at_work -= 1
        return item[0]

    pulled = 0
    answered = 0

    def items() -> Iterator[tuple[int, float]]:
        nonlocal pulled
        for item in enumerate(delays):
            assert threading.current_thread() is threading.main_thread()
            pulled += 1
            assert pulled - answered <= in_flight
            yield item

    pump = Pump("test-pump")
    seen = []
    for answer in pump.stream(items(), work, in_flight=in_flight):
        answered += 1
        seen.append(answer)
    pump.close()
    assert sorted(seen) == list(range(len(delays)))
    assert most <= in_flight


def test_a_quick_item_does_not_wait_for_a_slow_one(pump: Pump) -> None:
    slow = asyncio.Event()

    async def work(number: int) -> int:
        if number == 0:
            await slow.wait()
        if number == 9:
            slow.set()
        return number

    assert list(pump.stream(iter(range(10)), work, in_flight=2)) == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0]


def test_a_caller_that_stops_early_cancels_what_is_in_flight(pump: Pump) -> None:
    cancelled: list[int] = []

    async def work(number: int) -> int:
        if number == 0:
            return number
        try:
            return await for_ever(number)
        except asyncio.CancelledError:
            await asyncio.sleep(0.01)  # tidying up is waited for
            cancelled.append(number)
            raise

    stream = pump.stream(iter(range(100)), work, in_flight=4)
    assert next(stream) == 0
    stream.close()
    assert sorted(cancelled) == [1, 2, 3]
    assert pump.call(double, 1) == 2


@pytest.mark.parametrize("at", [0, 3])
def test_work_that_raises_ends_the_stream(pump: Pump, at: int) -> None:
    async def work(number: int) -> int:
        if number == at:
            raise ZeroDivisionError
        return await for_ever(number)

    with pytest.raises(ZeroDivisionError):
        list(pump.stream(iter(range(100)), work, in_flight=8))


def test_items_that_raise_end_the_stream(pump: Pump) -> None:
    def items() -> Iterator[int]:
        yield 1
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        list(pump.stream(items(), for_ever, in_flight=8))


def test_a_forgotten_stream_hangs_nobody(pump: Pump) -> None:
    async def work(number: int) -> int:
        return number if number == 0 else await for_ever(number)

    async def collect() -> None:
        gc.collect()  # ends the generator here, in the loop's own thread

    ring: list[object] = [pump.stream(iter(range(100)), work, in_flight=4)]
    next(ring[0])  # type: ignore[call-overload]
    ring.append(ring)
    gc.disable()
    del ring
    try:
        pump.call(collect)
    finally:
        gc.enable()
    assert pump.call(double, 2) == 4


def test_closing_in_the_middle_of_a_stream(pump: Pump) -> None:
    stream = pump.stream(iter(range(100)), for_ever, in_flight=4)
    threading.Timer(0.05, pump.close).start()
    with pytest.raises(RuntimeError, match="closed"):
        next(stream)
    stream.close()


def test_closing_at_any_moment_and_by_two() -> None:
    for delay in (0, 0.0002, 0.0005, 0.001, 0.002) * 20:
        pump = Pump()
        stream = pump.stream(iter(range(100)), for_ever, in_flight=4)
        threading.Timer(delay, pump.close).start()
        with pytest.raises(RuntimeError, match="closed"):
            next(stream)
        stream.close()
        pump.close()


def test_closing_ends_the_thread_and_whatever_it_does(pump: Pump) -> None:
    ended = []

    async def begin() -> None:
        async def linger() -> None:
            try:
                await for_ever(0)
            finally:
                ended.append(True)

        holding.append(asyncio.ensure_future(linger()))
        await asyncio.sleep(0)

    holding: list[asyncio.Future[None]] = []
    pump.call(begin)
    pump.close()
    assert ended == [True]
    assert not running()
    pump.close()
    with pytest.raises(RuntimeError, match="closed"):
        pump.call(double, 1)


def test_a_pump_that_was_never_used_has_no_thread() -> None:
    pump = Pump("test-pump")
    assert not running()
    pump.close()


def test_an_interrupted_caller_leaves_at_once(pump: Pump) -> None:
    threading.Timer(0.05, _thread.interrupt_main).start()
    with pytest.raises(KeyboardInterrupt):
        pump.call(for_ever, 1)
    assert pump.call(double, 3) == 6
