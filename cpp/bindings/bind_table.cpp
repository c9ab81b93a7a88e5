#include "bind.hpp"
#include "owen/table.hpp"

namespace owen_bind {

void bind_table(py::module_& m) {
  m.attr("MAX_TABLE_PLAYERS") = owen::kMaxTablePlayers;
  m.def(
      "shapley_weights",
      [](int n) {
        const auto weights = owen::shapley_weights(n);
        return Array<double>(static_cast<py::ssize_t>(weights.size()), weights.data());
      },
      py::arg("n"));
  m.def(
      "fold_table",
      [](const Array<double>& table, const Array<double>& weights) {
        const int n = static_cast<int>(weights.size());
        owen::require(n <= owen::kMaxTablePlayers && table.size() == py::ssize_t{1} << n,
                      "a table for ", n, " players has 2**", n, " values, got ", table.size());
        Array<double> values(n);
        const double* in = table.data();
        const double* w = weights.data();
        double* out = values.mutable_data();
        {
          py::gil_scoped_release release;
          owen::fold_table(in, n, w, out);
        }
        return values;
      },
      py::arg("table").noconvert(), py::arg("weights").noconvert());
}

}  // namespace owen_bind
