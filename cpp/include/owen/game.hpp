// Games as compiled code, and the check of what a value function answered.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "owen/pool.hpp"

namespace owen {

// Writes the value of each of `batch` coalitions to `out`; a coalition is a row of `words` words.
// It is called without any lock held, and throws nothing.
using ValueFunction = void (*)(const std::uint64_t* coalitions, std::int64_t batch,
                               std::int64_t words, double* out, void* context);

// A smaller task is done before another thread wakes up, and more of them cost more than they even
// out.
constexpr std::size_t kTaskCoalitions = 32;
constexpr std::size_t kMaxTasks = 64;

// Asks for all values at once; or, with a pool, for those of some parts at the same time.
inline void evaluate(ValueFunction function, void* context, const std::uint64_t* coalitions,
                     std::size_t batch, std::size_t words, double* out,
                     ThreadPool* pool = nullptr) {
  // So a value that the function forgets is found: it is not finite.
  std::fill(out, out + batch, std::numeric_limits<double>::quiet_NaN());
  const std::size_t tasks =
      pool == nullptr ? 1 : std::clamp<std::size_t>(batch / kTaskCoalitions, 1, kMaxTasks);
  const auto run = [&](std::size_t k) {
    const std::size_t first = k * batch / tasks, last = (k + 1) * batch / tasks;
    function(coalitions + first * words, static_cast<std::int64_t>(last - first),
             static_cast<std::int64_t>(words), out + first, context);
  };
  if (tasks == 1)
    run(0);
  else
    pool->run(tasks, run);
}

// Zero times a finite value is zero, and times any other it is not a number. Independent lanes let
// the plain loop vectorise.
inline bool all_finite(const double* values, std::size_t count) {
  constexpr std::size_t kLanes = 8;
  double sums[kLanes] = {};
  std::size_t k = 0;
  for (; k + kLanes <= count; k += kLanes)
    for (std::size_t lane = 0; lane < kLanes; ++lane) sums[lane] += 0.0 * values[k + lane];
  for (; k < count; ++k) sums[0] += 0.0 * values[k];
  double sum = 0.0;
  for (const double lane : sums) sum += lane;
  return sum == 0.0;
}

}  // namespace owen
