// Ranks by counting: a metric needs only where the judged documents stand, not the whole order.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace owen {

// For each target document, in one ranking: rank = 1 + documents that score higher + earlier
// documents that score the same, so ties are broken by position; 0 when the score is not above
// `floor` (the document is not retrieved).
using CountRanks = void (*)(const double* scores, std::size_t documents,
                            const std::int64_t* targets, std::size_t wanted, double floor,
                            std::int64_t* ranks);

namespace detail {

// Every target passes over a block of scores while the first-level cache holds it.
constexpr std::size_t kScoreBlock = 2048;  // 16 KiB

__attribute__((always_inline)) inline void count_ranks(const double* scores, std::size_t documents,
                                                       const std::int64_t* targets,
                                                       std::size_t wanted, double floor,
                                                       std::int64_t* ranks) {
  for (std::size_t t = 0; t < wanted; ++t) ranks[t] = scores[targets[t]] > floor;
  for (std::size_t begin = 0; begin < documents; begin += kScoreBlock) {
    const std::size_t end = std::min(begin + kScoreBlock, documents);
    for (std::size_t t = 0; t < wanted; ++t) {
      if (ranks[t] == 0) continue;
      const auto target = static_cast<std::size_t>(targets[t]);
      const std::size_t earlier = std::clamp(target, begin, end);
      const double score = scores[target];
      std::int64_t before = 0;
      for (std::size_t d = begin; d < earlier; ++d) before += scores[d] >= score;
      for (std::size_t d = earlier; d < end; ++d) before += scores[d] > score;
      ranks[t] += before;
    }
  }
}

inline void count_ranks_baseline(const double* scores, std::size_t documents,
                                 const std::int64_t* targets, std::size_t wanted, double floor,
                                 std::int64_t* ranks) {
  count_ranks(scores, documents, targets, wanted, floor, ranks);
}

#if defined(__x86_64__) && defined(__GNUC__)
__attribute__((target("avx2"))) inline void count_ranks_avx2(const double* scores,
                                                             std::size_t documents,
                                                             const std::int64_t* targets,
                                                             std::size_t wanted, double floor,
                                                             std::int64_t* ranks) {
  count_ranks(scores, documents, targets, wanted, floor, ranks);
}

#if defined(__clang__)  // it knows no preferred width
__attribute__((target("avx512f")))
#else
__attribute__((target("avx512f,prefer-vector-width=512")))
#endif
inline void count_ranks_avx512(const double* scores, std::size_t documents,
                               const std::int64_t* targets, std::size_t wanted, double floor,
                               std::int64_t* ranks) {
  count_ranks(scores, documents, targets, wanted, floor, ranks);
}
#endif

}  // namespace detail

// The counting loops that this processor can run, fastest first; all count the same.
inline const std::vector<CountRanks>& rank_counters() {
  static const std::vector<CountRanks> counters = [] {
    std::vector<CountRanks> found;
#if defined(__x86_64__) && defined(__GNUC__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f")) found.push_back(detail::count_ranks_avx512);
    if (__builtin_cpu_supports("avx2")) found.push_back(detail::count_ranks_avx2);
#endif
    found.push_back(detail::count_ranks_baseline);
    return found;
  }();
  return counters;
}

}  // namespace owen
