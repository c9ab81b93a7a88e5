// Coalitions in their two forms: packed rows of 64-bit words, where bit i is player i, and rows of
// bytes that are 1 for a player who is in and 0 for one who is not.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace owen {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first player is in the lowest byte");

// How many words a coalition of n players takes.
inline std::size_t words_for(std::size_t n) { return (n + 63) / 64; }

namespace detail {

// The eight bits of every byte as eight bytes.
constexpr std::array<std::uint64_t, 256> make_spread() {
  std::array<std::uint64_t, 256> spread{};
  for (std::uint64_t byte = 0; byte < 256; ++byte)
    for (int bit = 0; bit < 8; ++bit) spread[byte] |= (byte >> bit & 1) << (8 * bit);
  return spread;
}

inline constexpr std::array<std::uint64_t, 256> kSpread = make_spread();

inline void spread(std::uint64_t word, std::uint8_t* bytes) {
  for (int bit = 0; bit < 64; bit += 8) std::memcpy(bytes + bit, &kSpread[word >> bit & 255], 8);
}

// Eight bytes of 0 or 1 become eight bits by one product: byte i meets the factor 2^(56 - 7 i) at
// bit 56 + i, and no two of the other products meet.
inline std::uint64_t gather(const std::uint8_t* bytes) {
  std::uint64_t word = 0;
  for (int bit = 0; bit < 64; bit += 8) {
    std::uint64_t eight;
    std::memcpy(&eight, bytes + bit, 8);
    word |= eight * 0x0102040810204080u >> 56 << bit;
  }
  return word;
}

}  // namespace detail

// Writes rows * n bytes.
inline void unpack(const std::uint64_t* packed, std::size_t rows, std::size_t n,
                   std::uint8_t* out) {
  std::uint8_t* const end = out + rows * n;
  for (std::size_t row = 0; row < rows; ++row)
    for (std::size_t first = 0; first < n; first += 64) {
      const std::size_t count = std::min<std::size_t>(n - first, 64);
      if (end - out >= 64) {
        detail::spread(*packed++, out);  // what is too much, the next row overwrites
      } else {
        std::uint8_t bytes[64];
        detail::spread(*packed++, bytes);
        std::memcpy(out, bytes, count);
      }
      out += count;
    }
}

// Writes rows * words_for(n) words; the bits past the last player are 0.
inline void pack(const std::uint8_t* coalitions, std::size_t rows, std::size_t n,
                 std::uint64_t* packed) {
  const std::uint8_t* const end = coalitions + rows * n;
  for (std::size_t row = 0; row < rows; ++row)
    for (std::size_t first = 0; first < n; first += 64) {
      const std::size_t count = std::min<std::size_t>(n - first, 64);
      std::uint64_t word;
      if (end - coalitions >= 64) {
        word = detail::gather(coalitions) & (~std::uint64_t{0} >> (64 - count));
      } else {
        std::uint8_t bytes[64] = {};
        std::memcpy(bytes, coalitions, count);
        word = detail::gather(bytes);
      }
      *packed++ = word;
      coalitions += count;
    }
}

}  // namespace owen
