// Values of a game on a line that need only its intervals.
//
// A family holds v(empty), then every interval of width 1, of width 2, ... up to max_width (each
// width from left to right), then v(N) when max_width < n. Everything here is O(n * max_width).
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "owen/error.hpp"

namespace owen {

struct IntervalFamily {
  int n;
  int max_width;

  IntervalFamily(int players, int width) : n(players), max_width(width) {
    require(n >= 1, "an interval family needs at least one player, got ", n);
    require(width >= 1 && width <= n, "max_width must be between 1 and ", n, ", got ", width);
  }

  // Position of the first interval of a width in the list of values.
  std::size_t first(int width) const {
    const auto w = static_cast<std::size_t>(width - 1);
    return 1 + w * static_cast<std::size_t>(n) - w * (w - 1) / 2;
  }
  bool ends_with_grand_coalition() const { return max_width < n; }
  std::size_t size() const { return first(max_width + 1) + (ends_with_grand_coalition() ? 1 : 0); }
};

// Myerson value on the path (Myerson 1977): the Harsanyi dividends of the run-sum game live on
// intervals, Delta[a,b] = v[a,b] - v[a+1,b] - v[a,b-1] + v[a+1,b-1], and each is shared equally by
// its interval. Dividends wider than max_width are left out: v(N) - v(empty) - sum(values) is what
// they hold together.
inline void myerson_path(const IntervalFamily& family, const double* v, double* values) {
  const int n = family.n;
  const double origin = v[0];
  std::vector<double> step(static_cast<std::size_t>(n) + 1, 0.0);
  for (int width = 1; width <= family.max_width; ++width) {
    const double* here = v + family.first(width);
    const double* narrower = width > 1 ? v + family.first(width - 1) : nullptr;
    const double* inner = width > 2 ? v + family.first(width - 2) : nullptr;
    for (int a = 0; a + width <= n; ++a) {
      double dividend = here[a] - origin;
      if (narrower) dividend -= (narrower[a] - origin) + (narrower[a + 1] - origin);
      if (inner) dividend += inner[a + 1] - origin;
      step[static_cast<std::size_t>(a)] += dividend / width;
      step[static_cast<std::size_t>(a + width)] -= dividend / width;
    }
  }
  double running = 0.0;
  for (int i = 0; i < n; ++i) values[i] = running += step[static_cast<std::size_t>(i)];
}

// Growing-interval value: the mean marginal contribution over random orders whose every prefix is
// an interval. The first player is uniform; then an absent player is drawn uniformly and the
// interval grows one step towards it. The window of each size is then uniform over its positions,
// so a step from width s to the right, to player i, has the weight (n - i) / ((n - s + 1)(n - s)),
// players counted from 0; steps to the left mirror it. Steps to intervals wider than max_width are
// left out.
inline void growing_interval(const IntervalFamily& family, const double* v, double* values) {
  const int n = family.n;
  for (int i = 0; i < n; ++i) values[i] = (v[1 + i] - v[0]) / n;
  for (int width = 2; width <= family.max_width; ++width) {
    const double* here = v + family.first(width);
    const double* narrower = v + family.first(width - 1);
    const double scale = 1.0 / (static_cast<double>(n - width + 2) * (n - width + 1));
    for (int a = 0; a + width <= n; ++a) {
      const int last = a + width - 1;
      values[last] += (n - last) * scale * (here[a] - narrower[a]);
      values[a] += (a + 1) * scale * (here[a] - narrower[a + 1]);
    }
  }
}

// The window estimator of OSPO (arXiv 2601.08403): Shapley weights 1 / (n C(n-1, |S|)) on the
// marginal contributions v(S+i) - v(S) whose two coalitions are both in the family. The weights of
// a player do not sum to one, so the result is not efficient.
inline void window_marginals(const IntervalFamily& family, const double* v, double* values) {
  const int n = family.n;
  std::fill(values, values + n, 0.0);
  // The grand coalition is in the family whatever max_width is, so width n-1 completes it.
  const int widest = family.max_width >= n - 1 ? n : family.max_width;
  const auto at = [&](int a, int width) {
    return width == n ? v[family.size() - 1] : v[family.first(width) + static_cast<std::size_t>(a)];
  };
  double weight = 1.0 / n;
  for (int i = 0; i < n; ++i) values[i] = weight * (at(i, 1) - v[0]);
  for (int width = 1; width < widest; ++width) {
    weight *= static_cast<double>(width) / (n - width);
    for (int a = 0; a + width <= n; ++a) {
      if (a > 0) values[a - 1] += weight * (at(a - 1, width + 1) - at(a, width));
      if (a + width < n) values[a + width] += weight * (at(a, width + 1) - at(a, width));
    }
  }
}

}  // namespace owen
