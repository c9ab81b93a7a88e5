"""The C++ headers, tested from C++ alone."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("name", ["test_core", "test_estimators"])
def test_the_headers_pass_their_own_tests_without_a_warning(name, tmp_path):
    compiler = os.environ.get("CXX", "g++")
    flags = ["-std=c++17", "-O1", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror", "-pthread"]
    source, program = ROOT / f"cpp/tests/{name}.cpp", tmp_path / name
    subprocess.run([compiler, *flags, f"-I{ROOT}/cpp/include", source, "-o", program], check=True)
    done = subprocess.run([program], capture_output=True, text=True, check=True)
    assert done.stdout == "C++ tests: all passed\n"
