"""What strangers send: damaged bytes, altered data, and what may come of reading them."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

import owen_core as oc
from ospo.errors import InputError

DEEP = "[" * 100_000
HUGE = "9" * 5_000
TOKENS = [
    *("\0", "\n", "\r", "\t", ",", '"', "'", "<", "&", "{", "}", "]", ":", "-1", "1e999", "NaN"),
    *(
        "null",
        "true",
        "0.5",
        "\ufeff",
        "\u202e",
        '"\\ud800"',
        "<doc>",
        "<top>",
        ".I 2\n",
        "!!python/",
    ),
]
BYTES = [token.encode() for token in TOKENS] + [
    b"\xff",
    b"\xed\xa0\x80",
    b"PK\x05\x06",
    b"\x1f\x8b",
]
VALUES = [None, True, -1, 1.5, 10**30, 1e308, float("nan"), "", "x", "\ud800<b>", [], {}, [[0, 1]]]
often = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@st.composite
def damaged(draw, whole: bytes):
    """Bytes with some places overwritten, cut or filled with what breaks parsers."""
    content = bytearray(whole)
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(content)))
        end = start + draw(st.sampled_from([0, 1, 1, 4, len(content)]))
        content[start:end] = draw(st.one_of(st.sampled_from(BYTES), st.binary(max_size=4)))
    return bytes(content)


@st.composite
def altered(draw, whole):
    """Plain data in which one value is another one."""
    data = json.loads(json.dumps(whole))
    parent, key, value = None, None, data
    while isinstance(value, dict | list) and value and draw(st.integers(0, 4)):
        parent = value
        key = draw(st.sampled_from(sorted(value) if isinstance(value, dict) else range(len(value))))
        value = parent[key]
    other = draw(st.sampled_from(VALUES))
    if parent is None:
        return other
    parent[key] = other
    return data


def refused_or(kind, read):
    """Read; nothing but an error for the user, of one sentence, may come instead of a result."""
    told = ""
    try:
        found = read()
    except (InputError, oc.StoreError, oc.ValueFunctionError) as error:
        told = str(error)
    assert told or isinstance(found, kind)
    assert "\n" not in told


def lay(folder: Path, files) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
