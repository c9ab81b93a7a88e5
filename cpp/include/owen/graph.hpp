// Connected coalitions of a graph of up to 64 players.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "owen/error.hpp"

namespace owen {

// Lists every connected coalition once: from each player in turn, coalitions that hold it and no
// earlier player grow by one neighbour at a time, and a neighbour that was passed over stays out.
class ConnectedCoalitions {
 public:
  ConnectedCoalitions(std::vector<std::uint64_t> neighbours, std::size_t limit)
      : neighbours_(std::move(neighbours)), limit_(limit) {
    require(neighbours_.size() <= 64, "a graph game has at most 64 players, got ",
            neighbours_.size());
    std::uint64_t earlier = 0;
    for (std::size_t player = 0; player < neighbours_.size(); ++player) {
      const std::uint64_t self = std::uint64_t{1} << player;
      earlier |= self;
      grow(self, neighbours_[player] & ~earlier, earlier);
    }
  }

  const std::vector<std::uint64_t>& found() const { return found_; }

 private:
  void grow(std::uint64_t coalition, std::uint64_t border, std::uint64_t excluded) {
    require(found_.size() < limit_, "the graph has more than ", limit_,
            " connected coalitions, and the Myerson value needs the value of each");
    found_.push_back(coalition);
    while (border) {
      const std::uint64_t next = border & (~border + 1);
      const int player = __builtin_ctzll(border);
      border ^= next;
      excluded |= next;
      const std::uint64_t fresh = neighbours_[static_cast<std::size_t>(player)] & ~excluded;
      grow(coalition | next, border | fresh, excluded);
    }
  }

  std::vector<std::uint64_t> neighbours_;
  std::size_t limit_;
  std::vector<std::uint64_t> found_;
};

}  // namespace owen
