#include <string>
#include <vector>

#include "bind.hpp"
#include "owen/table.hpp"

namespace owen_bind {

namespace {

constexpr int kThreadedPlayers = 20;  // smaller tables are folded faster than threads wake up

}  // namespace

void bind_table(py::module_& m) {
  m.attr("MAX_TABLE_PLAYERS") = owen::kMaxTablePlayers;
  m.def("instruction_sets", [] {
    std::vector<std::string> names;
    for (const auto& set : owen::instruction_sets()) names.push_back(set.name);
    return names;
  });
  m.def(
      "shapley_weights",
      [](int n) {
        const auto weights = owen::shapley_weights(n);
        return Array<double>(static_cast<py::ssize_t>(weights.size()), weights.data());
      },
      py::arg("n"));
  m.def(
      "fold_table",
      [](const Array<double>& table, const Array<double>& weights, bool threads,
         const std::string& instruction_set) {
        const int n = static_cast<int>(weights.size());
        owen::require(n <= owen::kMaxTablePlayers && table.size() == py::ssize_t{1} << n,
                      "a table for ", n, " players has 2**n values, got ", table.size());
        Array<double> values(n);
        const double* in = table.data();
        const double* w = weights.data();
        double* out = values.mutable_data();
        const auto rows = owen::fold_rows_for(instruction_set, n);
        const bool threaded = threads && n >= kThreadedPlayers;
        py::gil_scoped_release release;
        owen::fold_table(in, n, w, out, threaded ? &shared_pool() : nullptr, rows);
        return values;
      },
      py::arg("table").noconvert(), py::arg("weights").noconvert(), py::arg("threads") = true,
      py::arg("instruction_set") = "");
}

}  // namespace owen_bind
