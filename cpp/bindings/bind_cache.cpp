#include <mutex>

#include "bind.hpp"
#include "owen/cache.hpp"
#include "owen/coalition_index.hpp"

namespace owen_bind {

namespace {

// A table that threads may share: they work on it one at a time, without the GIL.
template <typename Table>
class Shared {
 public:
  explicit Shared(int n) : table_(n) {}

  std::size_t words() const { return table_.words(); }  // never changes

  // The words of rows that are coalitions of this table.
  const std::uint64_t* checked(const Array<std::uint64_t>& rows) const {
    owen::require(rows.ndim() == 2 && rows.shape(1) == static_cast<py::ssize_t>(words()),
                  "coalitions come as rows of ", words(), " 64-bit words");
    return rows.data();
  }

  template <typename Work>
  auto alone(Work work) {
    const py::gil_scoped_release release;
    const std::lock_guard<std::mutex> lock(mutex_);
    return work(table_);
  }

 private:
  Table table_;
  std::mutex mutex_;
};

using Index = Shared<owen::CoalitionIndex>;
using Cache = Shared<owen::CoalitionCache>;

// Binds a method that numbers rows.
template <typename Method>
auto numbering(Method method) {
  return [method](Index& index, const Array<std::uint64_t>& rows) {
    const std::uint64_t* in = index.checked(rows);
    Array<std::int64_t> ids(rows.shape(0));
    std::int64_t* out = ids.mutable_data();
    const auto count = static_cast<std::size_t>(ids.size());
    index.alone([&](owen::CoalitionIndex& table) { (table.*method)(in, count, out); });
    return ids;
  };
}

// Binds a method that takes a number of coalitions.
template <typename Method>
auto sizing(Method method) {
  return [method](Index& index, std::size_t size) {
    index.alone([&](owen::CoalitionIndex& table) { (table.*method)(size); });
  };
}

// Binds a method that returns a number.
template <typename Table, typename Number>
auto counting(Number (Table::*method)() const) {
  return [method](Shared<Table>& shared) {
    return shared.alone([&](const Table& table) { return (table.*method)(); });
  };
}

Array<std::uint64_t> rows(Index& index, std::size_t start, std::size_t stop) {
  const auto found = index.alone([&](const owen::CoalitionIndex& table) {
    owen::require(start <= stop && stop <= table.size(), "coalitions ", start, " to ", stop,
                  " were asked for, and there are ", table.size());
    return std::vector<std::uint64_t>(table.row(start), table.row(stop));
  });
  return Array<std::uint64_t>({stop - start, index.words()}, found.data());
}

}  // namespace

void bind_cache(py::module_& m) {
  py::class_<Index>(m, "CoalitionIndex")
      .def(py::init<int>(), py::arg("n"))
      .def("__len__", counting(&owen::CoalitionIndex::size))
      .def("claim", numbering(&owen::CoalitionIndex::claim), py::arg("coalitions").noconvert())
      .def("find", numbering(&owen::CoalitionIndex::find), py::arg("coalitions").noconvert())
      .def("rows", &rows, py::arg("start"), py::arg("stop"))
      .def("truncate", sizing(&owen::CoalitionIndex::truncate), py::arg("size"))
      .def("reserve", sizing(&owen::CoalitionIndex::reserve), py::arg("size"));

  py::class_<Cache>(m, "CoalitionCache")
      .def(py::init<int>(), py::arg("n"))
      .def("__len__", counting(&owen::CoalitionCache::size))
      .def(
          "find",
          [](Cache& cache, const Array<std::uint64_t>& rows) {
            const std::uint64_t* in = cache.checked(rows);
            Array<double> values(rows.shape(0));
            Array<bool> known(rows.shape(0));
            double* found = values.mutable_data();
            bool* there = known.mutable_data();
            const auto count = static_cast<std::size_t>(values.size());
            cache.alone([&](owen::CoalitionCache& table) { table.find(in, count, found, there); });
            return py::make_tuple(values, known);
          },
          py::arg("coalitions").noconvert())
      .def(
          "put",
          [](Cache& cache, const Array<std::uint64_t>& rows, const Array<double>& values) {
            const std::uint64_t* in = cache.checked(rows);
            owen::require(values.size() == rows.shape(0),
                          "one value per coalition: ", rows.shape(0), " coalitions, ",
                          values.size(), " values");
            const double* paid = values.data();
            const auto count = static_cast<std::size_t>(values.size());
            cache.alone([&](owen::CoalitionCache& table) { table.put(in, count, paid); });
          },
          py::arg("coalitions").noconvert(), py::arg("values").noconvert());
}

}  // namespace owen_bind
