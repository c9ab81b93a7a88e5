"""Executors by name, as they are written on the command line."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context

from ospo.errors import InputError
from owen_core.clusters import DaskExecutor, RayExecutor
from owen_core.executor import Executor
from owen_core.optional import needs

REACHABLE = 10  # seconds within which a scheduler must answer
_DIED = "a worker died ({}): give it more memory or use fewer, and the same command goes on"

Opener = Callable[[str, int | None], Iterator[Executor]]


@contextmanager
def open_executor(name: str | None, workers: int | None = None) -> Iterator[Executor | None]:
    """Give the executor that a name stands for; None for no name and no workers.

    ================  ==============================================================================
    ``threads``       for search engines that are waited for
    ``processes``     for retrievers that compute here; also with ``workers`` and no name
    ``dask:ADDRESS``  the Dask cluster whose scheduler is there, such as ``dask:tcp://host:8786``
    ``ray``           the Ray cluster of ``RAY_ADDRESS`` or of this machine, else one of its own
    ================  ==============================================================================

    Parameters
    ----------
    name : str, optional
    workers : int, optional
        How many; by default as many as there are processors, and for a cluster all that it has.

    Raises
    ------
    InputError
        Nothing goes by that name, a cluster cannot be reached, or a worker died for good.
    ModuleNotFoundError
        Dask or Ray is not installed.

    Examples
    --------
    >>> with open_executor("threads", 2) as executor:
    ...     executor.submit(max, 1, 2).result()
    2
    """
    if workers is not None and workers < 1:
        raise InputError(f"there cannot be {workers} workers: give at least 1")
    if name is None and workers is None:
        yield None
        return
    kind, _, address = (name or "processes").partition(":")
    if kind not in EXECUTORS or bool(address) != (kind == "dask"):
        raise InputError(
            f"there is no executor {name!r}: choose threads, processes, dask:ADDRESS or ray"
        )
    with contextmanager(EXECUTORS[kind])(address, workers) as executor:
        yield executor


def _threads(_: str, workers: int | None) -> Iterator[Executor]:
    with ThreadPoolExecutor(workers) as executor:
        yield executor


def _processes(_: str, workers: int | None) -> Iterator[Executor]:
    # Ctrl-C is for the process that shares out the work: it lets the others finish what they do.
    ignore = signal.SIGINT, signal.SIG_IGN
    spawn = get_context("spawn")
    try:
        with ProcessPoolExecutor(workers, spawn, signal.signal, ignore) as executor:
            yield executor
    except BrokenExecutor as error:
        raise InputError(_DIED.format(error)) from error


def _dask(address: str, workers: int | None) -> Iterator[Executor]:
    with needs("distributed", "--executor dask"):
        from distributed import Client
        from distributed.scheduler import KilledWorker
    if workers is not None:
        raise InputError("a Dask cluster has its own workers: leave --workers out")
    try:
        client = Client(  # type: ignore[no-untyped-call]
            address, timeout=REACHABLE, set_as_default=False
        )
    except (OSError, ValueError) as error:
        raise InputError(
            f"no Dask scheduler answers at {address} ({error}): start one there, or give the "
            "address that it prints"
        ) from error
    with client:
        try:
            executor = DaskExecutor(client)
        except ValueError as error:
            raise InputError(f"the Dask cluster at {address} is not ready: {error}") from error
        with executor:
            try:
                yield executor
            except KilledWorker as error:
                raise InputError(_DIED.format(error)) from error


def _ray(_: str, workers: int | None) -> Iterator[Executor]:
    with needs("distributed", "--executor ray"):
        import ray
    ours = not ray.is_initialized()
    if ours:
        try:
            ray.init(
                num_cpus=workers,
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
        except (ValueError, ConnectionError) as error:
            raise InputError(f"Ray cannot be used ({error}): correct RAY_ADDRESS") from error
    try:
        with RayExecutor() as executor:
            yield executor
    except ray.exceptions.WorkerCrashedError as error:
        raise InputError(_DIED.format(error)) from error
    finally:
        if ours:
            ray.shutdown()


EXECUTORS: dict[str, Opener] = {
    "threads": _threads,
    "processes": _processes,
    "dask": _dask,
    "ray": _ray,
}
