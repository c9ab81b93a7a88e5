// The Shapley value from a sample of coalitions of every size, by regression.
//
// The unit is a coalition, or a pair of a coalition and its complement.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "owen/coalition_index.hpp"
#include "owen/estimator.hpp"
#include "owen/size_regression.hpp"

namespace owen {

struct RegressionDesign {
  enum class Pairs { never, always, while_useful };
  enum class Ranges { none, one, narrow };        // of sizes that share a line; none: no lines
  enum class Sizes { kernel, uniform, optimal };  // how often each size is drawn

  Pairs pairs;
  Ranges ranges;
  Sizes sizes;
  bool levels;    // a level for every size; without them the line goes through v(empty) and v(N)
  bool distinct;  // never draw a coalition twice
};

class RegressionEstimator : public Estimator {
 public:
  RegressionEstimator(int n, std::uint64_t seed, RegressionDesign design)
      : Estimator(n, seed, 2 * static_cast<std::size_t>(n)),
        design_(design),
        paired_(design.pairs != RegressionDesign::Pairs::never),
        strata_(static_cast<std::size_t>(n)),
        drawn_(static_cast<std::size_t>(n), 0),
        spread_(static_cast<std::size_t>(n), 1.0),
        seen_(n),
        players_(static_cast<std::size_t>(n)) {
    std::iota(players_.begin(), players_.end(), 0);
    plan();
  }

  bool paired() const { return paired_; }

  Estimate estimate() const override {
    Estimate found = nothing();
    if (units() == 0) return found;
    std::vector<SizeSample> samples = this->samples();
    std::vector<Spread> spread(samples.size());
    const SizeRegression regression = fit(samples, spread, true);
    for (std::size_t i = 0; i < found.values.size(); ++i) {
      found.values[i] = (grand_ - empty_) / n_ + regression.values()[i];
      if (regression.honest()) found.std_error[i] = regression.std_error(i);
    }
    found.degrees_of_freedom =
        static_cast<double>(std::min(units(), SizeRegression::kGroups)) - 1.0;
    return found;
  }

 protected:
  bool draw(Words& rows) override {
    while (next_ < schedule_.size()) {
      const std::size_t size = schedule_[next_++];
      const std::size_t at = rows.size();
      rows.resize(at + words_);
      do draw_coalition(size, rows.data() + at);
      while (design_.distinct && !is_new(rows.data() + at, size));
      ++drawn_[size];
      if (paired_) {
        rows.resize(at + 2 * words_);
        complement(rows.data() + at, rows.data() + at + words_);
      }
      return true;
    }
    return false;
  }

  void take(const double* values, const std::uint64_t* row) override {
    add(row, values[0]);
    if (!paired_) return;
    add(row + words_, values[1]);
    if (2 * count(row) == static_cast<std::size_t>(n_)) ++pairs_of_halves_;
  }

  void review() override {
    const bool may_unpair = paired_ && design_.pairs == RegressionDesign::Pairs::while_useful &&
                            units() >= 3 * static_cast<std::size_t>(n_);
    if (may_unpair || design_.sizes == RegressionDesign::Sizes::optimal) {
      std::vector<SizeSample> samples = this->samples();
      std::vector<Spread> spread(samples.size());
      fit(samples, spread, false);
      // What single coalitions leave, and what the same number of them leaves in pairs.
      double alone = 0.0;
      double in_pairs = 0.0;
      std::fill(spread_.begin(), spread_.end(), 0.0);
      for (std::size_t k = 0; k < samples.size(); ++k) {
        if (samples[k].complete) continue;
        const double scale = samples[k].share / root_of_variance(samples[k].size);
        alone += scale * std::hypot(spread[k].of_y, spread[k].of_sums) / std::sqrt(2.0);
        in_pairs += scale * spread[k].of_y;
        spread_[samples[k].size] = spread[k].of_y;
      }
      if (may_unpair && alone < in_pairs) unpair(samples, spread);
      const double most = *std::max_element(spread_.begin() + 1, spread_.end());
      for (double& one : spread_) one = most > 0.0 ? std::max(one, kLeastSpread * most) : 1.0;
    }
    plan();
  }

 private:
  // The coalitions of one size that were valued, in the order in which they were drawn.
  struct Stratum {
    Words rows;
    std::vector<double> values;
  };

  static constexpr double kValuesPerSlope = 4.0;
  static constexpr double kLeastSpread = 0.1;  // of the largest: no size is starved

  // --- which coalitions ------------------------------------------------------------------------

  std::size_t count(const std::uint64_t* row) const {
    std::size_t players = 0;
    for (std::size_t word = 0; word < words_; ++word)
      players += static_cast<std::size_t>(__builtin_popcountll(row[word]));
    return players;
  }

