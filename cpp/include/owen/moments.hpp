// Mean and variance of independent vectors as they arrive (Welford 1962).
#pragma once

#include <cstddef>
#include <vector>

namespace owen {

class Moments {
 public:
  explicit Moments(std::size_t n) : mean_(n, 0.0), squares_(n, 0.0) {}

  void add(const double* x) {
    ++count_;
    const double share = 1.0 / static_cast<double>(count_);
    for (std::size_t i = 0; i < mean_.size(); ++i) {
      const double step = x[i] - mean_[i];
      mean_[i] += step * share;
      squares_[i] += step * (x[i] - mean_[i]);
    }
  }

  std::size_t count() const { return count_; }
  double mean(std::size_t i) const { return mean_[i]; }
  // Of one vector; it takes two of them.
  double variance(std::size_t i) const { return squares_[i] / static_cast<double>(count_ - 1); }

 private:
  std::size_t count_ = 0;
  std::vector<double> mean_;
  std::vector<double> squares_;  // sums of squared deviations from the mean
};

}  // namespace owen
