#include "bind.hpp"
#include "owen/cache.hpp"

namespace owen_bind {

namespace {

void check_rows(const owen::CoalitionCache& cache, const Array<std::uint64_t>& rows) {
  owen::require(rows.ndim() == 2 && rows.shape(1) == static_cast<py::ssize_t>(cache.words()),
                "coalitions come as rows of ", cache.words(), " 64-bit words");
}

}  // namespace

void bind_cache(py::module_& m) {
  py::class_<owen::CoalitionCache>(m, "CoalitionCache")
      .def(py::init<int>(), py::arg("n"))
      .def("__len__", &owen::CoalitionCache::size)
      .def(
          "find",
          [](const owen::CoalitionCache& cache, const Array<std::uint64_t>& rows) {
            check_rows(cache, rows);
            Array<double> values(rows.shape(0));
            Array<bool> known(rows.shape(0));
            for (py::ssize_t k = 0; k < rows.shape(0); ++k) {
              values.mutable_at(k) = 0.0;
              known.mutable_at(k) = cache.find(rows.data(k, 0), values.mutable_data(k));
            }
            return py::make_tuple(values, known);
          },
          py::arg("coalitions").noconvert())
      .def(
          "put",
          [](owen::CoalitionCache& cache, const Array<std::uint64_t>& rows,
             const Array<double>& values) {
            check_rows(cache, rows);
            owen::require(values.size() == rows.shape(0),
                          "one value per coalition: ", rows.shape(0), " coalitions, ",
                          values.size(), " values");
            for (py::ssize_t k = 0; k < rows.shape(0); ++k)
              cache.put(rows.data(k, 0), values.at(k));
          },
          py::arg("coalitions").noconvert(), py::arg("values").noconvert());
}

}  // namespace owen_bind
