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

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "owen/error.hpp"
#include "owen/fold.hpp"
#include "owen/pool.hpp"

namespace owen {

// Work is cut into chunks whose number depends on n alone, and what they found is added in their
// order, so the result has the same bits for any number of threads.
constexpr std::size_t kChunkRows = std::size_t{1} << 13;
constexpr std::size_t kMaxChunks = 64;

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

// Doubles that start where a cache line does.
struct alignas(kLanes * sizeof(double)) Line {
  double of[kLanes] = {};
};

// The sum, in lanes: faster, and rounded less, than one after another.
inline double sum(const double* values, std::size_t size) {
  double lanes[kLanes] = {};
  std::size_t k = 0;
  for (; k + kLanes <= size; k += kLanes)
    for (std::size_t lane = 0; lane < kLanes; ++lane) lanes[lane] += values[k + lane];
  double total = 0.0;
  for (; k < size; ++k) total += values[k];
  for (const double lane : lanes) total += lane;
  return total;
}

// sums[i] = sum over indices with bit i set, by halving: the upper half of `values` is what player
// `bits - 1` sees, then both halves are added and the next player is served. Destroys `values`.
inline void bit_sums(std::vector<double>& values, int bits, double* sums) {
  for (int bit = bits - 1; bit >= 0; --bit) {
    const std::size_t half = std::size_t{1} << bit;
    sums[bit] = sum(values.data() + half, half);
    for (std::size_t k = 0; k < half; ++k) values[k] += values[half + k];
  }
}

}  // namespace detail

// The semivalue with weights w (n entries) of the table (2^n entries); writes n values.
// v(empty) is subtracted while loading, so a large common offset costs no accuracy.
// It cannot be interrupted: 26 players take some 20 ms, and each more twice that.
inline void fold_table(const double* table, int n, const double* w, double* values,
                       ThreadPool* pool = nullptr, FoldRows fold_rows = nullptr) {
  require(n >= 1 && n <= kMaxTablePlayers, "a table game has 1 to ", kMaxTablePlayers,
          " players, got ", n);
  const auto marginal = [&](int s) { return s >= 0 && s < n ? w[s] : 0.0; };
  const auto joint = [&](int s) { return marginal(s - 1) + marginal(s); };
  const double origin = table[0];

  if (n < kLowPlayers) {  // less than a row: the definition
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
  const std::size_t cells =
      (static_cast<std::size_t>(high) + 1) * kRow;  // one per size and row entry
  std::vector<detail::Line> weights(static_cast<std::size_t>(n) - 2);
  for (std::size_t s = 0; s < weights.size(); ++s)
    for (std::size_t lane = 0; lane < kLanes; ++lane)
      weights[s].of[lane] = joint(static_cast<int>(s) + popcount(lane));

  const std::size_t chunks = std::min(kMaxChunks, std::max<std::size_t>(1, rows / kChunkRows));
  std::vector<detail::Line> lines(chunks * cells / kLanes);
  double* acc = lines.data()->of;
  // Per coalition of high players: the sum over the low ones of c * v.
  std::vector<double> reduced(rows);
  if (fold_rows == nullptr) fold_rows = fold_rows_for("", n);
  const auto fold_chunk = [&](std::size_t k) {
    fold_rows(table, origin, k * (rows / chunks), (k + 1) * (rows / chunks), weights.data()->of,
              acc + k * cells, reduced.data());
  };
  if (pool != nullptr && chunks > 1)
    pool->run(chunks, fold_chunk);
  else
    for (std::size_t k = 0; k < chunks; ++k) fold_chunk(k);

  double shared = 0.0;
  std::vector<double> low_sums(kRow, 0.0);
  for (std::size_t c = 0; c < cells; ++c) {
    double value = 0.0;
    for (std::size_t k = 0; k < chunks; ++k) value += acc[k * cells + c];
    const int players = static_cast<int>(c / kRow) + popcount(c % kRow);
    shared += marginal(players) * value;
    low_sums[c % kRow] += joint(players) * value;
  }
  detail::bit_sums(low_sums, kLowPlayers, values);
  detail::bit_sums(reduced, high, values + kLowPlayers);
  for (int i = 0; i < n; ++i) values[i] -= shared;
}

}  // namespace owen
