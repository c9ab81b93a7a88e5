// Values as mean marginal contributions over random orders of the players.
//
// The unit is a block of orders: one, or one and its reverse. Blocks are independent, marginal
// contributions inside a block are not, so standard errors come from the spread of whole blocks.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include "owen/estimator.hpp"
#include "owen/moments.hpp"
#include "owen/order.hpp"

namespace owen {

class PermutationEstimator : public Estimator {
 public:
  // `antithetic`: an order and its reverse. Together they are exact for games whose players
  // interact in pairs. Where the two agree more than two unrelated orders would, pairs waste half
  // of their evaluations; this is reviewed at every checkpoint, and single orders follow.
  PermutationEstimator(Orders orders, std::uint64_t seed, bool antithetic)
      : Estimator(orders.n(), seed, 4),
        orders_(std::move(orders)),
        paired_(antithetic),
        pairs_(static_cast<std::size_t>(n_)),
        singles_(static_cast<std::size_t>(n_)),
        order_(static_cast<std::size_t>(n_)),
        forward_(static_cast<std::size_t>(n_)),
        backward_(static_cast<std::size_t>(n_)) {}

  bool paired() const { return paired_; }

  Estimate estimate() const override {
    Estimate found = nothing();
    const double pairs = static_cast<double>(pairs_.count());
    const double singles = static_cast<double>(singles_.count());
    if (pairs + singles == 0) return found;
    const double share = 2 * pairs / (2 * pairs + singles);  // of the orders
    for (std::size_t i = 0; i < found.values.size(); ++i) {
      found.values[i] = share * pairs_.mean(i) + (1 - share) * singles_.mean(i);
      double variance = 0.0;
      if (pairs > 0) variance += share * share * pairs_.variance(i) / pairs;
      if (singles > 0) variance += (1 - share) * (1 - share) * singles_.variance(i) / singles;
      found.std_error[i] = std::sqrt(variance);
    }
    found.degrees_of_freedom = std::max(pairs - 1, 0.0) + std::max(singles - 1, 0.0);
    return found;
  }

 protected:
  bool draw(Words& rows) override {
    orders_.draw(random_, order_.data());
    waiting_.push(order_);
    const auto n = static_cast<std::size_t>(n_);
    const std::size_t before = rows.size();
    rows.resize(before + (paired_ ? 2 : 1) * (n - 1) * words_);
    std::uint64_t* row = rows.data() + before;
    append_prefixes(order_.data(), row);
    if (paired_) {
      std::reverse(order_.begin(), order_.end());
      append_prefixes(order_.data(), row + (n - 1) * words_);
    }
    return true;
  }

  void take(const double* values, const std::uint64_t*) override {
    const auto n = static_cast<std::size_t>(n_);
    const std::vector<int> order = waiting_.pop(n);
    double before = empty_;
    for (std::size_t k = 0; k < n; ++k) {
      const double after = k + 1 < n ? values[k] : grand_;
      forward_[static_cast<std::size_t>(order[k])] = after - before;
      before = after;
    }
    if (!paired_) {
      singles_.add(forward_.data());
    } else {
      values += n - 1;
      before = empty_;
      for (std::size_t k = 0; k < n; ++k) {
        const double after = k + 1 < n ? values[k] : grand_;
        backward_[static_cast<std::size_t>(order[n - 1 - k])] = after - before;
        before = after;
      }
      for (std::size_t i = 0; i < n; ++i) {
        const double half = (forward_[i] - backward_[i]) / 2;
        disagreement_ += half * half;
        forward_[i] -= half;
      }
      pairs_.add(forward_.data());
    }
  }

  // The mean of a pair has the variance s^2 (1 + r) / 2 and half its difference s^2 (1 - r) / 2,
  // so pairs are worse than single orders where the first is larger: r > 0.
  void review() override {
    if (!paired_ || pairs_.count() < kPairsToJudge) return;
    double variance = 0.0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(n_); ++i) variance += pairs_.variance(i);
    if (variance > disagreement_ / static_cast<double>(pairs_.count())) paired_ = false;
  }

 private:
  static constexpr std::size_t kPairsToJudge = 8;

  void append_prefixes(const int* order, std::uint64_t* row) const {
    const auto n = static_cast<std::size_t>(n_);
    if (words_ == 1) {
      std::uint64_t prefix = 0;
      for (std::size_t k = 0; k + 1 < n; ++k) row[k] = prefix |= std::uint64_t{1} << order[k];
      return;
    }
    std::fill(row, row + words_, 0);
    set(row, order[0]);
    for (std::size_t k = 1; k + 1 < n; ++k, row += words_) {
      std::copy(row, row + words_, row + words_);
      set(row + words_, order[k]);
    }
  }

  Orders orders_;
  bool paired_;
  Moments pairs_;
  Moments singles_;
  double disagreement_ = 0.0;  // sum of squares of half the difference within pairs
  OrderQueue waiting_;
  std::vector<int> order_;
  std::vector<double> forward_;
  std::vector<double> backward_;
};

}  // namespace owen
