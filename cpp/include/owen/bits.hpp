// Many coalitions as columns of bits: how often do two players stand in the same coalition?
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace owen {

// Calls visit(i) for every player i of a coalition.
template <typename Visit>
void each_player(const std::uint64_t* row, std::size_t words, Visit visit) {
  for (std::size_t word = 0; word < words; ++word)
    for (std::uint64_t bits = row[word]; bits != 0; bits &= bits - 1)
      visit(64 * word + static_cast<std::size_t>(__builtin_ctzll(bits)));
}

namespace detail {

__attribute__((always_inline)) inline void count_common(const std::uint64_t* columns,
                                                        std::size_t words, std::size_t player,
                                                        std::uint32_t* common) {
  const std::uint64_t* own = columns + player * words;
  for (std::size_t other = 0; other <= player; ++other) {
    const std::uint64_t* column = columns + other * words;
    std::uint32_t count = 0;
    for (std::size_t word = 0; word < words; ++word)
      count += static_cast<std::uint32_t>(__builtin_popcountll(own[word] & column[word]));
    common[other] = count;
  }
}

inline void count_common_baseline(const std::uint64_t* columns, std::size_t words,
                                  std::size_t player, std::uint32_t* common) {
  count_common(columns, words, player, common);
}

#if defined(__x86_64__) && defined(__GNUC__)
__attribute__((target("popcnt"))) inline void count_common_popcnt(const std::uint64_t* columns,
                                                                  std::size_t words,
                                                                  std::size_t player,
                                                                  std::uint32_t* common) {
  count_common(columns, words, player, common);
}
#endif

}  // namespace detail

// `columns` holds for every player the coalitions with it, a bit each, in `words` words. Writes how
// many coalitions have both `player` and `other`, for other = 0 ... player.
inline void count_common(const std::uint64_t* columns, std::size_t words, std::size_t player,
                         std::uint32_t* common) {
#if defined(__x86_64__) && defined(__GNUC__)
  static const bool popcnt = __builtin_cpu_supports("popcnt");
  if (popcnt) return detail::count_common_popcnt(columns, words, player, common);
#endif
  detail::count_common_baseline(columns, words, player, common);
}

}  // namespace owen
