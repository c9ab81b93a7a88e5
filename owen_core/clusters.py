"""Dask and Ray as executors of batches.

A thread waits for each batch that is with the cluster, so that batches which have not been sent
can be cancelled as those of a thread pool can. The clusters' own ways are less safe: cancelling a
Ray task that is just ending brings the calling process down, and Dask's ``client.get_executor()``
takes the result of a batch for an error if its worker dies at the wrong moment.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from owen_core.optional import needs

T = TypeVar("T")


class DaskExecutor(ThreadPoolExecutor):
    """Runs batches as tasks of a Dask cluster, which runs those of a worker that died again.

    Parameters
    ----------
    client : distributed.Client
        The cluster.
    in_flight : int, optional
        How many batches are with the cluster at the same time. By default two for each of the
        threads that its workers have now, so that none of them waits for the next.
    **options
        Options of ``client.submit``, such as ``resources`` or ``priority``.

    Raises
    ------
    ValueError
        The cluster has no workers yet, and ``in_flight`` is not given.

    Examples
    --------
    >>> from distributed import Client
    >>> import owen_core as oc
    >>> with (
    ...     Client(processes=False, dashboard_address=":0") as client,
    ...     DaskExecutor(client) as executor,
    ... ):
    ...     executor.submit(oc.Game.value_of, oc.games.majority(3), "0", "1").result()
    1.0
    """

    def __init__(self, client: Any, in_flight: int | None = None, **options: Any) -> None:
        super().__init__(_checked(in_flight, sum(client.nthreads().values())), "dask")
        self._client = client
        self._options = {"pure": False} | options  # Dask would answer a retry from memory

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Return the future result of ``fn(*args, **kwargs)``."""
        return super().submit(self._run, fn, *args, **kwargs)

    def _run(self, fn: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        result: T = self._client.submit(fn, *args, **kwargs, **self._options).result()
        return result


class RayExecutor(ThreadPoolExecutor):
    """Runs batches as tasks of the Ray cluster that ``ray.init`` started or connected to.

    The game is sent to the cluster once. Ray runs the task of a worker that died again, three
    times unless ``max_retries`` says otherwise.

    Parameters
    ----------
    in_flight : int, optional
        How many batches are with the cluster at the same time. By default two for each of the
        CPUs that it has now, so that none of them waits for the next.
    **options
        Options of the tasks, such as ``num_cpus``, ``num_gpus`` or ``max_retries``.

    Raises
    ------
    ModuleNotFoundError
        Ray is not installed.
    ValueError
        The cluster has no CPUs yet, and ``in_flight`` is not given.
    """

    def __init__(self, in_flight: int | None = None, **options: Any) -> None:
        with needs("distributed", "RayExecutor"):
            import ray
        super().__init__(_checked(in_flight, int(ray.cluster_resources().get("CPU", 0))), "ray")
        self._ray = ray
        self._task = ray.remote(_call).options(**options)
        self._sent: tuple[Any, Any] = None, None

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Return the future result of ``fn(game, ...)``."""
        sent = self._sent  # looked at once: another thread may send another game
        if sent[0] is not args[0]:
            sent = self._sent = args[0], self._ray.put(args[0])
        return super().submit(self._run, fn, sent[1], *args[1:], **kwargs)

    def _run(self, fn: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        try:
            result: T = self._ray.get(self._task.remote(fn, *args, **kwargs))
        except self._ray.exceptions.RayTaskError as error:
            raise error.cause from error  # the user's own error, and Ray's account of it
        return result


def _call(fn: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    return fn(*args, **kwargs)


def _checked(in_flight: int | None, workers: int) -> int:
    batches = 2 * workers if in_flight is None else in_flight
    if batches < 1:
        raise ValueError(
            f"a cluster runs at least one batch at a time, got {batches} for its {workers} "
            "workers; wait until it has some, or give a higher in_flight"
        )
    return batches
