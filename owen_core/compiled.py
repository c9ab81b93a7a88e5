"""Value functions that are compiled code: a C function at an address."""

from __future__ import annotations

import ctypes
from _ctypes import CFuncPtr
from typing import Any

import numpy as np
from numpy.typing import NDArray

from owen_core import _core

CFUNC_SIGNATURE = "void(CPointer(uint64), int64, int64, CPointer(float64), voidptr)"
"""The signature of a compiled value function, as :func:`numba.cfunc` takes it."""

ARGUMENTS = (
    ctypes.POINTER(ctypes.c_uint64),
    ctypes.c_int64,
    ctypes.c_int64,
    ctypes.POINTER(ctypes.c_double),
    ctypes.c_void_p,
)
FIRST_PAGE = 4096  # no system maps anything there


def compiled_function(
    function: Any, context: int | NDArray[Any], threadsafe: bool
) -> _core.CompiledFunction:
    """Return a C function as a value function of packed coalitions; see ``Game.from_address``."""
    address = _address(function)
    if not FIRST_PAGE <= address < 1 << 64:
        raise ValueError(
            f"there is no function at address {address}; give that of a compiled function"
        )
    return _core.CompiledFunction(
        address, _context_address(context), threadsafe, owner=(function, context)
    )


def _address(function: Any) -> int:
    if isinstance(function, int | np.integer):
        return int(function)
    if in_capsule := _core.capsule_address(function):
        return in_capsule
    typed = getattr(function, "ctypes", function)  # what numba compiled offers both
    if isinstance(typed, CFuncPtr):
        _check_arguments(typed.argtypes)
        return ctypes.cast(typed, ctypes.c_void_p).value or 0
    address = getattr(function, "address", None)
    if isinstance(address, int):
        return address
    raise TypeError(
        f"a compiled function is an address, a numba cfunc, a ctypes function or a PyCapsule, got "
        f"{function!r}; compile it with @numba.cfunc(owen_core.CFUNC_SIGNATURE), or give a Python "
        "function to Game itself"
    )


def _check_arguments(found: Any) -> None:
    """Refuse a function that declares other arguments; one from a library declares nothing."""
    if found is not None and tuple(found) != ARGUMENTS:
        raise TypeError(
            f"the compiled function takes ({_names(found)}), expected ({_names(ARGUMENTS)}); "
            "compile it with @numba.cfunc(owen_core.CFUNC_SIGNATURE)"
        )


def _names(types: Any) -> str:
    return ", ".join(kind.__name__.replace("LP_", "pointer to ") for kind in types)


def _context_address(context: int | NDArray[Any]) -> int:
    if isinstance(context, int | np.integer) and 0 <= context < 1 << 64:
        return int(context)
    if not isinstance(context, np.ndarray):
        raise TypeError(f"context must be an address or an array, got {context!r}")
    if not context.flags.c_contiguous:
        raise ValueError(
            f"context must be contiguous in memory, got an array with strides {context.strides}; "
            "use numpy.ascontiguousarray"
        )
    return context.ctypes.data
