// The compiled core, one bind_* per concept.
#include "bind.hpp"

PYBIND11_MODULE(_core, m) {
  m.doc() = "Compiled core of owen_core.";
  owen_bind::bind_coalition(m);
  owen_bind::bind_game(m);
  owen_bind::bind_table(m);
  owen_bind::bind_interval(m);
  owen_bind::bind_cache(m);
  owen_bind::bind_rank(m);
  owen_bind::bind_graph(m);
  owen_bind::bind_tree(m);
  owen_bind::bind_estimator(m);
}
