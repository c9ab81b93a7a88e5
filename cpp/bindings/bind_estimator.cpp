#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "bind.hpp"
#include "owen/banzhaf_sampling.hpp"
#include "owen/cyclic.hpp"
#include "owen/myerson_sampling.hpp"
#include "owen/permutation.hpp"
#include "owen/regression.hpp"

namespace owen_bind {

namespace {

using Design = owen::RegressionDesign;

// A tree comes as nested lists of player numbers.
owen::Part parse(const py::handle& part) {
  owen::Part parsed;
  if (py::isinstance<py::int_>(part)) {
    parsed.player = part.cast<int>();
    return parsed;
  }
  owen::require(py::isinstance<py::list>(part), "unions are lists of players and of unions");
  for (const py::handle inner : part) parsed.parts.push_back(parse(inner));
  return parsed;
}

owen::Orders orders(int n, const py::object& root) {
  return root.is_none() ? owen::Orders::of(n) : owen::Orders::within(n, parse(root));
}

// The published regressions, and the one that this project adds.
Design design(const std::string& name) {
  using Pairs = Design::Pairs;
  using Ranges = Design::Ranges;
  using Sizes = Design::Sizes;
  if (name == "kernel") return {Pairs::always, Ranges::one, Sizes::kernel, false, false};
  if (name == "leverage") return {Pairs::always, Ranges::one, Sizes::uniform, false, true};
  if (name == "marginals") return {Pairs::never, Ranges::none, Sizes::uniform, true, true};
  owen::require(name == "stratified", "no regression is called ", name);
  return {Pairs::while_useful, Ranges::narrow, Sizes::optimal, true, true};
}

Array<double> copied(const std::vector<double>& values) {
  return Array<double>(static_cast<py::ssize_t>(values.size()), values.data());
}

}  // namespace

void bind_estimator(py::module_& m) {
  py::class_<owen::Estimator>(m, "Estimator")
      .def_property_readonly("n", &owen::Estimator::n)
      .def_property_readonly("units", &owen::Estimator::units)
      .def_property_readonly("at_checkpoint", &owen::Estimator::at_checkpoint)
      .def_property_readonly("exhausted", &owen::Estimator::exhausted)
      .def(
          "propose",
          [](owen::Estimator& estimator, std::size_t limit) {
            const owen::Words* proposed = nullptr;
            {
              py::gil_scoped_release release;
              proposed = &estimator.propose(limit);
            }
            const std::size_t words = estimator.words();
            Array<std::uint64_t> rows({static_cast<py::ssize_t>(proposed->size() / words),
                                       static_cast<py::ssize_t>(words)});
            std::memcpy(rows.mutable_data(), proposed->data(), proposed->size() * 8);
            const std::vector<std::size_t>& units = estimator.unit_rows();
            Array<std::int64_t> ends(static_cast<py::ssize_t>(units.size()));
            std::int64_t end = 0;
            for (std::size_t unit = 0; unit < units.size(); ++unit)
              ends.mutable_at(static_cast<py::ssize_t>(unit)) = end +=
                  static_cast<std::int64_t>(units[unit]);
            return py::make_tuple(rows, ends);
          },
          py::arg("limit"))
      .def(
          "absorb",
          [](owen::Estimator& estimator, const Array<double>& values, std::size_t units) {
            std::size_t rows = 0;
            const std::vector<std::size_t>& waiting = estimator.unit_rows();
            for (std::size_t unit = 0; unit < units && unit < waiting.size(); ++unit)
              rows += waiting[unit];
            owen::require(static_cast<std::size_t>(values.size()) == rows, units, " units have ",
                          rows, " coalitions, got ", values.size(), " values");
            py::gil_scoped_release release;
            estimator.absorb(values.data(), units);
          },
          py::arg("values").noconvert(), py::arg("units"))
      .def("estimate", [](const owen::Estimator& estimator) {
        owen::Estimate found;
        {
          py::gil_scoped_release release;
          found = estimator.estimate();
        }
        return py::make_tuple(copied(found.values), copied(found.std_error),
                              found.degrees_of_freedom);
      });

  py::class_<owen::PermutationEstimator, owen::Estimator>(m, "PermutationEstimator")
      .def(py::init([](int n, std::uint64_t seed, bool antithetic, const py::object& tree) {
             return std::make_unique<owen::PermutationEstimator>(orders(n, tree), seed, antithetic);
           }),
           py::arg("n"), py::arg("seed"), py::arg("antithetic"), py::arg("tree") = py::none())
      .def_property_readonly("paired", &owen::PermutationEstimator::paired);
  m.def(
      "growing_estimator",
      [](int n, std::uint64_t seed) -> std::unique_ptr<owen::Estimator> {
        return std::make_unique<owen::PermutationEstimator>(owen::Orders::growing(n), seed, false);
      },
      py::arg("n"), py::arg("seed"));
  py::class_<owen::CyclicEstimator, owen::Estimator>(m, "CyclicEstimator")
      .def(py::init([](int n, std::uint64_t seed) {
             return std::make_unique<owen::CyclicEstimator>(owen::Orders::of(n), seed);
           }),
           py::arg("n"), py::arg("seed"));
  py::class_<owen::BanzhafEstimator, owen::Estimator>(m, "BanzhafEstimator")
      .def(py::init<int, std::uint64_t>(), py::arg("n"), py::arg("seed"));
  py::class_<owen::MyersonEstimator, owen::Estimator>(m, "MyersonEstimator")
      .def(py::init<int, std::uint64_t>(), py::arg("n"), py::arg("seed"));
  py::class_<owen::RegressionEstimator, owen::Estimator>(m, "RegressionEstimator")
      .def(py::init([](int n, std::uint64_t seed, const std::string& name) {
             return std::make_unique<owen::RegressionEstimator>(n, seed, design(name));
           }),
           py::arg("n"), py::arg("seed"), py::arg("design"))
      .def_property_readonly("paired", &owen::RegressionEstimator::paired);
}

}  // namespace owen_bind
