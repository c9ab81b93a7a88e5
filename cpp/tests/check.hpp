// The little that the C++ tests need: a check that names itself, and small random games.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#define CHECK(condition)                                                             \
  do {                                                                               \
    if (!(condition)) {                                                              \
      std::fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                  \
    }                                                                                \
  } while (false)

// SplitMix64: the same numbers everywhere.
struct Random {
  std::uint64_t state;

  std::uint64_t next() {
    std::uint64_t z = (state += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }
  std::uint64_t below(std::uint64_t limit) { return next() % limit; }
};

// Multiples of 1/64, so that sums of a few are exact.
inline std::vector<double> random_values(Random& random, std::size_t count) {
  std::vector<double> values(count);
  for (double& value : values) value = (static_cast<double>(random.below(1281)) - 640) / 64;
  return values;
}

// The definition: weighted marginal contributions, in long double.
inline std::vector<double> semivalue(const std::vector<double>& table, int n,
                                     const std::vector<double>& weights) {
  std::vector<double> values(static_cast<std::size_t>(n));
  for (int i = 0; i < n; ++i) {
    long double sum = 0;
    for (std::size_t s = 0; s < table.size(); ++s)
      if (!(s >> i & 1))
        sum +=
            static_cast<long double>(weights[static_cast<std::size_t>(__builtin_popcountll(s))]) *
            (table[s | (std::size_t{1} << i)] - table[s]);
    values[static_cast<std::size_t>(i)] = static_cast<double>(sum);
  }
  return values;
}

inline bool close(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (!(std::fabs(a[i] - b[i]) <= 1e-9)) return false;
  return true;
}
