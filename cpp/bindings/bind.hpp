// What the binding files share: array types and one function per bound concept.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>

#include "owen/pool.hpp"

namespace owen_bind {

namespace py = pybind11;

// Contiguous inputs of exactly this element type; Python callers convert, nothing is cast silently.
template <typename T>
using Array = py::array_t<T, py::array::c_style>;

// One pool for all that runs on several threads.
owen::ThreadPool& shared_pool();

void bind_coalition(py::module_& m);
void bind_game(py::module_& m);
void bind_table(py::module_& m);
void bind_interval(py::module_& m);
void bind_cache(py::module_& m);
void bind_rank(py::module_& m);
void bind_graph(py::module_& m);
void bind_tree(py::module_& m);
void bind_estimator(py::module_& m);

}  // namespace owen_bind
