#include "bind.hpp"
#include "owen/graph.hpp"

namespace owen_bind {

void bind_graph(py::module_& m) {
  m.def(
      "connected_coalitions",
      [](const std::vector<std::uint64_t>& neighbours, std::size_t limit) {
        const owen::ConnectedCoalitions coalitions(neighbours, limit);
        const auto& found = coalitions.found();
        return Array<std::uint64_t>(static_cast<py::ssize_t>(found.size()), found.data());
      },
      py::arg("neighbours"), py::arg("limit"));
}

}  // namespace owen_bind
