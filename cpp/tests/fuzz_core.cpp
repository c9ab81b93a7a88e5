// A fuzz driver for libFuzzer, or, built with -DSTANDALONE, one that feeds itself random bytes.
//
// The bytes decide the players, a table of values (any bit patterns that are finite), a tree and a
// line; every value must be finite, and what must agree must agree.
#include <chrono>
#include <cstddef>
#include <cstring>

#include "check.hpp"
#include "owen/cache.hpp"
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
  std::vector<double> interior;
  for (const std::uint64_t row : rows) {
    double found = 0;
    CHECK(!cache.find(&row, &found));  // no coalition is listed twice
    cache.put(&row, table[row]);
    CHECK(cache.find(&row, &found) && found == table[row]);
    interior.push_back(found);
  }
  owen::tree_values(root, interior.data(), table.front(), table.back(), owen::shapley_weights,
                    owen::shapley_weights, values.data());
  total = 0;
  for (const double value : values) total += value;
  CHECK(std::fabs(total - (table.back() - table.front())) <= tolerance);

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
