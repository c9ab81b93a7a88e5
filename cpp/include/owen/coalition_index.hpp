// Distinct coalitions, numbered in the order in which they first appear.
//
// A coalition is `words` 64-bit words, bit i = player i. Keys lie in one arena, in order; a table
// with open addressing and linear probing points into it. A slot holds the whole hash beside the
// number, so a look-up goes to the arena only where the hashes agree, and there it compares the
// whole key: a hit is never a guess. Rows are taken by the batch, so that the slots of the next
// rows are fetched while one is compared.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "owen/error.hpp"

namespace owen {

class CoalitionIndex {
 public:
  explicit CoalitionIndex(int n) : words_((static_cast<std::size_t>(n) + 63) / 64) {
    require(n >= 1, "an index of coalitions needs at least one player, got ", n);
    slots_.assign(kSlots, Slot{});
  }

  std::size_t words() const { return words_; }
  std::size_t size() const { return keys_.size() / words_; }
  // The coalition with this number; the next ones follow it.
  const std::uint64_t* row(std::size_t id) const { return keys_.data() + id * words_; }

  // The number of each of `count` coalitions; those not seen before, here too, are appended.
  void claim(const std::uint64_t* rows, std::size_t count, std::int64_t* ids) {
    each(rows, count, [&](std::size_t k, const std::uint64_t* key, std::uint64_t hash) {
      std::size_t slot = probe(key, hash);
      if (slots_[slot].id < 0) {
        if (3 * (size() + 1) > 2 * slots_.size()) {
          rebuild(2 * slots_.size());
          slot = probe(key, hash);
        }
        const auto id = static_cast<std::int64_t>(size());
        keys_.insert(keys_.end(), key, key + words_);
        slots_[slot] = {hash, id};
      }
      ids[k] = slots_[slot].id;
    });
  }

  // The number of each of `count` coalitions, -1 for one that is not there. Keys are compared after
  // the table was read: reads of the arena that wait for nothing overlap.
  void find(const std::uint64_t* rows, std::size_t count, std::int64_t* ids) const {
    each(rows, count, [&](std::size_t k, const std::uint64_t*, std::uint64_t hash) {
      std::size_t slot = home(hash);
      while (slots_[slot].id >= 0 && slots_[slot].hash != hash) slot = after(slot);
      ids[k] = slots_[slot].id;
    });
    for (std::size_t k = 0; k < count; ++k) {
      const std::uint64_t* key = rows + k * words_;
      if (ids[k] >= 0 && !same(ids[k], key)) ids[k] = slots_[probe(key, hash(key))].id;
    }
  }

  // Forgets every coalition from number `size` on, the last one first: each then leaves the table
  // as it was before it came, and no probe misses what it stepped over.
  void truncate(std::size_t size) {
    for (std::size_t id = this->size(); id-- > size;) {
      std::size_t slot = home(hash(row(id)));
      while (slots_[slot].id != static_cast<std::int64_t>(id)) slot = after(slot);
      slots_[slot] = Slot{};
      keys_.resize(id * words_);
    }
  }

  // Makes room for `size` coalitions at once.
  void reserve(std::size_t size) {
    keys_.reserve(size * words_);
    std::size_t slots = slots_.size();
    while (3 * size > 2 * slots) slots *= 2;
    if (slots > slots_.size()) rebuild(slots);
  }

 private:
  struct Slot {
    std::uint64_t hash = 0;
    std::int64_t id = -1;
  };

  static constexpr std::size_t kSlots = 64;  // of an empty index; always a power of two
  static constexpr std::size_t kAhead = 16;  // rows between the fetch of a slot and its use

  // A multiply-xorshift chain and the finaliser of SplitMix64. It is a bijection of one word.
  std::uint64_t hash(const std::uint64_t* key) const {
    std::uint64_t h = 0;
    for (std::size_t k = 0; k < words_; ++k) {
      h = (h ^ key[k]) * 0x9e3779b97f4a7c15ull;
      h ^= h >> 32;
    }
    h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9ull;
    h = (h ^ (h >> 27)) * 0x94d049bb133111ebull;
    return h ^ (h >> 31);
  }

  // Calls visit(k, row k, its hash) for every row, and fetches the slots of the rows ahead.
  template <typename Visit>
  void each(const std::uint64_t* rows, std::size_t count, Visit visit) const {
    std::uint64_t hashes[kAhead];
    for (std::size_t k = 0; k < count + kAhead; ++k) {
      std::uint64_t& here = hashes[k % kAhead];
      if (k >= kAhead) visit(k - kAhead, rows + (k - kAhead) * words_, here);
      if (k < count) {
        here = hash(rows + k * words_);
        __builtin_prefetch(&slots_[home(here)]);
      }
    }
  }

  std::size_t home(std::uint64_t hash) const { return hash & (slots_.size() - 1); }
  std::size_t after(std::size_t slot) const { return (slot + 1) & (slots_.size() - 1); }

  // The slot that holds the key, or the empty slot where it belongs.
  std::size_t probe(const std::uint64_t* key, std::uint64_t hash) const {
    std::size_t slot = home(hash);
    while (slots_[slot].id >= 0 && !(slots_[slot].hash == hash && same(slots_[slot].id, key)))
      slot = after(slot);
    return slot;
  }

  // Whether coalition `id`, whose hash is the key's, is the key.
  bool same(std::int64_t id, const std::uint64_t* key) const {
    return words_ == 1 || std::equal(key, key + words_, row(static_cast<std::size_t>(id)));
  }

  void rebuild(std::size_t slots) {
    slots_.assign(slots, Slot{});
    each(keys_.data(), size(), [&](std::size_t id, const std::uint64_t*, std::uint64_t hash) {
      std::size_t slot = home(hash);
      while (slots_[slot].id >= 0) slot = after(slot);
      slots_[slot] = {hash, static_cast<std::int64_t>(id)};
    });
  }

  std::size_t words_;
  std::vector<Slot> slots_;          // at most two thirds of them taken
  std::vector<std::uint64_t> keys_;  // words_ per coalition, in order of their numbers
};

}  // namespace owen
