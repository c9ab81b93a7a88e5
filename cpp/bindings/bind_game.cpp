#include <utility>

#include "bind.hpp"
#include "owen/error.hpp"
#include "owen/game.hpp"

namespace owen_bind {

namespace {

// The name of a capsule that holds a value function is its signature, as in scipy.LowLevelCallable.
constexpr const char* kSignature = "void (uint64_t *, int64_t, int64_t, double *, void *)";

// A C function as a value function of packed coalitions. The owner is what its code and its context
// live in.
class CompiledFunction {
 public:
  CompiledFunction(std::uintptr_t address, std::uintptr_t context, bool threadsafe,
                   py::object owner)
      : function_(reinterpret_cast<owen::ValueFunction>(address)),
        context_(reinterpret_cast<void*>(context)),
        threadsafe_(threadsafe),
        owner_(std::move(owner)) {}

  Array<double> operator()(const Array<std::uint64_t>& coalitions) const {
    owen::require(coalitions.ndim() == 2, "coalitions are rows of words, got ", coalitions.ndim(),
                  " dimensions");
    Array<double> values(coalitions.shape(0));
    const std::uint64_t* in = coalitions.data();
    const auto batch = static_cast<std::size_t>(coalitions.shape(0));
    const auto words = static_cast<std::size_t>(coalitions.shape(1));
    double* out = values.mutable_data();
    const py::gil_scoped_release release;
    owen::evaluate(function_, context_, in, batch, words, out,
                   threadsafe_ ? &shared_pool() : nullptr);
    return values;
  }

 private:
  owen::ValueFunction function_;
  void* context_;
  bool threadsafe_;
  py::object owner_;
};

// The address that a capsule holds; 0 for an object that is no capsule.
std::uintptr_t capsule_address(const py::object& object) {
  if (!py::isinstance<py::capsule>(object)) return 0;
  const auto capsule = py::reinterpret_borrow<py::capsule>(object);
  const char* name = capsule.name();
  if (name != nullptr && std::string(name) != kSignature)
    throw py::type_error("the capsule is called \"" + std::string(name) + "\", expected \"" +
                         kSignature + "\"; give that of a value function");
  return reinterpret_cast<std::uintptr_t>(capsule.get_pointer<void>());
}

}  // namespace

void bind_game(py::module_& m) {
  m.def("capsule_address", &capsule_address, py::arg("object"));
  m.def(
      "are_values",
      [](const py::handle& object, std::size_t count) {
        if (!Array<double>::check_(object)) return false;
        const auto values = py::reinterpret_borrow<Array<double>>(object);
        return values.ndim() == 1 && static_cast<std::size_t>(values.size()) == count &&
               owen::all_finite(values.data(), count);
      },
      py::arg("object"), py::arg("count"));
  py::class_<CompiledFunction>(m, "CompiledFunction")
      .def(py::init<std::uintptr_t, std::uintptr_t, bool, py::object>(), py::arg("address"),
           py::arg("context"), py::arg("threadsafe"), py::arg("owner"))
      .def("__call__", &CompiledFunction::operator(), py::arg("coalitions").noconvert())
      .def("__reduce__", [](const CompiledFunction&) -> py::object {
        throw py::type_error(
            "a compiled value function is an address in this process and cannot be pickled; use "
            "threads, or give processes a Python function that compiles it on its first call");
      });
}

}  // namespace owen_bind
