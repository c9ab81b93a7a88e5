// Values of coalitions that were already paid for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "owen/coalition_index.hpp"

namespace owen {

class CoalitionCache {
 public:
  explicit CoalitionCache(int n) : index_(n) {}

  std::size_t words() const { return index_.words(); }
  std::size_t size() const { return values_.size(); }

  // Whether each of `count` coalitions is known, and its value; 0 where it is not.
  void find(const std::uint64_t* rows, std::size_t count, double* values, bool* known) const {
    std::vector<std::int64_t> ids(count);
    index_.find(rows, count, ids.data());
    for (std::size_t k = 0; k < count; ++k) {
      known[k] = ids[k] >= 0;
      values[k] = known[k] ? values_[static_cast<std::size_t>(ids[k])] : 0.0;
    }
  }

  // Adds coalitions, or replaces their values.
  void put(const std::uint64_t* rows, std::size_t count, const double* values) {
    std::vector<std::int64_t> ids(count);
    try {
      index_.claim(rows, count, ids.data());
      values_.resize(index_.size());
    } catch (...) {  // out of memory: no coalition may stay without its value
      index_.truncate(values_.size());
      throw;
    }
    for (std::size_t k = 0; k < count; ++k) values_[static_cast<std::size_t>(ids[k])] = values[k];
  }

 private:
  CoalitionIndex index_;
  std::vector<double> values_;  // by the coalition's number
};

}  // namespace owen
