// Random orders of the players: all orders, those that keep every union together, and those in
// which every prefix is an interval.
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>
#include <vector>

#include "owen/error.hpp"
#include "owen/random.hpp"

namespace owen {

// A player, or a union of parts.
struct Part {
  int player = -1;
  std::vector<Part> parts;
};

class Orders {
 public:
  // All n! orders.
  static Orders of(int n) {
    std::vector<Part> players(static_cast<std::size_t>(n));
    for (int i = 0; i < n; ++i) players[static_cast<std::size_t>(i)].player = i;
    return Orders(n, {-1, std::move(players)}, false);
  }

  // Those that keep every union together (Owen 1977), and the unions inside it (Winter 1989).
  static Orders within(int n, Part root) {
    std::vector<int> players;
    collect(root, players);
    std::sort(players.begin(), players.end());
    bool whole = static_cast<int>(players.size()) == n;
    for (int i = 0; whole && i < n; ++i) whole = players[static_cast<std::size_t>(i)] == i;
    require(whole, "the unions must hold each of the ", n, " players once");
    return Orders(n, std::move(root), false);
  }

  // Those of the growing-interval value: a uniform first player, then one step at a time towards
  // an absent player drawn uniformly.
  static Orders growing(int n) { return Orders(n, {}, true); }

  int n() const { return n_; }

  // Writes one order, (n,).
  void draw(Random& random, int* order) const {
    if (growing_)
      grow(random, order);
    else
      place(root_, random, order);
  }

 private:
  Orders(int n, Part root, bool growing) : n_(n), root_(std::move(root)), growing_(growing) {}

  static void collect(const Part& part, std::vector<int>& players) {
    if (part.parts.empty()) players.push_back(part.player);
    for (const Part& inner : part.parts) collect(inner, players);
  }

  // The parts of a union in random order, one after the other. Every draw starts from the parts as
  // they were given, so that the generator is the whole state.
  static int* place(const Part& part, Random& random, int* order) {
    const std::size_t size = part.parts.size();
    std::vector<std::uint32_t> at(size);
    std::iota(at.begin(), at.end(), 0u);
    random.shuffle(at.data(), size, size);
    for (const std::uint32_t k : at) {
      const Part& inner = part.parts[k];
      if (inner.parts.empty())
        *order++ = inner.player;
      else
        order = place(inner, random, order);
    }
    return order;
  }

  void grow(Random& random, int* order) const {
    int first = static_cast<int>(random.below(static_cast<std::uint32_t>(n_)));
    int last = first;
    *order++ = first;
    while (last - first + 1 < n_) {
      const auto absent = static_cast<std::uint32_t>(n_ - (last - first + 1));
      const bool left = random.below(absent) < static_cast<std::uint32_t>(first);
      *order++ = left ? --first : ++last;
    }
  }

  int n_;
  Part root_;
  bool growing_;
};

// Orders that were drawn and wait for the values of their coalitions, first in, first out.
class OrderQueue {
 public:
  void push(const std::vector<int>& order) {
    players_.insert(players_.end(), order.begin(), order.end());
  }

  std::vector<int> pop(std::size_t n) {
    const auto first = players_.begin() + static_cast<std::ptrdiff_t>(taken_);
    std::vector<int> order(first, first + static_cast<std::ptrdiff_t>(n));
    taken_ += n;
    if (taken_ == players_.size()) {
      players_.clear();
      taken_ = 0;
    }
    return order;
  }

 private:
  std::vector<int> players_;
  std::size_t taken_ = 0;  // how many of them were popped
};

}  // namespace owen
