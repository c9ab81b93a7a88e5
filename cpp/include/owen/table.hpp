// Semivalues of a game that is given by its complete table of 2^n values.
//
// Bit i of the table index says whether player i is in the coalition. For weights w(s) on the
// marginal contributions of a coalition of size s (Shapley: s!(n-1-s)!/n!),
//
//   phi_i = sum_{S contains i} c(|S|) v(S) - sum_S w(|S|) v(S),   c(s) = w(s-1) + w(s),
//
// where w(-1) = w(n) = 0. The second sum is shared by all players. The table is read once: each
// row of 2^L entries (the low L players) is added to an accumulator that belongs to its number of
// high players, which keeps coalition sizes apart, and is reduced to one number for the high ones.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "owen/error.hpp"

namespace owen {

constexpr int kMaxTablePlayers = 30;
constexpr int kLowPlayers = 7;  // a row is 2^7 doubles: 1 KiB
constexpr std::size_t kRow = std::size_t{1} << kLowPlayers;
constexpr std::size_t kLanes = 8;  // independent sums, so that plain -O3 vectorises

inline int popcount(std::uint64_t bits) { return __builtin_popcountll(bits); }

// Shapley weights w(s) = s!(n-1-s)!/n! = 1 / (n C(n-1, s)) for s = 0..n-1.
inline std::vector<double> shapley_weights(int n) {
  std::vector<double> weights(static_cast<std::size_t>(n));
  double choose = 1.0;  // C(n-1, s)
  for (int s = 0; s < n; ++s) {
    weights[static_cast<std::size_t>(s)] = 1.0 / (n * choose);
    choose = choose * (n - 1 - s) / (s + 1);
  }
  return weights;
}

// Banzhaf weights: every coalition of the others counts the same, 1 / 2^(n-1).
inline std::vector<double> banzhaf_weights(int n) {
  return std::vector<double>(static_cast<std::size_t>(n), std::ldexp(1.0, 1 - n));
}

namespace detail {

// acc += row - origin; returns sum(weights * (row - origin)), summed in kLanes fixed lanes.
inline double absorb_row(const double* row, double origin, const double* weights, double* acc) {
  std::array<double, kLanes> lanes{};
  for (std::size_t block = 0; block < kRow; block += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const double value = row[block + lane] - origin;
      acc[block + lane] += value;
      lanes[lane] += weights[block + lane] * value;
    }
  }
  return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) +
         ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

// sums[i] = sum over indices with bit i set, by halving: the upper half of `values` is what player
// `bits - 1` sees, then both halves are added and the next player is served. Destroys `values`.
inline void bit_sums(std::vector<double>& values, int bits, double* sums) {
  for (int bit = bits - 1; bit >= 0; --bit) {
    const std::size_t half = std::size_t{1} << bit;
    double total = 0.0;
    for (std::size_t k = 0; k < half; ++k) {
      total += values[half + k];
      values[k] += values[half + k];
    }
    sums[bit] = total;
  }
}

}  // namespace detail

// The semivalue with weights w (n entries) of the table (2^n entries); writes n values.
// v(empty) is subtracted while loading, so a large common offset costs no accuracy.
inline void fold_table(const double* table, int n, const double* w, double* values) {
  require(n >= 1 && n <= kMaxTablePlayers, "a table game has 1 to ", kMaxTablePlayers,
          " players, got ", n);
  const auto marginal = [&](int s) { return s >= 0 && s < n ? w[s] : 0.0; };
  const auto joint = [&](int s) { return marginal(s - 1) + marginal(s); };
  const double origin = table[0];

  if (n < kLowPlayers) {  // too small to block: the definition, one pass per player
    const std::size_t size = std::size_t{1} << n;
    double shared = 0.0;
    std::vector<double> scaled(size);
    for (std::size_t s = 0; s < size; ++s) {
      const int players = popcount(s);
      shared += marginal(players) * (table[s] - origin);
      scaled[s] = joint(players) * (table[s] - origin);
    }
    detail::bit_sums(scaled, n, values);
    for (int i = 0; i < n; ++i) values[i] -= shared;
    return;
  }

  const int high = n - kLowPlayers;
  const std::size_t rows = std::size_t{1} << high;
  const std::size_t sizes = static_cast<std::size_t>(high) + 1;
  std::vector<double> acc(sizes * kRow, 0.0);
  std::vector<double> weights(sizes * kRow);
  for (std::size_t p = 0; p < sizes; ++p)
    for (std::size_t low = 0; low < kRow; ++low)
      weights[p * kRow + low] = joint(static_cast<int>(p) + popcount(low));

  std::vector<double> reduced(rows);  // reduced[high coalition] = sum over low of c * v
  for (std::size_t row = 0; row < rows; ++row) {
    const std::size_t at = static_cast<std::size_t>(popcount(row)) * kRow;
    reduced[row] =
        detail::absorb_row(table + row * kRow, origin, weights.data() + at, acc.data() + at);
  }

  double shared = 0.0;
  std::vector<double> low_sums(kRow, 0.0);
  for (std::size_t p = 0; p < sizes; ++p)
    for (std::size_t low = 0; low < kRow; ++low) {
      const double value = acc[p * kRow + low];
      shared += marginal(static_cast<int>(p) + popcount(low)) * value;
      low_sums[low] += weights[p * kRow + low] * value;
    }
  detail::bit_sums(low_sums, kLowPlayers, values);
  detail::bit_sums(reduced, high, values + kLowPlayers);
  for (int i = 0; i < n; ++i) values[i] -= shared;
}

}  // namespace owen
