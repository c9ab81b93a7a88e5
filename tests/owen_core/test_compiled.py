"""Games as compiled code: numba, C through ctypes, capsules, and plain addresses."""

from __future__ import annotations

import ctypes
import gc
import os
import pickle
import subprocess
import sys
import threading
import weakref

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import owen_core as oc
from owen_core.coalition import pack, unpack
from owen_core.compiled import ARGUMENTS

SIGNATURE = b"void (uint64_t *, int64_t, int64_t, double *, void *)"
ANOTHER_NAME = b"datetime"
CALLBACK = ctypes.CFUNCTYPE(None, *ARGUMENTS)

SOURCE = r"""
#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

enum { PATIENCE = 60 }; /* seconds; then no value is written, and the test fails */

/* The context holds 64 * words weights. */
void weigh(const uint64_t *coalitions, int64_t batch, int64_t words, double *values,
           void *context) {
  const double *weights = context;
  for (int64_t k = 0; k < batch; ++k) {
    values[k] = 0;
    for (int64_t i = 0; i < 64 * words; ++i)
      if (coalitions[k * words + i / 64] >> (i % 64) & 1) values[k] += weights[i];
  }
}

/* Leaves the values of coalitions with player 1 as they are. */
void forget(const uint64_t *coalitions, int64_t batch, int64_t words, double *values,
            void *context) {
  for (int64_t k = 0; k < batch; ++k)
    if (!(coalitions[k * words] & 2)) values[k] = 1;
}

/* Says that it has begun in the first number of the context, and waits for the second. */
void wait(const uint64_t *coalitions, int64_t batch, int64_t words, double *values,
          void *context) {
  atomic_llong *flags = context;
  const time_t end = time(NULL) + PATIENCE;
  atomic_store(&flags[0], 1);
  while (!atomic_load(&flags[1]))
    if (time(NULL) > end) return;
  for (int64_t k = 0; k < batch; ++k) values[k] = (double)k;
}

/* Waits until as many calls as the context's second number says have begun. */
void meet(const uint64_t *coalitions, int64_t batch, int64_t words, double *values,
          void *context) {
  atomic_llong *flags = context;
  const time_t end = time(NULL) + PATIENCE;
  atomic_fetch_add(&flags[0], 1);
  while (atomic_load(&flags[0]) < atomic_load(&flags[1]))
    if (time(NULL) > end) return;
  for (int64_t k = 0; k < batch; ++k) values[k] = (double)coalitions[k * words];
}
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compiled")
    (folder / "games.c").write_text(SOURCE)
    command = ["cc", "-O2", "-shared", "-fPIC", "games.c", "-o", "games.so"]
    subprocess.run(command, cwd=folder, check=True)
    return ctypes.CDLL(str(folder / "games.so"))


@numba.cfunc(oc.CFUNC_SIGNATURE)
def weigh(coalitions, batch, words, values, context):
    weights = numba.carray(context, 64 * words, numba.float64)
    for k in range(batch):
        values[k] = 0
        for i in range(64 * words):
            if coalitions[k * words + i // 64] >> numba.uint64(i % 64) & numba.uint64(1):
                values[k] += weights[i]


def capsule(function, name=None):
    """A capsule; it does not keep its name alive."""
    new = ctypes.pythonapi.PyCapsule_New
    new.restype = ctypes.py_object
    new.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    return new(ctypes.cast(function, ctypes.c_void_p), name, None)


def flags(*numbers):
    """Numbers that C and Python both read."""
    return np.array(numbers, dtype=np.int64)


@pytest.mark.parametrize("n", [1, 63, 64, 65, 200])
@given(data=st.data())
def test_every_way_to_write_a_game_gives_the_same_values(library, n, data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    coalitions = rng.random((data.draw(st.integers(1, 200)), n)) < rng.random()
    weights = np.zeros(-(-n // 64) * 64)
    weights[:n] = rng.integers(-1000, 1000, n)  # their sums are exact in any order
    expected = [sum(int(weights[i]) for i in np.flatnonzero(row)) for row in coalitions]

    def compiled(function, **options):
        return oc.Game.from_address(function, n, context=weights, **options)

    address = ctypes.cast(library.weigh, ctypes.c_void_p).value
    games = {
        "bool": oc.Game(lambda rows: rows @ weights[:n], n),
        "packed": oc.Game(lambda rows: unpack(rows, n) @ weights[:n], n, packed=True),
        "scalar": oc.Game.from_scalar(lambda row: row @ weights[:n], n),
        "numba": compiled(weigh),
        "ctypes": compiled(library.weigh),
        "ctypes with types": compiled(CALLBACK(address)),
        "address": compiled(address),
        "address of the context": oc.Game.from_address(address, n, context=weights.ctypes.data),
        "capsule": compiled(capsule(library.weigh)),
        "capsule with its signature": compiled(capsule(library.weigh, SIGNATURE)),
        "threads": compiled(weigh, threadsafe=True),
    }
    for label, game in games.items():
        np.testing.assert_array_equal(game(coalitions), expected, err_msg=label)
        np.testing.assert_array_equal(game.values(pack(coalitions)), expected, err_msg=label)


def test_a_compiled_game_is_attributed_like_any_other(library):
    weights = np.arange(64.0)
    game = oc.Game.from_address(library.weigh, list("abcdefgh"), context=weights, threadsafe=True)
    store = oc.MemoryStore()
    np.testing.assert_allclose(oc.attribute(game, cache=store).values, np.arange(8), atol=1e-12)
    assert oc.attribute(game, concept="myerson", cache=store).cost.new == 0


def test_other_python_threads_run_while_compiled_code_does(library):
    shared = flags(0, 0)
    game = oc.Game.from_address(library.wait, 3, context=shared)

    def release():
        while not shared[0]:
            pass
        shared[1] = 1

    other = threading.Thread(target=release)
    other.start()
    # With the GIL held in there, nobody could ever set the flag that this waits for.
    np.testing.assert_array_equal(game.values(np.array([[0], [1]], np.uint64)), [0, 1])
    other.join()


def test_a_function_that_is_threadsafe_is_called_from_several_threads_at_once(library):
    at_once = min(2, os.cpu_count())
    game = oc.Game.from_address(library.meet, 10, context=flags(0, at_once), threadsafe=True)
    coalitions = np.arange(1000, dtype=np.uint64)[:, None]
    np.testing.assert_array_equal(game.values(coalitions), np.arange(1000))


def test_a_function_that_is_not_is_called_once_for_all(library):
    calls = flags(0, 0)
    game = oc.Game.from_address(library.meet, 10, context=calls)
    game.values(np.arange(1000, dtype=np.uint64)[:, None])
    assert calls[0] == 1


def test_a_compiled_function_may_call_python_which_attributes_another_game_on_threads():
    inner = oc.Game.from_address(weigh, 20, context=np.arange(64.0), threadsafe=True)

    @CALLBACK
    def value(coalitions, batch, words, values, context):
        for k in range(batch):
            values[k] = oc.attribute(inner, concept="myerson").values[3] * (
                coalitions[k * words] & 1
            )

    outer = oc.Game.from_address(value, 7, threadsafe=True)
    np.testing.assert_allclose(oc.attribute(outer).values, [3, 0, 0, 0, 0, 0, 0], atol=1e-9)


def test_code_and_context_live_as_long_as_the_game():
    context = np.full(64, 2.0)
    gone = weakref.ref(context)
    python = CALLBACK(lambda coalitions, batch, words, values, context: values.__setitem__(0, 5.0))
    callback, game = weakref.ref(python), oc.Game.from_address(python, 3, context=context)
    del context, python
    gc.collect()
    assert gone() is not None
    assert callback() is not None
    assert game.value_of("0") == 5
    del game
    gc.collect()
    assert gone() is None
    assert callback() is None


def test_a_value_that_compiled_code_forgets_is_refused_by_name(library):
    game = oc.Game.from_address(library.forget, ["a", "b", "c"])
    assert game.value_of("a", "c") == 1
    with pytest.raises(oc.ValueFunctionError, match=r"returned nan for the coalition \{b, c\}"):
        game.values(np.array([[0], [6], [2]], np.uint64))


def test_a_value_that_is_not_finite_is_refused_by_name():
    game = oc.Game.from_address(weigh, ["a", "b"], context=np.array([0, np.inf] + [0.0] * 62))
    with pytest.raises(oc.ValueFunctionError, match=r"returned inf for the coalition \{a, b\}"):
        game.values(np.array([[1], [3]], np.uint64))


def test_an_exception_inside_a_numba_function_leaves_no_value(monkeypatch):
    @numba.cfunc(oc.CFUNC_SIGNATURE)
    def divide(coalitions, batch, words, values, context):
        for k in range(batch):
            values[k] = 6 // coalitions[k * words]

    seen = []
    monkeypatch.setattr(sys, "unraisablehook", lambda found: seen.append(found.exc_type))
    game = oc.Game.from_address(divide, ["a", "b"])
    with pytest.raises(oc.ValueFunctionError, match=r"nan for the coalition \{\}"):
        game.values(np.array([[3], [0], [1]], np.uint64))
    assert seen == [ZeroDivisionError]


def test_a_compiled_game_says_why_it_does_not_travel(library):
    game = oc.Game.from_address(library.weigh, 3, context=np.zeros(64))
    with pytest.raises(TypeError, match=r"an address in this process .* use threads"):
        pickle.dumps(game)


@numba.cfunc("float64(CPointer(uint64), int64, int64)")
def of_another_signature(coalitions, batch, words):
    return 0.0


@numba.cfunc("void(CPointer(uint64), int64, int64, CPointer(float32), voidptr)")
def of_single_floats(coalitions, batch, words, values, context):
    values[0] = 0


@numba.njit
def not_compiled_yet(coalitions, batch, words, values, context):
    values[0] = 0


class Addressed:
    address = None


@pytest.mark.parametrize(
    ("function", "error", "message"),
    [
        (0, ValueError, "no function at address 0"),
        (-1, ValueError, "no function at address -1"),
        (1 << 64, ValueError, "no function at address 18446744073709551616"),
        (True, ValueError, "no function at address 1"),
        (CALLBACK(0), ValueError, "no function at address 0"),
        ("f", TypeError, "got 'f'; compile it"),
        (len, TypeError, "or give a Python function to Game itself"),
        (np.zeros(3), TypeError, "a compiled function is an address"),
        (not_compiled_yet, TypeError, "a compiled function is an address"),
        (Addressed(), TypeError, "a compiled function is an address"),
        (of_another_signature, TypeError, r"takes \(pointer to c_u?long, c_long, c_long\), exp"),
        (of_single_floats, TypeError, "pointer to c_float, c_void_p"),
        (ctypes.CFUNCTYPE(None)(4096), TypeError, r"takes \(\), expected \(pointer to"),
        (capsule(CALLBACK(4096), ANOTHER_NAME), TypeError, 'capsule is called "datetime"'),
    ],
)
def test_what_is_no_compiled_value_function_is_refused(function, error, message):
    with pytest.raises(error, match=message):
        oc.Game.from_address(function, 3)


@pytest.mark.parametrize("context", [-1, 1 << 64, [1.0, 2.0], None])
def test_a_context_that_is_neither_address_nor_array_is_refused(context):
    with pytest.raises(TypeError, match="context must be an address or an array, got"):
        oc.Game.from_address(weigh, 3, context=context)


def test_a_context_with_gaps_is_refused():
    with pytest.raises(ValueError, match="must be contiguous"):
        oc.Game.from_address(weigh, 3, context=np.zeros((64, 2))[:, 0])


def test_coalitions_are_checked_before_compiled_code_sees_them(library):
    game = oc.Game.from_address(library.weigh, 65, context=np.zeros(128))
    with pytest.raises(ValueError, match=r"an array \(m, 2\) of uint64"):
        game.values(np.zeros((2, 1), np.uint64))
    with pytest.raises(TypeError):
        game.value(np.zeros((2, 65), bool))
    with pytest.raises(ValueError, match="rows of words, got 1 dimensions"):
        game.value(np.zeros(2, np.uint64))
