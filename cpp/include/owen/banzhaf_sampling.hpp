// The Banzhaf value from coalitions drawn uniformly: every value serves every player (maximum
// sample reuse, Wang & Jia 2023).
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

#include "owen/estimator.hpp"

namespace owen {

// A credit is the mean of v(S) where the player is in S less the mean where it is not; the
// coalitions are independent, so the variances of the two means add.
class BanzhafEstimator : public Estimator {
 public:
  BanzhafEstimator(int n, std::uint64_t seed)
      : Estimator(n, seed, 16),
        inside_(static_cast<std::size_t>(n)),
        outside_(static_cast<std::size_t>(n)) {}

  Estimate estimate() const override {
    Estimate found = nothing();
    for (std::size_t i = 0; i < inside_.size(); ++i) {
      found.values[i] = inside_[i].mean - outside_[i].mean;
      found.std_error[i] =
          std::sqrt(inside_[i].variance_of_mean() + outside_[i].variance_of_mean());
    }
    found.degrees_of_freedom = static_cast<double>(units()) - 2;
    return found;
  }

 protected:
  bool draw(Words& rows) override {
    for (std::size_t word = 0; word + 1 < words_; ++word) rows.push_back(random_.next());
    const int rest = n_ - 64 * static_cast<int>(words_ - 1);
    rows.push_back(random_.next() >> (64 - rest));
    return true;
  }

  void take(const double* value, const std::uint64_t* row) override {
    for (std::size_t i = 0; i < inside_.size(); ++i)
      ((row[i / 64] >> (i % 64) & 1) ? inside_ : outside_)[i].add(*value);
  }

 private:
  struct Mean {
    double count = 0.0;
    double mean = 0.0;
    double squares = 0.0;

    void add(double x) {
      count += 1.0;
      const double step = x - mean;
      mean += step / count;
      squares += step * (x - mean);
    }
    // NaN of fewer than two numbers.
    double variance_of_mean() const { return squares / ((count - 1) * count); }
  };

  std::vector<Mean> inside_;
  std::vector<Mean> outside_;
};

}  // namespace owen
