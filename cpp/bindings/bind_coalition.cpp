#include "bind.hpp"
#include "owen/coalition.hpp"
#include "owen/error.hpp"

namespace owen_bind {

namespace {

// Whether this is a contiguous array of packed coalitions of n players.
bool are_packed(const py::handle& object, std::size_t n) {
  if (!Array<std::uint64_t>::check_(object)) return false;
  const auto rows = py::reinterpret_borrow<Array<std::uint64_t>>(object);
  return rows.ndim() == 2 && static_cast<std::size_t>(rows.shape(1)) == owen::words_for(n);
}

}  // namespace

void bind_coalition(py::module_& m) {
  m.def("are_packed", &are_packed, py::arg("object"), py::arg("n"));
  m.def(
      "read_only",
      [](const py::array& rows) {
        const auto& numpy = py::detail::npy_api::get();
        auto view =
            py::reinterpret_steal<py::array>(numpy.PyArray_View_(rows.ptr(), nullptr, nullptr));
        py::detail::array_proxy(view.ptr())->flags &= ~numpy.NPY_ARRAY_WRITEABLE_;
        return view;
      },
      py::arg("rows"));
  m.def(
      "pack",
      [](const Array<bool>& coalitions) {
        owen::require(coalitions.ndim() == 2, "coalitions are rows, got ", coalitions.ndim(),
                      " dimensions");
        const auto rows = static_cast<std::size_t>(coalitions.shape(0));
        const auto n = static_cast<std::size_t>(coalitions.shape(1));
        Array<std::uint64_t> packed({rows, owen::words_for(n)});
        owen::pack(reinterpret_cast<const std::uint8_t*>(coalitions.data()), rows, n,
                   packed.mutable_data());
        return packed;
      },
      py::arg("coalitions").noconvert());
  m.def(
      "unpack",
      [](const Array<std::uint64_t>& packed, std::size_t n) {
        owen::require(are_packed(packed, n), "coalitions of ", n, " players are rows of ",
                      owen::words_for(n), " words");
        const auto rows = static_cast<std::size_t>(packed.shape(0));
        Array<bool> coalitions({rows, n});
        owen::unpack(packed.data(), rows, n,
                     reinterpret_cast<std::uint8_t*>(coalitions.mutable_data()));
        return coalitions;
      },
      py::arg("packed").noconvert(), py::arg("n"));
}

}  // namespace owen_bind
