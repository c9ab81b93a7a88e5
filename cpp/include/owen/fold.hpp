// The inner loop of the table fold, built for several instruction sets.
//
// One call reads some rows of the table. A row holds the 2^kLowPlayers values of one coalition of
// the high players; rows of the same number of high players, p, share an accumulator and weights.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "owen/error.hpp"

namespace owen {

constexpr int kLowPlayers = 7;
constexpr std::size_t kRow = std::size_t{1} << kLowPlayers;  // 1 KiB of values
// Sums run in this many independent lanes on every processor, so that plain loops vectorise and
// every instruction set adds the same numbers in the same order.
constexpr std::size_t kLanes = 8;

// Rows are fetched into the second-level cache this far ahead: the loop keeps the processor too
// busy to look far enough ahead by itself.
constexpr std::size_t kRowsAhead = 20;  // 20 KiB
constexpr std::size_t kCacheLine = 8;   // doubles

inline int popcount(std::uint64_t bits) { return __builtin_popcountll(bits); }

// For each row r of [first, last): acc[p] += row - origin, entry by entry, and
// reduced[r] = sum(weights[p] * (row - origin)).
using FoldRows = void (*)(const double* table, double origin, std::size_t first, std::size_t last,
                          const double* weights, double* acc, double* reduced);

namespace detail {

__attribute__((always_inline)) inline void fold_rows(const double* table, double origin,
                                                     std::size_t first, std::size_t last,
                                                     const double* weights, double* acc,
                                                     double* reduced) {
  for (std::size_t r = first; r < last; ++r) {
    const double* row = table + r * kRow;
    const std::size_t at = static_cast<std::size_t>(popcount(r)) * kRow;
    const double* w = weights + at;
    double* a = acc + at;
    const double* ahead = table + std::min(r + kRowsAhead, last - 1) * kRow;
    for (std::size_t line = 0; line < kRow; line += kCacheLine)
      __builtin_prefetch(ahead + line, 0, 2);
    double lanes[kLanes] = {};
    for (std::size_t block = 0; block < kRow; block += kLanes)
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        const double value = row[block + lane] - origin;
        a[block + lane] += value;
        lanes[lane] += w[block + lane] * value;
      }
    reduced[r] = ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) +
                 ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
  }
}

inline void fold_rows_baseline(const double* table, double origin, std::size_t first,
                               std::size_t last, const double* weights, double* acc,
                               double* reduced) {
  fold_rows(table, origin, first, last, weights, acc, reduced);
}

#if defined(__x86_64__) && defined(__GNUC__)
__attribute__((target("avx2"))) inline void fold_rows_avx2(const double* table, double origin,
                                                           std::size_t first, std::size_t last,
                                                           const double* weights, double* acc,
                                                           double* reduced) {
  fold_rows(table, origin, first, last, weights, acc, reduced);
}

__attribute__((target("avx512f,prefer-vector-width=512"))) inline void fold_rows_avx512(
    const double* table, double origin, std::size_t first, std::size_t last, const double* weights,
    double* acc, double* reduced) {
  fold_rows(table, origin, first, last, weights, acc, reduced);
}
#endif

}  // namespace detail

struct InstructionSet {
  std::string name;
  FoldRows fold_rows;
};

// What this processor can run, best first.
inline const std::vector<InstructionSet>& instruction_sets() {
  static const std::vector<InstructionSet> sets = [] {
    std::vector<InstructionSet> found;
#if defined(__x86_64__) && defined(__GNUC__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f")) found.push_back({"avx512", detail::fold_rows_avx512});
    if (__builtin_cpu_supports("avx2")) found.push_back({"avx2", detail::fold_rows_avx2});
#endif
    found.push_back({"baseline", detail::fold_rows_baseline});
    return found;
  }();
  return sets;
}

inline FoldRows fold_rows_for(const std::string& name) {
  for (const InstructionSet& set : instruction_sets())
    if (name.empty() || set.name == name) return set.fold_rows;
  require(false, "this processor has no instruction set ", name);
  return nullptr;
}

}  // namespace owen
