// A fuzz driver for libFuzzer, or, built with -DSTANDALONE, one that feeds itself random bytes.
//
// The bytes decide the players, a table of values (any bit patterns that are finite), a tree and a
// line; every value must be finite, and what must agree must agree.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <map>

#include "check.hpp"
#include "owen/cache.hpp"
#include "owen/coalition_index.hpp"
#include "owen/interval.hpp"
#include "owen/table.hpp"
#include "owen/tree.hpp"

namespace {

class Bytes {
 public:
  Bytes(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
  std::uint8_t next() { return at_ < size_ ? data_[at_++] : 0; }
  double value() {  // exactly representable, of very different sizes
    const int mantissa = static_cast<std::int8_t>(next());
    return std::ldexp(mantissa, next() % 40 - 20);
  }

 private:
  const std::uint8_t* data_;
  std::size_t size_, at_ = 0;
};

owen::Node tree(Bytes& bytes, int begin, int end) {
  if (end - begin == 1) return owen::make_leaf(begin);
  std::vector<owen::Node> children;
  for (int at = begin; at < end;) {
    int size = 1 + bytes.next() % (end - at);
    if (size == end - begin) size = 1;
    children.push_back(tree(bytes, at, at + size));
    at += size;
  }
  return owen::make_node(std::move(children));
}

// Batches are claimed, found and forgotten as the bytes say.
void index_like_a_map(Bytes& bytes) {
  owen::CoalitionIndex index(1 + bytes.next() % 200);
  std::map<owen::Row, std::int64_t> expected;
  std::vector<owen::Row> in_order;
  for (int step = bytes.next() % 8; step > 0; --step) {
    std::vector<owen::Row> rows(bytes.next(), owen::Row(index.words()));
    owen::Row batch;
    for (owen::Row& row : rows) {
      for (auto& word : row) word = bytes.next() % 16;
      batch.insert(batch.end(), row.begin(), row.end());
    }
    std::vector<std::int64_t> found(rows.size()), claimed(rows.size());
    index.find(batch.data(), rows.size(), found.data());
    for (std::size_t k = 0; k < rows.size(); ++k)
      CHECK(found[k] == (expected.count(rows[k]) ? expected[rows[k]] : -1));
    index.claim(batch.data(), rows.size(), claimed.data());
    for (std::size_t k = 0; k < rows.size(); ++k) {
      const auto next = static_cast<std::int64_t>(in_order.size());
      if (expected.emplace(rows[k], next).second) in_order.push_back(rows[k]);
      CHECK(claimed[k] == expected[rows[k]]);
    }
    const std::size_t kept = 4 * std::size_t{bytes.next()};
    index.truncate(kept);
    for (; in_order.size() > kept; in_order.pop_back()) expected.erase(in_order.back());
    CHECK(index.size() == in_order.size());
    for (std::size_t id = 0; id < index.size(); ++id)
      CHECK(std::equal(in_order[id].begin(), in_order[id].end(), index.row(id)));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes bytes(data, size);
  const int n = 2 + bytes.next() % 9;
  const std::size_t count = std::size_t{1} << n;
  const auto players = static_cast<std::size_t>(n);
  std::vector<double> table(count);
  double largest = 0;
  for (double& value : table) largest = std::fmax(largest, std::fabs(value = bytes.value()));
  const double tolerance = 1e-11 * (largest + 1e-300);

  std::vector<double> values(players);
  const auto weights = owen::shapley_weights(n);
  owen::fold_table(table.data(), n, weights.data(), values.data());
  const auto expected = semivalue(table, n, weights);
  double total = 0;
  for (std::size_t i = 0; i < players; ++i) {
    CHECK(std::fabs(values[i] - expected[i]) <= tolerance);
    total += values[i];
  }
  CHECK(std::fabs(total - (table.back() - table.front())) <= tolerance);

  const owen::Node root = tree(bytes, 0, n);
  std::vector<std::uint64_t> rows(root.interior);
  CHECK(owen::write_interior(root, owen::Row(1, 0), rows.data()) == rows.data() + rows.size());
  owen::CoalitionCache cache(n);
  std::vector<double> interior(rows.size());
  for (std::size_t k = 0; k < rows.size(); ++k) {
    bool known = true;
    cache.find(&rows[k], 1, &interior[k], &known);
    CHECK(!known);  // no coalition is listed twice
    cache.put(&rows[k], 1, &table[rows[k]]);
    cache.find(&rows[k], 1, &interior[k], &known);
    CHECK(known && interior[k] == table[rows[k]]);
  }
  owen::tree_values(root, interior.data(), table.front(), table.back(), owen::shapley_weights,
                    owen::shapley_weights, values.data());
  total = 0;
  for (const double value : values) total += value;
  CHECK(std::fabs(total - (table.back() - table.front())) <= tolerance);

  index_like_a_map(bytes);

  const owen::IntervalFamily family(n, 1 + bytes.next() % n);
  std::vector<double> line(family.size());
  for (double& value : line) value = bytes.value();
  for (const auto transform :
       {owen::myerson_path, owen::growing_interval, owen::window_marginals}) {
    transform(family, line.data(), values.data());
    for (const double value : values) CHECK(std::isfinite(value));
  }
  return 0;
}

#ifdef STANDALONE
int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 10;
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  Random random{static_cast<std::uint64_t>(argc > 2 ? std::atoll(argv[2]) : 0)};
  long inputs = 0;
  for (; std::chrono::steady_clock::now() < end; ++inputs) {
    std::vector<std::uint8_t> data(random.below(4096));
    for (auto& byte : data) byte = static_cast<std::uint8_t>(random.next());
    LLVMFuzzerTestOneInput(data.data(), data.size());
  }
  std::printf("fuzzed %ld inputs\n", inputs);
}
#endif
