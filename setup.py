"""Builds the compiled core; everything else is in pyproject.toml."""

import shutil
import sys
from pathlib import Path

from pybind11.setup_helpers import WIN, ParallelCompile, Pybind11Extension
from setuptools import setup
from setuptools.command.build_ext import build_ext

# Contraction into fused multiply-adds would make results depend on the instruction set.
FLAGS = ["-O3", "-ffp-contract=off", "-Wall", "-Wextra"]
CLANG_CL_FLAGS = ["/clang:-O3", "/clang:-ffp-contract=off"]

ParallelCompile("NPY_NUM_BUILD_JOBS", default=0).install()


class BuildWithVectors(build_ext):
    """Takes clang-cl in place of Microsoft's compiler, which lacks the core's vector types."""

    def build_extensions(self):
        """Compile what setuptools would, with the compiler that can."""
        if self.compiler.compiler_type == "msvc":
            self.compiler.initialize(self.plat_name)
            self.compiler.cc = shutil.which("clang-cl")
            if self.compiler.cc is None:
                sys.exit("The core is built by clang-cl, which is not on PATH; install LLVM.")
        super().build_extensions()


setup(
    cmdclass={"build_ext": BuildWithVectors},
    ext_modules=[
        Pybind11Extension(
            "owen_core._core",
            sorted(str(path) for path in Path("cpp/bindings").glob("*.cpp")),
            include_dirs=["cpp/include"],
            depends=sorted(str(path) for path in Path("cpp").rglob("*.hpp")),
            cxx_std=17,
            extra_compile_args=CLANG_CL_FLAGS if WIN else FLAGS,
        )
    ],
)
