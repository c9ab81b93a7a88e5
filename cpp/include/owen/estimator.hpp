// Estimators ask for coalitions and are told their values; they never call the game themselves.
//
// Coalitions come in *units*: the smallest sets whose values are worth something together, such as
// the prefixes of an order and of its reverse. Units are independent of each other, and they are
// drawn one after the other from one generator, so an estimate depends on the seed and on how many
// units were absorbed, and on nothing else. An estimator reviews its own course, and may be asked
// whether it is good enough, at *checkpoints*, after numbers of units that are fixed in advance.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "owen/error.hpp"
#include "owen/moments.hpp"
#include "owen/random.hpp"

namespace owen {

using Words = std::vector<std::uint64_t>;

struct Estimate {
  std::vector<double> values;
  std::vector<double> std_error;  // NaN where there is no honest one yet
  double degrees_of_freedom;      // of the standard errors
};

class Estimator {
 public:
  Estimator(int n, std::uint64_t seed, std::size_t first_checkpoint)
      : n_(n),
        words_((static_cast<std::size_t>(n) + 63) / 64),
        random_(seed),
        checkpoint_(first_checkpoint) {
    require(n >= 2, "an estimator needs at least two players, got ", n);
  }
  virtual ~Estimator() = default;

  int n() const { return n_; }
  std::size_t words() const { return words_; }
  std::size_t units() const { return absorbed_; }
  bool at_checkpoint() const { return !ends_due_ && absorbed_ == reviewed_; }
  // Whether every coalition that could tell more has been absorbed.
  bool exhausted() const { return exhausted_ && waiting_.empty(); }

  // The coalitions that come next: whole units up to the next checkpoint, at least one of them, of
  // no more than `limit` coalitions if they can be so few. Very first come the empty and the grand
  // coalition, a unit of their own. What is not absorbed is proposed again.
  const Words& propose(std::size_t limit) {
    if (ends_due_ && waiting_.empty()) {
      drawn_.assign(2 * words_, 0);
      for (int i = 0; i < n_; ++i) set(drawn_.data() + words_, i);
      waiting_.push_back(2);
    }
    std::size_t rows = drawn_.size() / words_;
    while (!ends_due_ && !exhausted_ && absorbed_ + waiting_.size() < checkpoint_ &&
           (rows < limit || waiting_.empty())) {
      if (!draw(drawn_)) {
        exhausted_ = true;
        break;
      }
      waiting_.push_back(drawn_.size() / words_ - rows);
      rows = drawn_.size() / words_;
    }
    return drawn_;
  }

  // How many coalitions each proposed unit has.
  const std::vector<std::size_t>& unit_rows() const { return waiting_; }

  // Takes the values of the first `units` proposed units.
  void absorb(const double* values, std::size_t units) {
    require(units <= waiting_.size(), "values of ", units, " units, and ", waiting_.size(),
            " were proposed");
    std::size_t rows = 0;
    for (std::size_t unit = 0; unit < units; ++unit) {
      if (ends_due_) {
        empty_ = values[0];
        grand_ = values[1];
        ends_due_ = false;
      } else {
        take(values + rows, drawn_.data() + rows * words_);
        ++absorbed_;
      }
      rows += waiting_[unit];
    }
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(units));
    drawn_.erase(drawn_.begin(), drawn_.begin() + static_cast<std::ptrdiff_t>(rows * words_));
    if (absorbed_ == checkpoint_ || exhausted()) {
      reviewed_ = absorbed_;
      checkpoint_ = std::max(checkpoint_ + 1, checkpoint_ + checkpoint_ / 2);
      review();
    }
  }

  virtual Estimate estimate() const = 0;

 protected:
  // Appends the next unit; false when there is none left.
  virtual bool draw(Words& rows) = 0;
  // The values of the oldest unit that was drawn and not taken yet, and its coalitions.
  virtual void take(const double* values, const std::uint64_t* rows) = 0;
  // Called at checkpoints, where nothing waits for its values.
  virtual void review() {}
  std::size_t units_to_checkpoint() const { return checkpoint_ - absorbed_; }

  static void set(std::uint64_t* row, int player) {
    row[player / 64] |= std::uint64_t{1} << (player % 64);
  }

  // An estimate that knows nothing yet.
  Estimate nothing() const {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const auto n = static_cast<std::size_t>(n_);
    return {std::vector<double>(n, nan), std::vector<double>(n, nan), 0.0};
  }

  // The mean of units, with the standard error of a mean.
  Estimate mean_of(const Moments& units) const {
    Estimate found = nothing();
    if (units.count() == 0) return found;
    const auto count = static_cast<double>(units.count());
    for (std::size_t i = 0; i < found.values.size(); ++i) {
      found.values[i] = units.mean(i);
      found.std_error[i] = std::sqrt(units.variance(i) / count);
    }
    found.degrees_of_freedom = count - 1;
    return found;
  }

  int n_;
  std::size_t words_;
  Random random_;
  double empty_ = 0.0;
  double grand_ = 0.0;

 private:
  bool ends_due_ = true;
  bool exhausted_ = false;
  std::size_t absorbed_ = 0;
  std::size_t reviewed_ = 0;
  std::size_t checkpoint_;
  Words drawn_;                       // the coalitions of the units that wait for values
  std::vector<std::size_t> waiting_;  // how many each of them has
};

}  // namespace owen
