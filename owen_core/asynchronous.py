"""Attribution with a coroutine as the value function: for back ends that answer over a network."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any, overload

from owen_core.attribute import attribute
from owen_core.attribution import Attribution
from owen_core.coalition import Coalitions, Packed, unpack
from owen_core.game import Game, Values, as_game
from owen_core.semivalue import Semivalue
from owen_core.structure import Structure

AsyncValueFunction = Callable[[Any], Awaitable[Any]]  # of Coalitions, or of Packed ones


@overload
async def attribute_async(
    value: AsyncValueFunction | Game,
    players: int | Sequence[str] | None = ...,
    concept: str | Semivalue = ...,
    structure: Structure | None = ...,
    *,
    concurrency: int = ...,
    **options: Any,
) -> Attribution: ...


@overload
async def attribute_async(
    value: AsyncValueFunction | Game,
    players: int | Sequence[str] | None,
    concept: list[str | Semivalue],
    structure: Structure | None = ...,
    *,
    concurrency: int = ...,
    **options: Any,
) -> list[Attribution]: ...


async def attribute_async(
    value: AsyncValueFunction | Game,
    players: int | Sequence[str] | None = None,
    concept: str | Semivalue | list[str | Semivalue] = "auto",
    structure: Structure | None = None,
    *,
    concurrency: int = 8,
    **options: Any,
) -> Attribution | list[Attribution]:
    """Attribute the value of a game whose value function is a coroutine, as :func:`attribute` does.

    The event loop goes on meanwhile. An error that is raised, and a cancellation of the awaiting
    task, cancel the batches in flight; what was valued before is in the cache.

    Parameters
    ----------
    value : callable or Game
        ``async def value(coalitions)`` from ``(m, n) bool`` to ``(m,)`` floats, or a game of it.
        It is awaited on the event loop of the caller.
    players, concept, structure
        As for :func:`attribute`.
    concurrency : int
        How many batches are awaited at the same time.
    **options
        The other options of :func:`attribute`, but for ``executor`` and ``cancel``. By default a
        batch is no more than a 64th of the coalitions.

    Returns
    -------
    Attribution, or list of Attribution
        One for each concept of a list.

    Raises
    ------
    ValueError
        ``concurrency`` is below 1, or :func:`attribute` refuses its arguments.
    TypeError
        The value function answers at once; such a one belongs to :func:`attribute`.

    Examples
    --------
    >>> import asyncio
    >>> import owen_core as oc
    >>> async def value(coalitions):
    ...     await asyncio.sleep(0)  # a request
    ...     return coalitions.all(axis=1)
    >>> asyncio.run(attribute_async(value, 4, concurrency=2)).values
    array([0.25, 0.25, 0.25, 0.25])
    """
    if concurrency < 1:
        raise ValueError(f"concurrency must be at least 1, got {concurrency}")
    stop = threading.Event()
    executor = _LoopExecutor(asyncio.get_running_loop(), concurrency)
    work = partial(attribute, executor=executor, cancel=stop, **options)
    game, context = as_game(value, players), contextvars.copy_context()
    with ThreadPoolExecutor(1) as thread:  # its own: those of the loop may all be busy
        attribution = executor.loop.run_in_executor(
            thread, context.run, work, game, None, concept, structure
        )
        try:
            return await asyncio.shield(attribution)
        finally:
            stop.set()
            await asyncio.gather(attribution, return_exceptions=True)  # what arrived is kept first
            await executor.end()


class _LoopExecutor:
    """Runs batches as tasks of an event loop, ``concurrency`` at a time."""

    def __init__(self, loop: asyncio.AbstractEventLoop, concurrency: int) -> None:
        self.loop = loop
        self._free = asyncio.Semaphore(concurrency)
        self._concurrency = concurrency

    def submit(self, _: Callable[..., Any], /, game: Game, *arguments: Any) -> Future[Any]:
        """Return the future values of a batch; its value function is awaited here, not called."""
        return asyncio.run_coroutine_threadsafe(self._values(game, *arguments), self.loop)

    async def end(self) -> None:
        """Wait until no batch runs, which a cancelled one may do a little longer."""
        for _ in range(self._concurrency):
            await self._free.acquire()

    async def _values(self, game: Game, words: Packed, _: int) -> Values:
        async with self._free:
            answer = await _outcome(game.value, words if game.packed else unpack(words, game.n))
        return replace(game, value=lambda _: answer.result()).values(words)


async def _outcome(value: AsyncValueFunction, coalitions: Coalitions | Packed) -> Future[Any]:
    """Return what the value function answered or raised, for the game to check and to describe."""
    outcome: Future[Any] = Future()
    try:
        answer = value(coalitions)
        if not isinstance(answer, Awaitable):
            raise TypeError(
                f"attribute_async awaits its value function, and {value!r} answered at once; "
                "give it to attribute"
            )
        outcome.set_result(await answer)
    except Exception as error:
        outcome.set_exception(error)
    return outcome
