"""The evaluator: caches, batches, retries, cancellation, progress, and every fault between them.

Long because every fault may come between any two steps of an evaluation.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
import threading
import tracemalloc
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import owen_core as oc
from owen_core.coalition import pack
from owen_core.evaluate import SHARES, Evaluator, evaluate
from owen_core.executor import IN_FLIGHT, Cancelled
from owen_core.retry import Retry

pytestmark = pytest.mark.timeout(60)  # nothing here may hang
N = 6
ALL = oc.plan(N)
WORDS = pack(ALL.coalitions)


def roots(coalitions):
    return np.sqrt(coalitions @ np.arange(1.0, coalitions.shape[1] + 1))


TRUTH = roots(ALL.coalitions)
GAME = oc.Game(roots, N)


@pytest.fixture(params=["in place", "threads"])
def executor(request):
    if request.param == "in place":
        yield None
    else:
        with ThreadPoolExecutor(2) as pool:
            yield pool


class Breaking:
    """Roots, until the call of a given number, which has a fault of its own; then roots again."""

    def __init__(self, fault, call=3):
        self.calls = itertools.count(1)
        self.fault, self.call = fault, call

    def __call__(self, coalitions):
        values = roots(coalitions)
        return self.fault(values) if next(self.calls) == self.call else values


def raises(error):
    def fault(values):
        raise error

    return fault


def test_finding_pays_nothing_and_paying_keeps():
    store, value = oc.MemoryStore(), Breaking(raises(AssertionError("asked")), call=1)
    assert not Evaluator(oc.Game(value, N), cache=store).find(WORDS)[1].any()
    evaluator = Evaluator(GAME, cache=store)
    np.testing.assert_array_equal(evaluator.pay(WORDS[:10]), TRUTH[:10])
    values, known = evaluator.find(WORDS)
    np.testing.assert_array_equal(known, np.arange(64) < 10)
    np.testing.assert_array_equal(values[:10], TRUTH[:10])
    np.testing.assert_array_equal(evaluator(WORDS), TRUTH)
    cost = evaluator.cost
    assert (cost.asked, cost.cached, cost.new, cost.calls) == (84, 20, 64, 2)
    assert cost.seconds > 0


def test_without_a_cache_nothing_is_known():
    evaluator = Evaluator(GAME)
    assert not evaluator.find(WORDS)[1].any()
    np.testing.assert_array_equal(evaluator(WORDS), TRUTH)
    assert evaluator.cost.new == 64


@settings(max_examples=40, deadline=None)
@given(
    n=st.sampled_from([1, 2, 63, 64, 65, 130]),
    batch_size=st.none() | st.integers(1, 40),
    known=st.integers(0, 50),
    workers=st.integers(0, 3),
    seed=st.integers(0, 2**32 - 1),
)
def test_values_have_the_same_bits_whatever_is_cached_and_whoever_works(
    n, batch_size, known, workers, seed
):
    rows = np.unique(np.random.default_rng(seed).random((50, n)) < 0.5, axis=0)
    store = oc.MemoryStore()
    game = oc.Game(roots, n)
    Evaluator(game, cache=store).pay(pack(rows[:known]))
    with ThreadPoolExecutor(max(workers, 1)) as pool:
        evaluator = Evaluator(
            game, cache=store, batch_size=batch_size, executor=pool if workers else None
        )
        values = evaluator(pack(rows))
    np.testing.assert_array_equal(values, roots(rows))
    assert evaluator.cost.new == max(0, len(rows) - known) == len(store) - min(known, len(rows))


def test_a_plan_half_of_whose_coalitions_are_known_pays_for_the_others(executor):
    store = oc.MemoryStore()
    Evaluator(GAME, cache=store).pay(WORDS[::2])
    values, cost = evaluate(GAME, ALL, cache=store, batch_size=5, executor=executor)
    np.testing.assert_array_equal(values, TRUTH)
    assert (cost.asked, cost.cached, cost.new) == (64, 32, 32)
    assert cost.calls == 13  # every batch of five has some that are new


def test_a_large_plan_is_never_held_at_once(executor):
    wanted = oc.plan(20)
    tracemalloc.start()
    values, _ = evaluate(oc.Game(lambda s: s[:, 0], 20), wanted, executor=executor)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    in_flight = 0 if executor is None else 16 * wanted.size  # their words and their values
    assert peak < values.nbytes + in_flight + (4 << 20)  # the rows are 20 MB of booleans
    assert values.sum() == wanted.size / 2


def test_a_bounded_number_of_batches_is_in_flight():
    class Counting(ThreadPoolExecutor):
        flying = most = 0

        def submit(self, function, /, *arguments):
            self.flying += 1
            self.most = max(self.most, self.flying)
            return super().submit(function, *arguments)

    with Counting(2) as pool:
        game = oc.Game(roots, 10)

        def kept(done, of):
            pool.flying -= 1

        evaluate(game, oc.plan(10), batch_size=1, executor=pool, progress=kept)
    assert pool.most == IN_FLIGHT


def test_an_executor_gets_batches_for_many_workers():
    with ThreadPoolExecutor(2) as pool:
        assert evaluate(oc.Game(roots, 10), oc.plan(10), executor=pool)[1].calls == SHARES
        assert evaluate(oc.Game(roots, 3), oc.plan(3), executor=pool)[1].calls == 8
    assert evaluate(oc.Game(roots, 10), oc.plan(10))[1].calls == 1


@pytest.mark.parametrize(
    ("fault", "error", "message"),
    [
        (raises(ConnectionError("engine down")), ConnectionError, "engine down"),
        (lambda v: np.full_like(v, np.nan), oc.ValueFunctionError, r"nan for the coalition \{"),
        (lambda v: v[:-1], oc.ValueFunctionError, r"shape \(7,\), expected \(8,\)"),
        (lambda v: np.full(len(v), "x"), oc.ValueFunctionError, "numpy cannot read as floats"),
        (lambda v: None, oc.ValueFunctionError, "returned"),
    ],
)
def test_after_a_fault_in_the_middle_the_same_call_goes_on_from_there(
    fault, error, message, executor
):
    store, game = oc.MemoryStore(), oc.Game(Breaking(fault), N)
    with pytest.raises(error, match=message) as caught:
        evaluate(game, ALL, cache=store, batch_size=8, executor=executor)
    kept = len(store)
    assert kept >= 8
    assert kept == 16 or executor  # side by side, some that were submitted are valued as well
    assert caught.value.__notes__[-1] == (
        f"{kept} coalitions were valued before, and the cache has them; the same call with this "
        "cache goes on from there"
    )
    values, cost = evaluate(game, ALL, cache=store, batch_size=8, executor=executor)
    np.testing.assert_array_equal(values, TRUTH)
    assert cost.new == 64 - kept


def test_without_a_cache_the_note_says_what_would_have_helped():
    with pytest.raises(ConnectionError) as caught:
        evaluate(oc.Game(Breaking(raises(ConnectionError())), N), ALL, batch_size=8)
    assert "16 coalitions were valued before, and no cache has kept" in caught.value.__notes__[-1]


def test_an_error_before_anything_is_valued_says_nothing_of_a_cache():
    with pytest.raises(ConnectionError) as caught:
        Evaluator(oc.Game(Breaking(raises(ConnectionError()), 1), N)).pay(WORDS)
    assert len(caught.value.__notes__) == 1


def test_a_store_that_fails_is_no_reason_to_hang(executor):
    class Full(oc.MemoryStore):
        def put(self, value, coalitions, n, values):
            raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space left"):
        evaluate(GAME, ALL, cache=Full(), batch_size=8, executor=executor)


def test_answers_that_change_are_found_by_asking_again():
    noisy = oc.Game(Breaking(lambda values: values + 0.25), N)
    store = oc.MemoryStore()
    evaluator = Evaluator(noisy, cache=store, batch_size=40)
    values = evaluator.pay(WORDS)
    difference = evaluator.again(WORDS[-1:]) - values[-1:]
    np.testing.assert_allclose(difference, [0.25])
    assert (evaluator.cost.new, evaluator.cost.calls) == (64, 3)
    assert evaluator.find(WORDS[-1:])[0] == TRUTH[-1]  # the cache keeps the first answer


def test_a_failure_that_passes_is_retried(executor):
    store = oc.MemoryStore()
    game = oc.Game(Breaking(raises(TimeoutError("slow"))), N)
    retry = Retry(times=1, wait=0.0)
    values, cost = evaluate(game, ALL, cache=store, batch_size=8, executor=executor, retry=retry)
    np.testing.assert_array_equal(values, TRUTH)
    assert (cost.new, cost.calls, len(store)) == (64, 9, 64)


def test_a_failure_that_does_not_pass_is_raised_with_a_note(executor):
    class Down:
        calls = 0

        def __call__(self, coalitions):
            self.calls += 1
            raise ConnectionError("engine down")

    value = Down()
    with pytest.raises(ConnectionError, match="engine down") as caught:
        evaluate(oc.Game(value, N), ALL, batch_size=64, executor=executor, retry=Retry(2, 0.0))
    assert value.calls == 3
    assert any("asked 3 times" in note for note in caught.value.__notes__)


def test_a_failure_that_retrying_does_not_cover_is_raised_at_once(executor):
    value = Breaking(raises(KeyError("typo")), call=1)
    with pytest.raises(KeyError, match="typo") as caught:
        evaluate(oc.Game(value, N), ALL, batch_size=64, executor=executor, retry=Retry(5, 3600))
    assert next(value.calls) == 2
    assert not any("asked" in note for note in caught.value.__notes__)


def test_pauses_between_retries_grow(monkeypatch):
    paused = []
    monkeypatch.setattr("owen_core.executor.time.sleep", paused.append)
    busy = itertools.count(1)

    def value(coalitions):
        if next(busy) <= 2:
            raise OSError("busy")
        return roots(coalitions)

    Evaluator(oc.Game(value, N), retry=Retry(times=2, wait=100, factor=3)).pay(WORDS)
    assert [round(pause, -1) for pause in paused] == [100, 300]


def test_a_pause_ends_when_the_evaluation_is_cancelled(executor):
    class CancelledInThePause(threading.Event):
        def wait(self, timeout=None):
            self.set()
            return super().wait(timeout)

    game = oc.Game(Breaking(raises(ConnectionError("engine down")), call=1), N)
    retry, cancel = Retry(wait=3600), CancelledInThePause()
    with pytest.raises(Cancelled):
        evaluate(game, ALL, batch_size=64, executor=executor, retry=retry, cancel=cancel)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"times": -1}, ValueError, "times of a retry must be at least 0, got -1"),
        ({"wait": -0.5}, ValueError, "wait of a retry must be at least 0"),
        ({"wait": float("nan")}, ValueError, "wait of a retry must be at least 0, got nan"),
        ({"factor": 0.5}, ValueError, "factor of a retry must be at least 1"),
        ({"on": "OSError"}, TypeError, "types of exceptions, got 'OSError'"),
        ({"on": (OSError, KeyboardInterrupt)}, TypeError, "types of exceptions, got <class"),
    ],
)
def test_a_wrong_retry_is_refused(options, error, message):
    with pytest.raises(error, match=message):
        Retry(**options)


def test_a_cancelled_evaluation_stops_before_the_next_batch_and_goes_on_later():
    store, cancel = oc.MemoryStore(), threading.Event()
    asked = []

    def value(coalitions):
        asked.append(len(coalitions))
        if len(asked) == 3:
            cancel.set()
        return roots(coalitions)

    game = oc.Game(value, N)
    with pytest.raises(Cancelled, match="goes on from here") as caught:
        evaluate(game, ALL, cache=store, batch_size=8, cancel=cancel)
    assert asked == [8, 8, 8]
    assert len(store) == 24
    assert "24 coalitions were valued before" in caught.value.__notes__[-1]
    cancel.clear()
    values, cost = evaluate(game, ALL, cache=store, batch_size=8, cancel=cancel)
    np.testing.assert_array_equal(values, TRUTH)
    assert cost.new == 40


def test_batches_that_run_are_kept_and_those_that_wait_never_begin_when_cancelled():
    store, cancel = oc.MemoryStore(), threading.Event()
    two_run, all_submitted, one_cancelled = (
        threading.Barrier(3),
        threading.Event(),
        threading.Event(),
    )
    asked = []

    def value(coalitions):
        asked.append(len(coalitions))
        two_run.wait()
        all_submitted.wait()
        cancel.set()
        one_cancelled.wait()
        return roots(coalitions)

    class Watched(ThreadPoolExecutor):
        submitted = 0

        def submit(self, function, /, *arguments):
            future = super().submit(function, *arguments)
            future.add_done_callback(lambda f: f.cancelled() and one_cancelled.set())
            self.submitted += 1
            if self.submitted == 8:
                two_run.wait()
                all_submitted.set()
            return future

    with Watched(2) as pool, pytest.raises(Cancelled):
        evaluate(oc.Game(value, N), ALL, cache=store, batch_size=8, executor=pool, cancel=cancel)
    assert asked == [8, 8]
    assert len(store) == 16


def test_one_that_is_cancelled_from_the_start_asks_nothing(executor):
    cancel = threading.Event()
    cancel.set()
    value = Breaking(raises(AssertionError("asked")), call=1)
    with pytest.raises(Cancelled):
        evaluate(oc.Game(value, N), ALL, executor=executor, cancel=cancel)


@pytest.fixture
def heard():
    """Ctrl-C is heard, even where the tests run in the background of a shell that ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heard")
