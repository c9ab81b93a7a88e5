// Ranks by counting: a metric needs only where the judged documents stand, not the whole order.
#pragma once

#include <cstddef>
#include <cstdint>

namespace owen {

// rank = 1 + documents that score higher + earlier documents that score the same, so ties are
// broken by position; 0 when the score is not above `floor` (the document is not retrieved).
inline std::int64_t rank_of(const double* scores, std::size_t documents, std::size_t target,
                            double floor) {
  const double score = scores[target];
  if (!(score > floor)) return 0;
  std::int64_t rank = 1;
  for (std::size_t d = 0; d < target; ++d) rank += scores[d] >= score;
  for (std::size_t d = target + 1; d < documents; ++d) rank += scores[d] > score;
  return rank;
}

}  // namespace owen
