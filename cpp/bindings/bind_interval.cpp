#include "bind.hpp"
#include "owen/interval.hpp"

namespace owen_bind {

namespace {

using Transform = void (*)(const owen::IntervalFamily&, const double*, double*);

Array<double> apply(Transform transform, const Array<double>& v, int n, int max_width) {
  const owen::IntervalFamily family(n, max_width);
  owen::require(v.size() == static_cast<py::ssize_t>(family.size()), "intervals of ", n,
                " players up to width ", max_width, " take ", family.size(), " values, got ",
                v.size());
  Array<double> values(n);
  const double* in = v.data();
  double* out = values.mutable_data();
  py::gil_scoped_release release;
  transform(family, in, out);
  return values;
}

}  // namespace

void bind_interval(py::module_& m) {
  const auto define = [&m](const char* name, Transform transform) {
    m.def(
        name,
        [transform](const Array<double>& v, int n, int width) {
          return apply(transform, v, n, width);
        },
        py::arg("values").noconvert(), py::arg("n"), py::arg("max_width"));
  };
  define("growing_interval", owen::growing_interval);
  define("myerson_path", owen::myerson_path);
  define("window_marginals", owen::window_marginals);
}

}  // namespace owen_bind
