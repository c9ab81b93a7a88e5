// Values of coalitions that were already paid for.
//
// A coalition is `words` 64-bit words, bit i = player i. Open addressing with linear probing over
// slots that point into an arena of keys; the whole key is compared, so a hit is never a guess.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "owen/error.hpp"

namespace owen {

class CoalitionCache {
 public:
  explicit CoalitionCache(int n) : words_((static_cast<std::size_t>(n) + 63) / 64) {
    require(n >= 1, "a cache needs at least one player, got ", n);
    slots_.assign(64, kEmpty);
  }

  std::size_t words() const { return words_; }
  std::size_t size() const { return values_.size(); }

  // True, and the value, when the coalition is known.
  bool find(const std::uint64_t* coalition, double* value) const {
    const std::uint64_t entry = slots_[probe(coalition)];
    if (entry == kEmpty) return false;
    *value = values_[entry];
    return true;
  }

  // Adds the coalition, or replaces its value.
  void put(const std::uint64_t* coalition, double value) {
    std::size_t slot = probe(coalition);
    if (slots_[slot] != kEmpty) {
      values_[slots_[slot]] = value;
      return;
    }
    if (3 * (size() + 1) > 2 * slots_.size()) {
      grow();
      slot = probe(coalition);
    }
    slots_[slot] = values_.size();
    keys_.insert(keys_.end(), coalition, coalition + words_);
    values_.push_back(value);
  }

 private:
  static constexpr std::uint64_t kEmpty = ~std::uint64_t{0};

  // A multiply-xorshift mix of every word (the finaliser of SplitMix64).
  std::uint64_t hash(const std::uint64_t* key) const {
    std::uint64_t h = 0x9e3779b97f4a7c15ull;
    for (std::size_t k = 0; k < words_; ++k) {
      h += key[k];
      h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9ull;
      h = (h ^ (h >> 27)) * 0x94d049bb133111ebull;
      h ^= h >> 31;
    }
    return h;
  }

  // The slot that holds the key, or the empty slot where it belongs.
  std::size_t probe(const std::uint64_t* key) const {
    const std::size_t mask = slots_.size() - 1;
    std::size_t slot = hash(key) & mask;
    while (slots_[slot] != kEmpty &&
           std::memcmp(&keys_[slots_[slot] * words_], key, words_ * sizeof(std::uint64_t)) != 0)
      slot = (slot + 1) & mask;
    return slot;
  }

  void grow() {
    slots_.assign(2 * slots_.size(), kEmpty);
    for (std::size_t entry = 0; entry < values_.size(); ++entry)
      slots_[probe(&keys_[entry * words_])] = entry;
  }

  std::size_t words_;
  std::vector<std::uint64_t> slots_;  // index of an entry, or kEmpty; a power of two of them
  std::vector<std::uint64_t> keys_;   // words_ per entry, in order of insertion
  std::vector<double> values_;
};

}  // namespace owen
