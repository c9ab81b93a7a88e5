// The Shapley value from whole circles of coalitions.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "owen/estimator.hpp"
#include "owen/moments.hpp"
#include "owen/order.hpp"

namespace owen {

// All n rotations of an order, in both directions: every player stands once at every position in
// each direction, so what depends on the size of a coalition alone cancels. The prefixes are the
// n (n - 1) arcs of a circle, and every arc serves both directions.
class CyclicEstimator : public Estimator {
 public:
  CyclicEstimator(Orders orders, std::uint64_t seed)
      : Estimator(orders.n(), seed, 4),
        orders_(std::move(orders)),
        circles_(static_cast<std::size_t>(n_)),
        order_(static_cast<std::size_t>(n_)),
        mean_(static_cast<std::size_t>(n_)) {}

  Estimate estimate() const override { return mean_of(circles_); }

 protected:
  // Arcs of length 1, then 2, ..., n - 1; of each length those that start at place 0, 1, ...
  bool draw(Words& rows) override {
    orders_.draw(random_, order_.data());
    waiting_.push(order_);
    const auto n = static_cast<std::size_t>(n_);
    const std::size_t before = rows.size();
    rows.resize(before + n * (n - 1) * words_);
    std::uint64_t* row = rows.data() + before;
    for (std::size_t start = 0; start < n; ++start) set(row + start * words_, order_[start]);
    for (std::size_t length = 2; length < n; ++length) {
      std::copy(row, row + n * words_, row + n * words_);
      row += n * words_;
      for (std::size_t start = 0; start < n; ++start)
        set(row + start * words_, order_[(start + length - 1) % n]);
    }
    return true;
  }

  void take(const double* values, const std::uint64_t*) override {
    const auto n = static_cast<std::size_t>(n_);
    const std::vector<int> order = waiting_.pop(n);
    const auto arc = [&](std::size_t length, std::size_t start) {
      if (length == 0) return empty_;
      return length == n ? grand_ : values[(length - 1) * n + start % n];
    };
    std::fill(mean_.begin(), mean_.end(), 0.0);
    for (std::size_t length = 0; length < n; ++length)
      for (std::size_t start = 0; start < n; ++start) {
        const double before = arc(length, start);
        mean_[static_cast<std::size_t>(order[(start + length) % n])] +=
            arc(length + 1, start) - before;
        mean_[static_cast<std::size_t>(order[(start + n - 1) % n])] +=
            arc(length + 1, start + n - 1) - before;
      }
    for (double& sum : mean_) sum /= 2.0 * static_cast<double>(n);
    circles_.add(mean_.data());
  }

 private:
  Orders orders_;
  Moments circles_;
  OrderQueue waiting_;
  std::vector<int> order_;
  std::vector<double> mean_;
};

}  // namespace owen