  void complement(const std::uint64_t* row, std::uint64_t* out) const {
    for (std::size_t word = 0; word < words_; ++word) out[word] = ~row[word];
    if (n_ % 64 != 0) out[words_ - 1] &= (std::uint64_t{1} << (n_ % 64)) - 1;
  }

  // Uniform among the coalitions of a size. The smaller side is drawn.
  void draw_coalition(std::size_t size, std::uint64_t* row) {
    std::fill(row, row + words_, 0);
    const bool inside = 2 * size <= players_.size();
    const std::size_t few = inside ? size : players_.size() - size;
    random_.shuffle(players_.data(), players_.size(), few);
    for (std::size_t k = 0; k < few; ++k) set(row, players_[k]);
    if (!inside) complement(row, row);
  }

  // Whether the coalition is drawn for the first time; two halves of the players are one pair.
  bool is_new(const std::uint64_t* row, std::size_t size) {
    Words key(row, row + words_);
    if (halves(size) && !(key[0] & 1)) complement(row, key.data());
    const std::size_t before = seen_.size();
    std::int64_t id = 0;
    seen_.claim(key.data(), 1, &id);
    return seen_.size() > before;
  }

  void add(const std::uint64_t* row, double value) {
    Stratum& stratum = strata_[count(row)];
    stratum.rows.insert(stratum.rows.end(), row, row + words_);
    stratum.values.push_back(value);
  }

  // Pairs are known by their smaller coalition.
  std::size_t last_size() const { return static_cast<std::size_t>(paired_ ? n_ / 2 : n_ - 1); }
  bool halves(std::size_t size) const { return paired_ && 2 * size == players_.size(); }
  double share(std::size_t size) const { return halves(size) ? 0.5 : 1.0; }

  // The number of coalitions, or of pairs, of a size.
  double population(std::size_t size) const {
    double choose = share(size);
    for (std::size_t k = 0; k < size; ++k)
      choose *= static_cast<double>(players_.size() - k) / static_cast<double>(k + 1);
    return std::round(choose);
  }

  // --- how many of each size ---------------------------------------------------------------------

  double root_of_variance(std::size_t size) const {
    const double p = static_cast<double>(size) / n_;
    return std::sqrt(p * (1 - p));
  }

  // The variance of D(t) is spread^2 / (m p (1 - p)), and for a given number of coalitions the sum
  // of these is least with m in proportion to spread / sqrt(p (1 - p)) (Neyman 1934).
  double desert(std::size_t size) const {
    const double root = root_of_variance(size);
    switch (design_.sizes) {
      case RegressionDesign::Sizes::kernel:
        return share(size) / (root * root);
      case RegressionDesign::Sizes::uniform:
        return share(size);
      default:
        return share(size) * spread_[size] / root;
    }
  }

  // The sizes of the units up to the next checkpoint: at every moment comes the size that is
  // furthest behind what it deserves. One that deserves more coalitions than it has gets all.
  void plan() {
    const std::size_t last = last_size();
    std::vector<double> target(last + 1, 0.0);
    std::vector<std::size_t> open(last);
    std::iota(open.begin(), open.end(), 1);
    double left = static_cast<double>(
        std::accumulate(drawn_.begin(), drawn_.end(), std::size_t{0}) + units_to_checkpoint());
    for (bool again = true; again;) {
      double deserts = 0.0;
      for (const std::size_t size : open) deserts += desert(size);
      again = false;
      const double each = left / deserts;
      for (const std::size_t size : open) {
        target[size] = each * desert(size);
        if (design_.distinct && target[size] >= population(size)) {
          left -= target[size] = population(size);
          again = true;
        }
      }
      open.erase(std::remove_if(open.begin(), open.end(),
                                [&](std::size_t size) {
                                  return design_.distinct && target[size] == population(size);
                                }),
                 open.end());
    }
    std::vector<std::pair<double, std::size_t>> behind;
    for (std::size_t size = 1; size <= last; ++size)
      for (auto k = static_cast<double>(drawn_[size]); k < target[size]; ++k)
        behind.emplace_back((k + 0.5) / target[size], size);
    std::sort(behind.begin(), behind.end());
    if (behind.size() > units_to_checkpoint()) behind.resize(units_to_checkpoint());
    schedule_.clear();
    next_ = 0;
    for (const auto& [ratio, size] : behind) schedule_.push_back(size);
  }

