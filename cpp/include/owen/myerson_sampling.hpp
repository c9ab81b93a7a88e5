// The Myerson value on a path from random orders of arrival.
//
// A player who arrives joins the run of those present at its left to the run at its right. Its
// marginal contribution in the run-sum game is v(joined run) - v(left run) - v(right run), counted
// from v(empty), so an order takes one interval for each player.
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

#include "owen/estimator.hpp"
#include "owen/moments.hpp"
#include "owen/order.hpp"

namespace owen {

// The unit is an order and its reverse, as in PermutationEstimator.
class MyersonEstimator : public Estimator {
 public:
  MyersonEstimator(int n, std::uint64_t seed)
      : Estimator(n, seed, 4), pairs_(static_cast<std::size_t>(n)) {}

  Estimate estimate() const override { return mean_of(pairs_); }

 protected:
  bool draw(Words& rows) override {
    const auto n = static_cast<std::size_t>(n_);
    std::vector<int> order(n);
    std::iota(order.begin(), order.end(), 0);
    random_.shuffle(order.data(), n, n);
    waiting_.push(order);
    for (int direction = 0; direction < 2; ++direction) {
      arrive(order, [&](std::size_t, int first, int last) {
        rows.resize(rows.size() + words_);
        for (int i = first; i <= last; ++i) set(rows.data() + rows.size() - words_, i);
      });
      std::reverse(order.begin(), order.end());
    }
    return true;
  }

  void take(const double* values, const std::uint64_t*) override {
    const auto n = static_cast<std::size_t>(n_);
    std::vector<int> order = waiting_.pop(n);
    std::vector<double> mean(n, 0.0);
    std::vector<double> run(n);  // the worth of a run, at both of its ends
    for (int direction = 0; direction < 2; ++direction) {
      arrive(order, [&](std::size_t k, int first, int last) {
        const int player = order[k];
        const double worth = values[k] - empty_;
        double marginal = worth;
        if (first < player) marginal -= run[static_cast<std::size_t>(player - 1)];
        if (player < last) marginal -= run[static_cast<std::size_t>(player + 1)];
        run[static_cast<std::size_t>(first)] = run[static_cast<std::size_t>(last)] = worth;
        mean[static_cast<std::size_t>(player)] += marginal / 2;
      });
      values += n;
      std::reverse(order.begin(), order.end());
    }
    pairs_.add(mean.data());
  }

 private:
  // Calls joined(k, first, last) with the run that the k-th player of the order completes.
  template <typename Joined>
  void arrive(const std::vector<int>& order, Joined joined) const {
    std::vector<int> other_end(order.size(), -1);  // of the run of which this player is one end
    for (std::size_t k = 0; k < order.size(); ++k) {
      const int player = order[k];
      int first = player;
      int last = player;
      if (player > 0 && other_end[static_cast<std::size_t>(player - 1)] >= 0)
        first = other_end[static_cast<std::size_t>(player - 1)];
      if (player + 1 < n_ && other_end[static_cast<std::size_t>(player + 1)] >= 0)
        last = other_end[static_cast<std::size_t>(player + 1)];
      other_end[static_cast<std::size_t>(player)] = player;
      other_end[static_cast<std::size_t>(first)] = last;
      other_end[static_cast<std::size_t>(last)] = first;
      joined(k, first, last);
    }
  }

  Moments pairs_;
  OrderQueue waiting_;
};

}  // namespace owen
