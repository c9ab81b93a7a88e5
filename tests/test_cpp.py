"""The C++ headers, tested from C++ alone."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_headers_pass_their_own_tests_without_a_warning(tmp_path):
    compiler = os.environ.get("CXX", "g++")
    flags = ["-std=c++17", "-O1", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror", "-pthread"]
    source, program = ROOT / "cpp/tests/test_core.cpp", tmp_path / "test_core"
    subprocess.run([compiler, *flags, f"-I{ROOT}/cpp/include", source, "-o", program], check=True)
    done = subprocess.run([program], capture_output=True, text=True, check=True)
    assert done.stdout == "C++ tests: all passed\n"