  // From here on, coalitions come one by one.
  void unpair(const std::vector<SizeSample>& samples, const std::vector<Spread>& spread) {
    for (std::size_t k = 0; k < samples.size(); ++k) {
      const std::size_t size = samples[k].size;
      spread_[size] = spread_[players_.size() - size] =
          std::hypot(spread[k].of_y, spread[k].of_sums);
    }
    paired_ = false;
    for (std::size_t size = 1; size < strata_.size(); ++size)
      drawn_[size] = strata_[size].values.size();
    seen_.truncate(0);
    std::vector<std::int64_t> ids;
    for (const Stratum& stratum : strata_) {
      ids.resize(stratum.values.size());
      seen_.claim(stratum.rows.data(), ids.size(), ids.data());
    }
  }

  // --- the fit -----------------------------------------------------------------------------------

  std::vector<SizeSample> samples() const {
    std::vector<SizeSample> found;
    const double whole = grand_ - empty_;
    for (std::size_t size = 1; size <= last_size(); ++size) {
      const Stratum& own = strata_[size];
      const std::size_t step = halves(size) ? 2 : 1;
      const std::size_t mirror = players_.size() - size;
      const double p = static_cast<double>(size) / n_;
      SizeSample sample{size, share(size)};
      sample.level = design_.levels && !halves(size);  // pairs of halves have no sign to keep
      for (std::size_t k = 0; k < own.values.size(); k += step) {
        const double value = own.values[k];
        sample.rows.push_back(own.rows.data() + k * words_);
        if (paired_) {
          const double other = halves(size) ? own.values[k + 1] : strata_[mirror].values[k];
          sample.y.push_back(value - other - (design_.levels ? 0.0 : (2 * p - 1) * whole));
          sample.sums.push_back(value + other);
        } else {
          sample.y.push_back(value - (design_.levels ? 0.0 : empty_ + p * whole));
        }
        // The two coalitions of a pair stay in one group, also where they count one by one.
        const bool of_halves = 2 * size == players_.size() && k < 2 * pairs_of_halves_;
        const std::size_t unit = of_halves ? k / 2 : k;
        sample.groups.push_back(static_cast<std::uint8_t>((unit + 29 * std::min(size, mirror)) %
                                                          SizeRegression::kGroups));
      }
      if (design_.distinct) sample.population = population(size);
      sample.complete = static_cast<double>(sample.y.size()) >= sample.population;
      found.push_back(std::move(sample));
    }
    std::stable_partition(found.begin(), found.end(),
                          [](const SizeSample& sample) { return sample.complete; });
    return found;
  }

  SizeRegression fit(const std::vector<SizeSample>& samples, std::vector<Spread>& spread,
                     bool errors) const {
    SizeRegression regression(n_, words_, errors);
    const auto add = [&](std::size_t first, std::size_t last, bool line) {
      regression.add(&samples[first], samples.data() + last, line, &spread[first]);
    };
    if (design_.ranges == RegressionDesign::Ranges::one) {
      add(0, samples.size(), true);
      return regression;
    }
    // A complete size is known by its means alone. Of the others, a range ends as soon as its
    // slopes have enough values; what is left at the end joins the last range.
    std::size_t first = 0;
    while (first < samples.size() &&
           (samples[first].complete || design_.ranges == RegressionDesign::Ranges::none)) {
      add(first, first + 1, false);
      ++first;
    }
    std::vector<std::size_t> starts;
    for (std::size_t end = first; end < samples.size(); ++end) {
      if (starts.empty() || enough(samples.data() + starts.back(), samples.data() + end))
        starts.push_back(end);
    }
    if (starts.size() > 1 &&
        !enough(samples.data() + starts.back(), samples.data() + samples.size()))
      starts.pop_back();
    for (std::size_t k = 0; k < starts.size(); ++k)
      add(starts[k], k + 1 < starts.size() ? starts[k + 1] : samples.size(), true);
    return regression;
  }

  // The mean of D over a range has the variance of this many observations of one size.
  bool enough(const SizeSample* first, const SizeSample* last) const {
    double whole = 0.0;
    double parts = 0.0;
    for (const SizeSample* at = first; at != last; ++at) {
      if (at->y.empty()) continue;
      whole += at->share;
      parts += at->share * at->share / static_cast<double>(at->y.size());
    }
    return whole * whole >= kValuesPerSlope * n_ * parts && whole > 0.0;
  }

  RegressionDesign design_;
  bool paired_;
  std::vector<Stratum> strata_;     // by size
  std::vector<std::size_t> drawn_;  // units, by size
  std::vector<double> spread_;      // of what the lines leave, by size
  std::vector<std::size_t> schedule_;
  std::size_t next_ = 0;
  std::size_t pairs_of_halves_ = 0;
  CoalitionIndex seen_;
  std::vector<int> players_;  // all of them, as the last draw left them
};

}  // namespace owen