def test_ctrl_c_keeps_what_was_valued_and_waits_for_nothing():
    store, go_on = oc.MemoryStore(), threading.Event()
    asked = []

    def value(coalitions):
        asked.append(len(coalitions))
        if len(asked) == 2:
            os.kill(os.getpid(), signal.SIGINT)  # as Ctrl-C does
            go_on.wait()  # a batch that does not end by itself
        return roots(coalitions)

    pool = ThreadPoolExecutor(1)
    with pytest.raises(KeyboardInterrupt) as caught:
        evaluate(oc.Game(value, N), ALL, cache=store, batch_size=8, executor=pool)
    go_on.set()
    pool.shutdown()
    assert len(store) == 8
    assert asked == [8, 8]  # the waiting batches were cancelled
    assert "the cache has them" in caught.value.__notes__[-1]


def test_ctrl_c_in_the_value_function_keeps_what_was_valued():
    store = oc.MemoryStore()
    with pytest.raises(KeyboardInterrupt):
        evaluate(oc.Game(Breaking(raises(KeyboardInterrupt())), N), ALL, cache=store, batch_size=8)
    assert len(store) == 16


def test_progress_counts_what_is_found_and_what_is_paid(executor):
    store, seen = oc.MemoryStore(), []
    Evaluator(GAME, cache=store).pay(WORDS[:20])

    def progress(done, of):
        seen.append((done, of))

    evaluate(GAME, ALL, cache=store, batch_size=16, executor=executor, progress=progress)
    assert seen[-1] == (64, 64)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert {of for _, of in seen} == {64}


