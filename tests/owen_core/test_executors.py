"""Real executors: threads, processes, Dask and Ray, whole and with workers that are killed."""

from __future__ import annotations

import logging
import multiprocessing
import sys
import threading
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor, ThreadPoolExecutor

import distributed
import numpy as np
import pytest
import ray
import sendable_games
from distributed.protocol.pickle import cloudpickle
from sendable_games import Faulty, answer_nan, die, disconnect, roots

import owen_core as oc
from owen_core.clusters import DaskExecutor, RayExecutor
from owen_core.evaluate import SHARES, evaluate
from owen_core.executor import Cancelled
from owen_core.retry import Retry

pytestmark = pytest.mark.timeout(120)  # nothing here may hang
N = 8
ALL = oc.plan(N)
TRUTH = roots(ALL.coalitions)


@pytest.fixture(scope="module")
def threads():
    with ThreadPoolExecutor(2) as pool:
        yield pool


@pytest.fixture
def processes():
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


@pytest.fixture(scope="module")
def client():
    cloudpickle.register_pickle_by_value(sendable_games)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=logging.CRITICAL
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.fixture
def dask(client):
    with DaskExecutor(client) as executor:
        yield executor


@pytest.fixture
def dasks_own(client):
    return client.get_executor()


@pytest.fixture(scope="module")
def ray_cluster():
    ray.cloudpickle.register_pickle_by_value(sendable_games)
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    yield
    ray.shutdown()


@pytest.fixture
def ray_tasks(ray_cluster):
    with RayExecutor() as executor:
        yield executor


@pytest.fixture(params=["threads", "processes", "dask", "dasks_own", "ray_tasks"])
def executor(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(params=["processes", "dask", "ray_tasks"])
def executor_of_processes(request):
    return request.getfixturevalue(request.param)


def test_every_executor_gives_the_bits_of_a_serial_run(executor):
    values, cost = evaluate(oc.Game(roots, N), ALL, executor=executor)
    np.testing.assert_array_equal(values, TRUTH)
    assert (cost.new, cost.calls) == (256, SHARES)


def test_every_executor_estimates_with_the_bits_of_a_serial_run(executor):
    serial = oc.attribute(roots, 40, budget=300, rng=0)
    a = oc.attribute(roots, 40, budget=300, rng=0, executor=executor)
    np.testing.assert_array_equal(a.values, serial.values)
    assert a.cost.new == serial.cost.new <= 300


def test_an_error_in_a_worker_is_the_users_own_and_costs_nothing_twice(executor):
    store = oc.MemoryStore()
    value = Faulty(disconnect)
    with pytest.raises(ConnectionError, match="engine down") as caught:
        evaluate(oc.Game(value, N), ALL, cache=store, executor=executor)
    assert caught.value.args == ("engine down",)
    assert any("raised by the value function on 4" in note for note in caught.value.__notes__)
    kept = len(store)
    with pytest.raises(ConnectionError):
        evaluate(oc.Game(value, N), ALL, cache=store, executor=executor)
    assert 0 < kept <= len(store) <= 252


def test_a_value_that_is_not_finite_names_its_coalition_from_any_worker(executor):
    with pytest.raises(oc.ValueFunctionError, match=r"returned nan for the coalition \{") as caught:
        evaluate(oc.Game(Faulty(answer_nan), N), ALL, executor=executor, batch_size=1)
    assert caught.value.coalition == ("7",)


def test_a_failed_batch_is_asked_again_on_any_executor(executor, tmp_path):
    store = oc.MemoryStore()
    game = oc.Game(Faulty(disconnect, mended=tmp_path / "mended"), N)
    values, cost = evaluate(
        game, ALL, cache=store, executor=executor, retry=Retry(times=1, wait=0.0)
    )
    np.testing.assert_array_equal(values, TRUTH)
    assert (cost.new, cost.calls, len(store)) == (256, SHARES + 1, 256)


def test_a_cancelled_evaluation_ends_and_goes_on_later(executor):
    store, cancel = oc.MemoryStore(), threading.Event()
    game = oc.Game(roots, N)
    with pytest.raises(Cancelled):
        evaluate(
            game,
            ALL,
            cache=store,
            executor=executor,
            cancel=cancel,
            progress=lambda done, of: cancel.set(),
        )
    kept = len(store)
    values, cost = evaluate(game, ALL, cache=store, executor=executor)
    np.testing.assert_array_equal(values, TRUTH)
    assert 4 <= kept == 256 - cost.new


def test_a_killed_process_breaks_the_pool_and_what_was_valued_is_kept(processes):
    store = oc.MemoryStore()
    value = Faulty(die)
    with pytest.raises(BrokenExecutor) as caught:
        evaluate(oc.Game(value, N), ALL, cache=store, executor=processes, batch_size=1)
    if len(store):
        assert "the cache has them" in caught.value.__notes__[-1]
    with pytest.raises(BrokenExecutor):
        evaluate(oc.Game(value, N), ALL, cache=store, executor=processes)


def test_dask_runs_the_batch_of_a_killed_worker_again(dask, tmp_path):
    game = oc.Game(Faulty(die, mended=tmp_path / "mended"), N)
    np.testing.assert_array_equal(evaluate(game, ALL, executor=dask)[0], TRUTH)


def test_dask_gives_up_a_batch_that_kills_every_worker(dask):
    with pytest.raises(distributed.scheduler.KilledWorker):
        evaluate(oc.Game(Faulty(die), N), ALL, executor=dask)


def test_ray_runs_the_batch_of_a_killed_worker_again(ray_tasks, tmp_path):
    game = oc.Game(Faulty(die, mended=tmp_path / "mended"), N)
    np.testing.assert_array_equal(evaluate(game, ALL, executor=ray_tasks)[0], TRUTH)


def test_ray_gives_up_a_batch_that_kills_its_worker(ray_cluster):
    with RayExecutor(max_retries=0) as executor, pytest.raises(ray.exceptions.WorkerCrashedError):
        evaluate(oc.Game(Faulty(die), N), ALL, executor=executor)


def test_a_closure_can_be_sent_to_dask_and_ray(dask, ray_tasks):
    scale = 3.0
    game = oc.Game(lambda s: scale * roots(s), N)
    for executor in (dask, ray_tasks):
        np.testing.assert_array_equal(evaluate(game, ALL, executor=executor)[0], scale * TRUTH)


def test_what_cannot_be_sent_is_refused_by_any_executor(executor_of_processes):
    lock = threading.Lock()
    game = oc.Game(lambda s: lock.locked() * roots(s), N)
    with pytest.raises(TypeError):
        evaluate(game, ALL, executor=executor_of_processes)


def test_a_cluster_without_workers_is_refused_with_the_remedy():
    with (
        distributed.LocalCluster(n_workers=0, processes=False, dashboard_address=":0") as cluster,
        distributed.Client(cluster) as client,
        pytest.raises(ValueError, match="got 0 for its 0 workers; wait until it has some"),
    ):
        DaskExecutor(client)


def test_a_ray_executor_without_ray_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ModuleNotFoundError, match=r'RayExecutor .*"owen-core\[distributed\]"'):
        RayExecutor()


def test_a_dask_client_is_no_executor_and_the_error_says_what_is(client):
    with pytest.raises(TypeError, match=r"with Dask give owen_core\.DaskExecutor\(client\)"):
        evaluate(oc.Game(roots, N), ALL, executor=client)
