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

#if !defined(__GNUC__) && !defined(__clang__)
#error "the core takes GCC or Clang, for their vectors; on Windows, MinGW or clang-cl"
#endif

namespace owen {

constexpr int kMaxTablePlayers = 30;
constexpr int kLowPlayers = 6;
constexpr std::size_t kRow = std::size_t{1} << kLowPlayers;  // half a KiB of values
// Sums run in this many independent lanes on every processor, so that every instruction set adds
// the same numbers in the same order.
constexpr std::size_t kLanes = 8;

// Rows are fetched into the first-level cache this far ahead: the loop keeps the processor too
// busy to look far enough ahead by itself.
constexpr std::size_t kRowsAhead = 20;  // 10 KiB
constexpr std::size_t kCacheLine = 8;   // doubles

inline int popcount(std::uint64_t bits) { return __builtin_popcountll(bits); }

// For each row r of [first, last): acc[p] += row - origin, entry by entry, and reduced[r] is the
// sum of weight * (row - origin), where weights[s] holds the weights of a coalition of s players
// with each of the 2^3 sets of the lowest three.
using FoldRows = void (*)(const double* table, double origin, std::size_t first, std::size_t last,
                          const double* weights, double* acc, double* reduced);

namespace detail {

static_assert(kRow == 8 * kLanes, "a row is eight blocks, one for each set of three players");

// Loads and stores of kLanes neighbours, wherever they are.
typedef double Lanes __attribute__((vector_size(kLanes * sizeof(double)), aligned(8), may_alias));

__attribute__((always_inline)) inline void fold_rows(const double* table, double origin,
                                                     std::size_t first, std::size_t last,
                                                     const double* weights, double* acc,
                                                     double* reduced) {
  for (std::size_t r = first; r < last; ++r) {
    const double* ahead = table + std::min(r + kRowsAhead, last - 1) * kRow;
    for (std::size_t line = 0; line < kRow; line += kCacheLine)
      __builtin_prefetch(ahead + line, 0, 3);
    const std::size_t p = static_cast<std::size_t>(popcount(r));
    const Lanes* row = reinterpret_cast<const Lanes*>(table + r * kRow);
    const Lanes* w = reinterpret_cast<const Lanes*>(weights) + p;
    Lanes* a = reinterpret_cast<Lanes*>(acc + p * kRow);
    const auto take = [&](int block, Lanes& total) {
      const Lanes value = row[block] - origin;
      a[block] += value;
      total += value;
    };
    // Blocks of the same number of players share their weights: they are added, then weighted.
    Lanes sum = {};
    const auto add = [&](int players, auto... blocks) {
      Lanes total = {};
      (take(blocks, total), ...);
      sum += w[players] * total;
    };
    add(0, 0b000);
    add(1, 0b001, 0b010, 0b100);
    add(2, 0b011, 0b101, 0b110);
    add(3, 0b111);
    reduced[r] = ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));
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

__attribute__((target("avx512f"))) inline void fold_rows_avx512(const double* table, double origin,
                                                                std::size_t first, std::size_t last,
                                                                const double* weights, double* acc,
                                                                double* reduced) {
  fold_rows(table, origin, first, last, weights, acc, reduced);
}
#endif

}  // namespace detail

struct InstructionSet {
  std::string name;
  FoldRows fold_rows;
  int fastest_up_to;  // players
};

// What this processor can run, widest registers first. A table of 20 players, 8 MiB, is read from
// cache. Larger ones are waited for, and a load as wide as a cache line then costs more than it
// saves, as most of them straddle two lines: numpy, like malloc, aligns a table to 16 bytes.
inline const std::vector<InstructionSet>& instruction_sets() {
  static const std::vector<InstructionSet> sets = [] {
    std::vector<InstructionSet> found;
#if defined(__x86_64__) && defined(__GNUC__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f"))
      found.push_back({"avx512", detail::fold_rows_avx512, 20});
    if (__builtin_cpu_supports("avx2"))
      found.push_back({"avx2", detail::fold_rows_avx2, kMaxTablePlayers});
#endif
    found.push_back({"baseline", detail::fold_rows_baseline, kMaxTablePlayers});
    return found;
  }();
  return sets;
}

// The inner loop of the named instruction set; without a name, the fastest for n players.
inline FoldRows fold_rows_for(const std::string& name, int n = kMaxTablePlayers) {
  for (const InstructionSet& set : instruction_sets())
    if (name.empty() ? n <= set.fastest_up_to : set.name == name) return set.fold_rows;
  require(false, "this processor has no instruction set ", name);
  return nullptr;
}

}  // namespace owen
