// Values of games with a coalition structure: unions, and unions of unions.
//
// The players are the leaves of a tree, and a coalition makes sense if at every node on its border
// only one child is partly present. A node's *interior* lists the coalitions of its players that
// are neither empty nor complete:
//
//   1. the subsets of its children, each child whole or absent (2^c - 2 of them), then
//   2. for each child that is not a leaf, for each subset H of its siblings: H with every
//      coalition of the child's own interior.
//
// A value is computed from the root down. To hand a child its game, the contexts H of its siblings
// are averaged away with the weights of a semivalue of the quotient game; in the child's game the
// same is done again, and a leaf's credit is its semivalue in the quotient game of its parent.
// Shapley weights everywhere give the Owen value (Owen 1977) and, deeper, the Winter value (1989).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "owen/error.hpp"
#include "owen/table.hpp"

namespace owen {

constexpr int kMaxBranching = 24;
constexpr std::size_t kMaxTreeCoalitions = std::size_t{1} << 26;  // their values take 512 MiB

struct Node {
  std::vector<Node> children;  // none: a leaf
  int player = -1;             // of a leaf
  std::size_t interior = 0;    // coalitions that are neither empty nor complete

  bool leaf() const { return children.empty(); }
  std::size_t contexts() const { return std::size_t{1} << (children.size() - 1); }
};

inline Node make_leaf(int player) {
  Node node;
  node.player = player;
  return node;
}

inline Node make_node(std::vector<Node> children) {
  require(!children.empty(), "a union is empty");
  require(children.size() <= kMaxBranching, "a union has at most ", kMaxBranching,
          " parts, because every subset of them is evaluated; got ", children.size(),
          ": group them into unions of unions");
  Node node;
  node.children = std::move(children);
  node.interior = (std::size_t{1} << node.children.size()) - 2;
  for (const Node& child : node.children) {
    require(child.interior <= kMaxTreeCoalitions / node.contexts(), "the unions admit more than ",
            kMaxTreeCoalitions, " coalitions: use smaller unions, or more levels of them");
    node.interior += node.contexts() * child.interior;
  }
  require(node.interior <= kMaxTreeCoalitions, "the unions admit ", node.interior + 2,
          " coalitions, and the limit is ", kMaxTreeCoalitions,
          ": use smaller unions, or more levels of them");
  return node;
}

// Subset number h of the siblings of child j, as a subset of all children.
inline std::size_t beside(std::size_t h, std::size_t j) {
  const std::size_t below = (std::size_t{1} << j) - 1;
  return (h & below) | ((h & ~below) << 1);
}

using Row = std::vector<std::uint64_t>;  // a coalition: bit i of the words = player i

inline void add_players(const Node& node, Row& row) {
  if (node.leaf())
    row[static_cast<std::size_t>(node.player) / 64] |= std::uint64_t{1} << (node.player % 64);
  for (const Node& child : node.children) add_players(child, row);
}

inline Row add_chosen(const Node& node, std::size_t chosen, Row row) {
  for (std::size_t j = 0; j < node.children.size(); ++j)
    if (chosen >> j & 1) add_players(node.children[j], row);
  return row;
}

// Writes the interior of a node, each coalition joined with `context`; returns the end.
inline std::uint64_t* write_interior(const Node& node, const Row& context, std::uint64_t* out) {
  const std::size_t whole = (std::size_t{1} << node.children.size()) - 1;
  for (std::size_t chosen = 1; chosen < whole; ++chosen) {
    const Row row = add_chosen(node, chosen, context);
    out = std::copy(row.begin(), row.end(), out);
  }
  for (std::size_t j = 0; j < node.children.size(); ++j) {
    if (node.children[j].leaf()) continue;
    for (std::size_t h = 0; h < node.contexts(); ++h)
      out = write_interior(node.children[j], add_chosen(node, beside(h, j), context), out);
  }
  return out;
}

// Weights of a semivalue among `parts` players, one per size of a coalition of the others.
using Semivalue = std::vector<double> (*)(int parts);

// Credits of all leaves below `node`, from the values of its interior and of its empty and its
// complete coalition. `here` weighs the parts of this node, `below` those of the nodes under it.
inline void tree_values(const Node& node, const double* interior, double none, double all,
                        Semivalue here, Semivalue below, double* credits) {
  const std::size_t parts = node.children.size();
  const std::size_t subsets = std::size_t{1} << parts;
  std::vector<double> quotient(subsets);
  quotient.front() = none;
  quotient.back() = all;
  for (std::size_t s = 1; s + 1 < subsets; ++s) quotient[s] = interior[s - 1];
  const std::vector<double> weights = here(static_cast<int>(parts));
  std::vector<double> shares(parts);
  fold_table(quotient.data(), static_cast<int>(parts), weights.data(), shares.data());

  const double* block = interior + (subsets - 2);
  for (std::size_t j = 0; j < parts; ++j) {
    const Node& child = node.children[j];
    if (child.leaf()) {
      credits[child.player] = shares[j];
      continue;
    }
    std::vector<double> game(child.interior, 0.0);
    double child_none = 0.0, child_all = 0.0;
    for (std::size_t h = 0; h < node.contexts(); ++h) {
      const std::size_t context = beside(h, j);
      const double weight = weights[static_cast<std::size_t>(popcount(h))];
      child_none += weight * quotient[context];
      child_all += weight * quotient[context | (std::size_t{1} << j)];
      for (std::size_t k = 0; k < child.interior; ++k) game[k] += weight * block[k];
      block += child.interior;
    }
    tree_values(child, game.data(), child_none, child_all, below, below, credits);
  }
}

}  // namespace owen
