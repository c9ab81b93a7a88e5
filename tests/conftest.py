"""Fixtures shared by both packages' tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes depends on what else the machine does, and the same commit passes or
# fails every time; other examples are drawn with HYPOTHESIS_PROFILE=random.
settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("random", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

DATA = Path(os.environ.get("OSPO_DATA", Path(__file__).parents[1] / "../shared/data"))


@pytest.fixture(scope="session")
def icecat_dir() -> Path:
    """The real Icecat/Chorus folder; tests that need it are skipped where it is absent."""
    folder = (DATA / "icecat-chorus").resolve()
    if not folder.is_dir():
        pytest.skip(f"real data absent: {folder} (set OSPO_DATA to the folder that holds it)")
    return folder


def pytest_addoption(parser: pytest.Parser) -> None:
    """Golden files are rewritten on request, to be read before they are committed."""
    parser.addoption("--write-golden", action="store_true", help="rewrite tests/golden")
