// The Shapley value as slopes of linear regressions, one for every range of coalition sizes.
//
// Let D_i(t) be the mean of v over the coalitions of size t with player i, less the mean over
// those without. Then
//
//   phi_i = (v(N) - v(empty)) / n + (1 / n) sum_{t=1}^{n-1} D_i(t),
//
// and D_i(t) = n / (n - 1) (b_i - mean b) with the slopes b of the regression of v on the members
// of the coalitions of size t, because a linear fit keeps conditional means. One line through a
// range of sizes, with the weight 1 / (m p (1 - p)) for each of the m coalitions of size t = p n,
// gives the mean of D over the range. The range of all sizes is the kernel regression of Charnes
// et al. (1988) and Lundberg & Lee (2017). Single sizes suffer nothing from slopes that change with
// the size, but have more slopes to find; so ranges are as narrow as the number of values allows.
// A level for every size takes away what depends on the size alone.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "owen/bits.hpp"
#include "owen/linear.hpp"

namespace owen {

// What was seen of the coalitions of one size, or of pairs of a coalition and its complement. A
// pair shows v(S) - v(N \ S), which gives D(t) + D(n - t) at once; what players do two by two
// cancels in it.
struct SizeSample {
  std::size_t size;
  double share = 1.0;     // how many D(t), or D(t) + D(n - t), it stands for
  bool complete = false;  // every coalition of the size is there: nothing is left to chance
  double population = std::numeric_limits<double>::infinity();  // to draw from, each once
  bool level = true;  // whether the line has a level of its own here
  std::vector<const std::uint64_t*> rows = {};
  std::vector<double> y = {};
  std::vector<double> sums = {};          // v(S) + v(N \ S), of pairs
  std::vector<std::uint8_t> groups = {};  // which of kGroups independent groups each one is in
};

// Standard deviations of what the line leaves of y and of the sums, for each sample.
struct Spread {
  double of_y = 1.0;
  double of_sums = 1.0;
};

class SizeRegression {
 public:
  // Standard errors come from the spread of so many groups of observations.
  static constexpr std::size_t kGroups = 64;

  // Without `errors`, only values and spreads are found.
  SizeRegression(int n, std::size_t words, bool errors)
      : n_(static_cast<std::size_t>(n)),
        words_(words),
        errors_(errors),
        values_(n_, 0.0),
        influence_(errors ? kGroups * n_ : 0, 0.0) {}

  // Adds what one line through a range of sizes finds; without a line, the difference of means.
  void add(const SizeSample* first, const SizeSample* last, bool line, Spread* spread) {
    const Range range(first, last, line, n_);
    if (range.observations == 0.0) {
      honest_ = false;
      return;
    }
    honest_ = honest_ && (!range.chance || range.observations >= range.parameters + 1.0);
    std::vector<Centred> parts;
    for (const SizeSample* at = first; at != last; ++at) parts.push_back(centred(*at, line));

    // Without a line, the matrix of the normal equations is what it is on average.
    const Cholesky matrix(line ? products(parts) : std::vector<double>(), line ? n_ : 0);
    const auto solve = [&](std::vector<double>& x) {
      if (line) return matrix.solve(x.data());
      for (double& entry : x) entry *= static_cast<double>(n_ - 1) / (n_ * range.share);
    };
    // From slopes to credit: D = n / (n - 1) (b - mean b), and D / n for every size of the range.
    const auto credit = [&](std::vector<double> x) {
      solve(x);
      double mean = 0.0;
      for (const double entry : x) mean += entry / static_cast<double>(n_);
      for (double& entry : x) entry = (entry - mean) * range.share / static_cast<double>(n_ - 1);
      return x;
    };

    std::vector<double> slopes = correlations(parts, &Centred::y);
    const std::vector<double> found = credit(slopes);
    for (std::size_t i = 0; i < n_; ++i) values_[i] += found[i];
    if (line) {
      solve(slopes);
      for (Centred& part : parts) subtract_line(part, slopes, part.y);
      std::vector<double> slopes_of_sums = correlations(parts, &Centred::sums);
      solve(slopes_of_sums);
      for (Centred& part : parts) subtract_line(part, slopes_of_sums, part.sums);
    }
    measure(range, parts, spread);
    if (errors_ && range.chance) add_influence(range, parts, credit);
  }

  // The sum of D_i(t) / n over the sizes that were added, (n,).
  const std::vector<double>& values() const { return values_; }

  // Whether there were enough observations everywhere to tell the error.
  bool honest() const { return honest_; }

