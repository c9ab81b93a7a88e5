"""Builds the compiled core; everything else is in pyproject.toml."""

from pathlib import Path

from pybind11.setup_helpers import ParallelCompile, Pybind11Extension, build_ext
from setuptools import setup

# Contraction into fused multiply-adds would make results depend on the instruction set.
FLAGS = ["-O3", "-ffp-contract=off", "-Wall", "-Wextra"]

ParallelCompile("NPY_NUM_BUILD_JOBS", default=0).install()

setup(
    cmdclass={"build_ext": build_ext},
    ext_modules=[
        Pybind11Extension(
            "owen_core._core",
            sorted(str(path) for path in Path("cpp/bindings").glob("*.cpp")),
            include_dirs=["cpp/include"],
            depends=sorted(str(path) for path in Path("cpp").rglob("*.hpp")),
            cxx_std=17,
            extra_compile_args=FLAGS,
        )
    ],
)
