#include <string>
#include <utility>

#include "bind.hpp"
#include "owen/tree.hpp"

namespace owen_bind {

namespace {

// A tree comes as nested lists of player numbers.
owen::Node parse(const py::handle& part) {
  if (py::isinstance<py::int_>(part)) return owen::make_leaf(part.cast<int>());
  std::vector<owen::Node> children;
  for (const py::handle child : part) children.push_back(parse(child));
  return owen::make_node(std::move(children));
}

owen::Semivalue semivalue(const std::string& name) {
  owen::require(name == "shapley" || name == "banzhaf", "no weights are called ", name);
  return name == "shapley" ? owen::shapley_weights : owen::banzhaf_weights;
}

class Tree {
 public:
  Tree(const py::object& root, int n) : root_(parse(root)), n_(n) {}

  std::size_t size() const { return root_.interior + 2; }

  // All coalitions, (size, words): empty, the interior of the root, complete.
  Array<std::uint64_t> rows() const {
    const std::size_t words = (static_cast<std::size_t>(n_) + 63) / 64;
    Array<std::uint64_t> rows({static_cast<py::ssize_t>(size()), static_cast<py::ssize_t>(words)});
    std::uint64_t* out = rows.mutable_data();
    const owen::Row none(words, 0);
    owen::Row all = none;
    owen::add_players(root_, all);
    py::gil_scoped_release release;
    out = std::copy(none.begin(), none.end(), out);
    out = owen::write_interior(root_, none, out);
    std::copy(all.begin(), all.end(), out);
    return rows;
  }

  Array<double> combine(const Array<double>& v, const std::string& among,
                        const std::string& within) const {
    owen::require(v.size() == static_cast<py::ssize_t>(size()), "the tree has ", size(),
                  " coalitions, got ", v.size(), " values");
    Array<double> credits(n_);
    const double* in = v.data();
    double* out = credits.mutable_data();
    const owen::Semivalue here = semivalue(among), below = semivalue(within);
    py::gil_scoped_release release;
    owen::tree_values(root_, in + 1, in[0], in[v.size() - 1], here, below, out);
    return credits;
  }

 private:
  owen::Node root_;
  int n_;
};

}  // namespace

void bind_tree(py::module_& m) {
  py::class_<Tree>(m, "Tree")
      .def(py::init<const py::object&, int>(), py::arg("root"), py::arg("n"))
      .def("__len__", &Tree::size)
      .def("rows", &Tree::rows)
      .def("combine", &Tree::combine, py::arg("values").noconvert(), py::arg("among"),
           py::arg("within"));
}

}  // namespace owen_bind
