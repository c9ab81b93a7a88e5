"""Coroutines as value functions: a real server, concurrency, errors, and every way to stop."""

from __future__ import annotations

import asyncio
import contextvars
import json
import threading
from contextlib import asynccontextmanager

import numpy as np
import pytest

import owen_core as oc
from owen_core.asynchronous import attribute_async
from owen_core.retry import Retry

pytestmark = pytest.mark.timeout(60)  # nothing here may hang
N = 6
WEIGHTS = np.arange(1.0, N + 1)


class Backend:
    """An HTTP server that values coalitions, and counts who is there at the same time."""

    def __init__(self, together=1, refusals=0):
        self.arrivals = asyncio.Barrier(together)  # answers when so many have asked
        self.refusals = refusals
        self.present = self.most = self.requests = 0

    async def answer(self, reader, writer):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
            content = await self.value(await reader.readexactly(length))
            status = b"200 OK" if content else b"503 Service Unavailable"
            writer.write(b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n" % (status, len(content)))
            writer.write(content)
            await writer.drain()
        finally:
            writer.close()

    async def value(self, content):
        self.requests += 1
        self.present += 1
        self.most = max(self.most, self.present)
        await self.arrivals.wait()
        self.present -= 1
        if self.refusals:
            self.refusals -= 1
            return b""
        return json.dumps((np.array(json.loads(content)) @ WEIGHTS).tolist()).encode()


@asynccontextmanager
async def serving(backend):
    """Give the value function that asks a backend."""
    async with await asyncio.start_server(backend.answer, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()

        async def value(coalitions):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                body = json.dumps(coalitions.tolist()).encode()
                writer.write(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
                head, _, content = (await reader.read()).partition(b"\r\n\r\n")
                if b" 200 " not in head:
                    raise ConnectionError(head.decode().splitlines()[0])
                return json.loads(content)
            finally:
                writer.close()
                await writer.wait_closed()

        yield value


class Held:
    """A value function whose calls wait to be let go, and that knows what became of them."""

    def __init__(self, free=0):
        self.free = free  # so many calls are answered at once
        self.waiting = self.cancelled = 0
        self.changed = asyncio.Condition()

    async def __call__(self, coalitions):
        if self.free:
            self.free -= 1
            return coalitions @ WEIGHTS
        self.waiting += 1
        try:
            async with self.changed:
                self.changed.notify_all()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)  # a connection that takes its time to close
            self.cancelled += 1
            raise

    async def until_waiting(self, count):
        async with self.changed:
            await self.changed.wait_for(lambda: self.waiting == count)


def test_a_server_is_asked_by_as_many_as_allowed_and_no_more():
    async def attribution():
        backend = Backend(together=8)
        async with serving(backend) as value:
            return await attribute_async(value, N, concurrency=8), backend

    a, backend = asyncio.run(attribution())
    np.testing.assert_allclose(a.values, WEIGHTS)
    assert (a.cost.new, a.cost.calls, backend.requests, backend.most) == (64, 64, 64, 8)


def test_a_server_that_refuses_for_a_while_is_asked_again():
    async def attribution():
        backend = Backend(refusals=3)
        async with serving(backend) as value:
            a = await attribute_async(value, N, batch_size=8, retry=Retry(times=3, wait=0.0))
        return a, backend

    a, backend = asyncio.run(attribution())
    np.testing.assert_allclose(a.values, WEIGHTS)
    assert a.cost.calls == backend.requests == 8 + 3


def test_a_server_that_refuses_for_good_is_an_error_with_its_answer():
    async def attribution():
        async with serving(Backend(refusals=1000)) as value:
            await attribute_async(value, N)

    with pytest.raises(ConnectionError, match="503 Service Unavailable") as caught:
        asyncio.run(attribution())
    assert any("raised by the value function on 1 coal" in note for note in caught.value.__notes__)


def test_the_event_loop_goes_on_meanwhile():
    async def attribution():
        loop = asyncio.get_running_loop()

        async def value(coalitions):
            return coalitions @ WEIGHTS

        def progress(done, of):  # a loop that was blocked would never run this
            asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result()
            told.append(done)

        told = []
        await attribute_async(value, N, progress=progress)
        return told

    assert asyncio.run(attribution())[-1] == 64


def test_attributions_do_not_wait_for_each_other():
    async def attributions():
        everyone = asyncio.Barrier(50)

        async def value(coalitions):
            if coalitions.all():
                await everyone.wait()
            return coalitions @ WEIGHTS

        return await asyncio.gather(*[attribute_async(value, N) for _ in range(50)])

    for a in asyncio.run(attributions()):
        np.testing.assert_allclose(a.values, WEIGHTS)


def test_an_estimate_has_the_bits_of_a_serial_one():
    weights = np.arange(1.0, 41)  # their sums are exact, however many coalitions are summed at once

    async def value(coalitions):
        await asyncio.sleep(0)
        return np.sqrt(coalitions @ weights)

    a = asyncio.run(attribute_async(value, 40, budget=500, rng=0))
    serial = oc.attribute(lambda s: np.sqrt(s @ weights), 40, budget=500, rng=0)
    np.testing.assert_array_equal(a.values, serial.values)
    np.testing.assert_array_equal(a.std_error, serial.std_error)
    assert a.cost.new == serial.cost.new <= 500


def test_values_are_cached_by_the_coroutine_function():
    store = oc.MemoryStore()

    async def value(coalitions):
        return coalitions @ WEIGHTS

    async def attributions():
        first = await attribute_async(value, N, cache=store)
        return first, await attribute_async(value, N, ["shapley", "banzhaf"], cache=store)

    first, again = asyncio.run(attributions())
    assert (first.cost.new, again[0].cost.new, again[1].cost.new) == (64, 0, 0)
    np.testing.assert_array_equal(first.values, again[0].values)


def test_a_game_of_packed_coalitions_is_awaited_as_well():
    async def value(words):
        return np.vectorize(int.bit_count)(words[:, 0].astype(object))

    a = asyncio.run(attribute_async(oc.Game(value, ["a", "b", "c"], packed=True)))
    assert a["b"] == 1


def test_the_value_function_sees_the_context_of_its_caller():
    request = contextvars.ContextVar("request")

    async def attribution():
        request.set(7.0)

        async def value(coalitions):
            return coalitions.all(axis=1) * request.get()

        return await attribute_async(value, 2)

    assert asyncio.run(attribution()).total == 7


def test_an_error_in_one_batch_cancels_the_others():
    async def attribution():
        held = Held()

        async def value(coalitions):
            if coalitions.all():  # the last batch, which is asked when the others wait
                await held.until_waiting(7)
                raise ConnectionError("engine down")
            return await held(coalitions)

        with pytest.raises(ConnectionError, match="engine down"):
            await attribute_async(value, 3, concurrency=8)
        return held

    held = asyncio.run(attribution())
    assert held.waiting == held.cancelled == 7


def test_a_cancelled_task_stops_everything_and_keeps_what_was_valued():
    store = oc.MemoryStore()

    async def attribution():
        held = Held(free=10)
        task = asyncio.create_task(attribute_async(held, N, cache=store, concurrency=4))
        await held.until_waiting(4)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert held.waiting == held.cancelled == 4
        assert len(store) == 10
        held.free = 64
        a = await attribute_async(held, N, cache=store)
        np.testing.assert_allclose(a.values, WEIGHTS)
        assert a.cost.new == 54

    before = threading.active_count()
    asyncio.run(attribution())
    assert threading.active_count() == before


def test_a_time_limit_is_a_cancellation():
    async def limited(held):
        async with asyncio.timeout(None) as limit, asyncio.TaskGroup() as tasks:
            tasks.create_task(attribute_async(held, N, concurrency=3))
            await held.until_waiting(3)
            limit.reschedule(0.0)  # it is over

    async def attribution():
        held = Held()
        with pytest.raises(TimeoutError):
            await limited(held)
        assert held.cancelled == 3

    asyncio.run(attribution())


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda s: np.where(s.sum(axis=1) == 1, np.nan, 0.0), r"nan for the coalition \{"),
        (lambda s: 1.0, r"shape \(\), expected"),
        (lambda s: "many", "numpy cannot read as floats"),
    ],
)
def test_a_wrong_answer_is_refused_by_name(answer, message):
    async def value(coalitions):
        return answer(coalitions)

    with pytest.raises(oc.ValueFunctionError, match=message):
        asyncio.run(attribute_async(value, 4))


def test_a_function_that_answers_at_once_is_told_where_it_belongs():
    with pytest.raises(TypeError, match="answered at once; give it to attribute"):
        asyncio.run(attribute_async(lambda s: s.sum(axis=1), 4))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"concurrency": 0}, "concurrency must be at least 1, got 0"),
        ({"concept": "shaply"}, "concept must be one of"),
        ({"budget": 0}, "budget must be at least 1"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_asked(arguments, message):
    async def value(coalitions):
        raise AssertionError("asked")

    with pytest.raises(ValueError, match=message):
        asyncio.run(attribute_async(value, 4, **arguments))