  double std_error(std::size_t i) const {
    double squares = 0.0;
    for (std::size_t group = 0; group < kGroups; ++group) {
      const double x = influence_[group * n_ + i];
      squares += x * x;
    }
    return std::sqrt(squares);
  }

 private:
  struct Range {
    double share = 0.0;
    double observations = 0.0;
    double parameters;
    bool line;
    bool chance = false;  // whether anything is left to it

    Range(const SizeSample* first, const SizeSample* last, bool through, std::size_t n)
        : parameters(through ? static_cast<double>(n - 1) : 0.0), line(through) {
      for (const SizeSample* at = first; at != last; ++at) {
        share += at->share;
        observations += static_cast<double>(at->y.size());
        chance = chance || !at->complete;
        if (at->level && !at->y.empty()) parameters += 1.0;
      }
    }
  };

  // A sample about its level and its mean row.
  struct Centred {
    const SizeSample* sample;
    double weight;
    std::vector<double> centre;
    std::vector<double> y;
    std::vector<double> sums;

    double m() const { return static_cast<double>(y.size()); }
  };

  Centred centred(const SizeSample& sample, bool line) const {
    const auto m = static_cast<double>(sample.y.size());
    const double p = static_cast<double>(sample.size) / static_cast<double>(n_);
    Centred part{&sample, 0.0, std::vector<double>(n_, p), sample.y, sample.sums};
    if (sample.y.empty()) return part;
    // A covariance about a mean that was estimated has one degree of freedom less; with everything
    // there it has them all. A line takes care of that itself.
    double freedom = m;
    if (!line && sample.level && !sample.complete) freedom = (m - 1) / (1 - 1 / sample.population);
    if (freedom == 0.0) return part;
    part.weight = sample.share / (freedom * p * (1 - p));
    if (line && sample.level) {
      part.centre.assign(n_, 0.0);
      for (const std::uint64_t* row : sample.rows)
        each_player(row, words_, [&](std::size_t i) { part.centre[i] += 1.0; });
      for (double& entry : part.centre) entry /= m;
    }
    if (sample.level) subtract_mean(part.y);
    subtract_mean(part.sums);
    return part;
  }

  static void subtract_mean(std::vector<double>& x) {
    double mean = 0.0;
    for (const double entry : x) mean += entry;
    mean /= static_cast<double>(x.size());
    for (double& entry : x) entry -= mean;
  }

  // sum of weight * (row - centre) * y, (n,).
  std::vector<double> correlations(const std::vector<Centred>& parts,
                                   std::vector<double> Centred::* of) const {
    std::vector<double> all(n_, 0.0);
    std::vector<double> own(n_);
    for (const Centred& part : parts) {
      const std::vector<double>& y = part.*of;
      std::fill(own.begin(), own.end(), 0.0);
      double total = 0.0;
      for (std::size_t k = 0; k < y.size(); ++k) {
        each_player(part.sample->rows[k], words_, [&](std::size_t i) { own[i] += y[k]; });
        total += y[k];
      }
      if (!y.empty())
        for (std::size_t i = 0; i < n_; ++i)
          all[i] += part.weight * (own[i] - part.centre[i] * total);
    }
    return all;
  }

  // sum of weight * (row - centre)(row - centre)', (n, n), lower half.
  std::vector<double> products(const std::vector<Centred>& parts) const {
    std::vector<double> matrix(n_ * n_, 0.0);
    std::vector<std::uint32_t> common(n_);
    std::vector<double> times(n_);
    for (const Centred& part : parts) {
      const std::vector<const std::uint64_t*>& rows = part.sample->rows;
      if (rows.empty()) continue;
      const std::size_t words = (rows.size() + 63) / 64;
      std::vector<std::uint64_t> columns(n_ * words, 0);
      for (std::size_t k = 0; k < rows.size(); ++k)
        each_player(rows[k], words_, [&](std::size_t i) {
          columns[i * words + k / 64] |= std::uint64_t{1} << (k % 64);
        });
      const std::vector<double>& c = part.centre;
      for (std::size_t i = 0; i < n_; ++i) {
        count_common(columns.data(), words, i, common.data());
        times[i] = common[i];
        double* row = &matrix[i * n_];
        for (std::size_t j = 0; j <= i; ++j)
          row[j] += part.weight *
                    (common[j] - c[i] * times[j] - c[j] * times[i] + part.m() * c[i] * c[j]);
      }
    }
    // All rows of a size have the same sum, so nothing is known along (1, ..., 1); credit does not
    // depend on it. The small multiple of the identity is for players who are always together.
    double trace = 0.0;
    for (std::size_t i = 0; i < n_; ++i) trace += matrix[i * n_ + i];
    const double scale = trace / static_cast<double>(n_ * n_);
    for (std::size_t i = 0; i < n_; ++i) {
      for (std::size_t j = 0; j <= i; ++j) matrix[i * n_ + j] += scale;
      matrix[i * n_ + i] += kRidge * scale * static_cast<double>(n_);
    }
    return matrix;
  }

