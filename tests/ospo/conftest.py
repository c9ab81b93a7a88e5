"""Fixtures of the tests of ospo."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("OSPO_CACHE", str(folder))
    return folder


@pytest.fixture(scope="session")
def real_dir(icecat_dir: Path) -> Callable[[str], Path]:
    """Finds a folder of real data; the test is skipped where it is absent."""

    def find(name: str) -> Path:
        folder = icecat_dir.parent / name
        if not folder.is_dir():
            pytest.skip(f"real data absent: {folder} (set OSPO_DATA to the folder that holds it)")
        return folder

    return find
