// The table fold against a streaming read of the same table, in one process, interleaved.
//
// Prints, for each n, the stream's time and the ratio of every fold to it (minimum over repeats).
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "owen/table.hpp"

namespace {

// As fast as one thread reads: 32 independent sums.
__attribute__((always_inline)) inline double stream(const double* table, std::size_t size) {
  double lanes[32] = {};
  for (std::size_t i = 0; i < size; i += 32)
    for (std::size_t lane = 0; lane < 32; ++lane) lanes[lane] += table[i + lane];
  double total = 0.0;
  for (const double lane : lanes) total += lane;
  return total;
}
#if defined(__x86_64__) && defined(__GNUC__)
__attribute__((target("avx2"), noinline)) double read_all(const double* table, std::size_t size) {
  return stream(table, size);
}
#else
double read_all(const double* table, std::size_t size) { return stream(table, size); }
#endif

template <typename Work>
double seconds(Work work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

int main() {
  owen::ThreadPool pool(std::max(1u, std::thread::hardware_concurrency()));
  std::printf("   n   stream ms   fold / stream, one thread; of it, by instruction set\n");
  std::printf("%17s  %10s", "", "");
  for (const auto& set : owen::instruction_sets()) std::printf("  %10s", set.name.c_str());
  std::printf("  all threads\n");
  for (const int n : {16, 20, 22, 24, 26}) {
    const std::size_t size = std::size_t{1} << n;
    std::vector<double> table(size), values(static_cast<std::size_t>(n));
    for (std::size_t i = 0; i < size; ++i)
      table[i] = static_cast<double>(i * 2654435761u % 1000) / 1000;
    const auto weights = owen::shapley_weights(n);
    std::vector<double> best(owen::instruction_sets().size() + 3, 1e9);
    volatile double sink = 0.0;
    for (int repeat = 0; repeat < (n >= 24 ? 30 : 100); ++repeat) {
      std::size_t column = 0;
      const auto keep = [&](double time) {
        best[column] = std::min(best[column], time);
        ++column;
      };
      keep(seconds([&] { sink = read_all(table.data(), size); }));
      keep(seconds([&] { owen::fold_table(table.data(), n, weights.data(), values.data()); }));
      for (const auto& set : owen::instruction_sets())
        keep(seconds([&] {
          owen::fold_table(table.data(), n, weights.data(), values.data(), nullptr, set.fold_rows);
        }));
      keep(seconds(
          [&] { owen::fold_table(table.data(), n, weights.data(), values.data(), &pool); }));
    }
    std::printf("%4d  %10.3f ", n, best[0] * 1e3);
    for (std::size_t k = 1; k < best.size(); ++k) std::printf("  %10.2f", best[k] / best[0]);
    std::printf("\n");
    (void)sink;
  }
}