  void subtract_line(const Centred& part, const std::vector<double>& slopes,
                     std::vector<double>& y) const {
    const double at_centre = dot(slopes.data(), part.centre.data(), n_);
    for (std::size_t k = 0; k < y.size(); ++k) {
      double fitted = -at_centre;
      each_player(part.sample->rows[k], words_, [&](std::size_t i) { fitted += slopes[i]; });
      y[k] -= fitted;
    }
  }

  // How much the fit shrinks the residuals of a sample, on average.
  double leverage(const Range& range, const Centred& part) const {
    double h = part.sample->level ? 1.0 / part.m() : 0.0;
    if (range.line)
      h += static_cast<double>(n_ - 1) * part.sample->share / (range.share * part.m());
    return std::min(h, kMostLeverage);
  }

  // The spread of the residuals. A sample of few borrows from its range.
  void measure(const Range& range, const std::vector<Centred>& parts, Spread* spread) const {
    const auto squares = [](const std::vector<double>& x) {
      return dot(x.data(), x.data(), x.size());
    };
    double of_y = 0.0;
    double of_sums = 0.0;
    for (const Centred& part : parts) {
      of_y += squares(part.y);
      of_sums += squares(part.sums);
    }
    const double freedom = std::max(range.observations - range.parameters, 1.0);
    for (const Centred& part : parts) {
      const double kept = 1.0 - leverage(range, part);
      const auto blend = [&](const std::vector<double>& own, double all) {
        return std::sqrt((squares(own) / kept + kPrior * all / freedom) / (part.m() + kPrior));
      };
      *spread++ = {blend(part.y, of_y), blend(part.sums, of_sums)};
    }
  }

  // What each group of observations did to the credits: their scores, about the mean of the
  // sample, because how many coalitions of each size are drawn is not left to chance.
  template <typename Credit>
  void add_influence(const Range& range, const std::vector<Centred>& parts, Credit credit) {
    std::vector<std::vector<double>> scores(kGroups, std::vector<double>(n_, 0.0));
    std::vector<double> own(kGroups * n_);
    for (const Centred& part : parts) {
      const SizeSample& sample = *part.sample;
      if (sample.complete || part.y.empty()) continue;
      // Drawn without replacement, what is left to chance is what was not drawn.
      const double left = std::sqrt(1.0 - std::min(part.m() / sample.population, 1.0));
      const double scale = part.weight * left / (1.0 - leverage(range, part));
      std::fill(own.begin(), own.end(), 0.0);
      double totals[kGroups] = {};
      double counts[kGroups] = {};
      for (std::size_t k = 0; k < part.y.size(); ++k) {
        const std::size_t group = sample.groups[k];
        double* score = &own[group * n_];
        each_player(sample.rows[k], words_, [&](std::size_t i) { score[i] += part.y[k]; });
        totals[group] += part.y[k];
        counts[group] += 1.0 / part.m();
      }
      for (std::size_t i = 0; i < n_; ++i) {
        double all = 0.0;
        for (std::size_t group = 0; group < kGroups; ++group)
          all += own[group * n_ + i] -= part.centre[i] * totals[group];
        for (std::size_t group = 0; group < kGroups; ++group)
          scores[group][i] += scale * (own[group * n_ + i] - counts[group] * all);
      }
    }
    for (std::size_t group = 0; group < kGroups; ++group) {
      const std::vector<double> moved = credit(std::move(scores[group]));
      for (std::size_t i = 0; i < n_; ++i) influence_[group * n_ + i] += moved[i];
    }
  }

  static constexpr double kRidge = 1e-12;
  static constexpr double kMostLeverage = 0.9;
  static constexpr double kPrior = 4.0;  // observations that the spread of a range counts as

  std::size_t n_;
  std::size_t words_;
  bool errors_;
  std::vector<double> values_;
  std::vector<double> influence_;
  bool honest_ = true;
};

}  // namespace owen