def test_an_error_in_the_progress_function_is_raised_and_loses_nothing(executor):
    store = oc.MemoryStore()

    def closed(done, of):
        raise RuntimeError("window closed")

    with pytest.raises(RuntimeError, match="window closed"):
        evaluate(
            GAME,
            ALL,
            cache=store,
            batch_size=8,
            executor=executor,
            progress=closed,
        )
    assert len(store) >= 8


def test_a_bar_is_drawn_on_standard_error(capsys, executor):
    evaluate(GAME, ALL, batch_size=8, executor=executor, progress=True)
    drawn = capsys.readouterr()
    assert "coalitions" in drawn.err
    assert "64/64" in drawn.err
    assert drawn.out == ""
    evaluate(GAME, ALL, progress=False)
    assert capsys.readouterr() == ("", "")


def test_a_bar_without_rich_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "rich.console", None)
    with pytest.raises(ModuleNotFoundError, match=r'progress=True .* "owen-core\[explain\]"'):
        evaluate(GAME, ALL, progress=True)


def test_what_is_no_executor_is_refused_with_the_remedy():
    class Client:
        def submit(self, function, *arguments):
            return "a future of its own"

    for executor in (4, Client()):
        with pytest.raises(TypeError, match=r"futures\.Future.*DaskExecutor\(client\)"):
            evaluate(GAME, ALL, executor=executor)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"retry": 3}, TypeError, r"retry must be a Retry, got 3; say retry=Retry\(times=3\)"),
        ({"batch_size": 0}, ValueError, "batch_size must be at least 1, got 0"),
    ],
)
def test_wrong_options_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        Evaluator(GAME, **options)


def test_a_value_function_that_processes_cannot_have_is_refused_before_anything_is_paid():
    with (
        ProcessPoolExecutor(1) as pool,
        pytest.raises(TypeError, match="define it at the top of a module, or use threads"),
    ):
        evaluate(oc.Game(lambda s: roots(s), N), ALL, executor=pool)


def test_an_executor_that_was_shut_down_is_an_error():
    pool = ThreadPoolExecutor(1)
    pool.shutdown()
    with pytest.raises(RuntimeError, match="after shutdown"):
        evaluate(GAME, ALL, executor=pool)


def test_a_batch_that_someone_else_cancels_is_an_error():
    class Cancelling:
        def submit(self, function, /, *arguments):
            future = Future()
            future.cancel()
            return future

    with pytest.raises(CancelledError):
        evaluate(GAME, ALL, executor=Cancelling())
