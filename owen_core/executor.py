"""Running batches through an executor: a bounded number at a time, with retries and a way out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from itertools import islice
from queue import Empty, SimpleQueue
from typing import Any, Protocol, TypeVar

from owen_core.retry import Retry

IN_FLIGHT = 256  # batches submitted and not yet kept: enough work for as many workers
POLL = 0.1  # seconds within which a cancellation, and everywhere Ctrl-C, is noticed

T = TypeVar("T")
Batch = TypeVar("Batch")


class Executor(Protocol):
    """What runs batches: anything with the ``submit`` of :mod:`concurrent.futures`.

    Threads and processes of the standard library, Dask (:class:`DaskExecutor`), Ray
    (:class:`RayExecutor`), loky, ``mpi4py.futures`` and others.
    """

    def submit(self, function: Callable[..., T], /, *arguments: Any) -> Future[T]:
        """Return the future result of ``function(*arguments)``."""


class Cancelled(RuntimeError):
    """An evaluation was cancelled."""


class InPlace:
    """An executor that runs everything at once, in the caller's thread."""

    def submit(self, function: Callable[..., T], /, *arguments: Any) -> Future[T]:
        """Return the result of ``function(*arguments)``, which is there already."""
        future: Future[T] = Future()
        try:
            future.set_result(function(*arguments))
        except Exception as error:
            future.set_exception(error)
        return future


def run(
    batches: Iterable[Batch],
    submit: Callable[[Batch], Future[T]],
    keep: Callable[[Batch, T], None],
    report: Callable[[], None],
    *,
    in_flight: int,
    retry: Retry,
    cancel: threading.Event | None,
) -> None:
    """Submit batches, no more than ``in_flight`` at a time, and keep each result as it arrives.

    After an error, or a cancellation, batches that wait are cancelled, and those that run are
    waited for and kept. After Ctrl-C nothing is waited for, and what has arrived is kept.

    Raises
    ------
    Cancelled
        ``cancel`` was set.
    Exception
        The first that a batch ended with, and that ``retry`` does not cover.
    """
    ahead = iter(batches)
    flying: dict[Future[T], tuple[Batch, int]] = {}
    landed: SimpleQueue[tuple[Future[T], float]] = SimpleQueue()

    def launch(batch: Batch, asked: int) -> None:
        _check(cancel)
        future = submit(batch)
        flying[future] = batch, asked
        future.add_done_callback(lambda future: landed.put((future, time.monotonic())))

    try:
        while True:
            for batch in islice(ahead, in_flight - len(flying)):
                launch(batch, 1)
            if not flying:
                return
            future, at = _next(landed, cancel)
            batch, asked = flying[future]
            try:
                result = future.result()
            except Exception as error:
                pause = retry.pause(error, asked)
                if pause is None:
                    raise
                del flying[future]
                _rest(at + pause - time.monotonic(), cancel)
                launch(batch, asked + 1)
            else:
                keep(batch, result)
                del flying[future]  # and not before: Ctrl-C may come at any time
                report()
    except BaseException as error:
        last_first = reversed(flying.items())  # lest one that waits begins in place of a cancelled
        running = {future: batch for future, (batch, _) in last_first if not future.cancel()}
        _keep_the_rest(running, keep, wait=isinstance(error, Exception))
        raise


def _next(landed: SimpleQueue[T], cancel: threading.Event | None) -> T:
    while True:
        _check(cancel)
        try:
            return landed.get(timeout=POLL)
        except Empty:
            continue


def _rest(seconds: float, cancel: threading.Event | None) -> None:
    if seconds > 0:
        (time.sleep if cancel is None else cancel.wait)(seconds)


def _check(cancel: threading.Event | None) -> None:
    if cancel is not None and cancel.is_set():
        raise Cancelled("cancelled; the same call with the same cache goes on from here")


def _keep_the_rest(
    running: dict[Future[T], Batch], keep: Callable[[Batch, T], None], *, wait: bool
) -> None:
    for future, batch in running.items():
        if wait or future.done():
            try:
                result = future.result()
            except Exception:
                continue  # one error is raised, and it came first
            keep(batch, result)
