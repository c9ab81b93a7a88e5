// Estimators told the values of additive games: every sampler must find every player's own worth.
#include <cmath>
#include <cstdio>
#include <memory>
#include <vector>

#include "check.hpp"
#include "owen/banzhaf_sampling.hpp"
#include "owen/cyclic.hpp"
#include "owen/myerson_sampling.hpp"
#include "owen/permutation.hpp"
#include "owen/regression.hpp"

namespace {

using Design = owen::RegressionDesign;

const Design kDesigns[] = {
    {Design::Pairs::while_useful, Design::Ranges::narrow, Design::Sizes::optimal, true, true},
    {Design::Pairs::never, Design::Ranges::narrow, Design::Sizes::optimal, true, true},
    {Design::Pairs::always, Design::Ranges::one, Design::Sizes::uniform, false, true},
    {Design::Pairs::always, Design::Ranges::one, Design::Sizes::kernel, false, false},
    {Design::Pairs::never, Design::Ranges::none, Design::Sizes::uniform, true, true},
};

std::vector<std::unique_ptr<owen::Estimator>> every_estimator(int n, std::uint64_t seed) {
  std::vector<std::unique_ptr<owen::Estimator>> all;
  all.push_back(std::make_unique<owen::PermutationEstimator>(owen::Orders::of(n), seed, false));
  all.push_back(std::make_unique<owen::PermutationEstimator>(owen::Orders::of(n), seed, true));
  all.push_back(
      std::make_unique<owen::PermutationEstimator>(owen::Orders::growing(n), seed, false));
  all.push_back(std::make_unique<owen::CyclicEstimator>(owen::Orders::of(n), seed));
  all.push_back(std::make_unique<owen::MyersonEstimator>(n, seed));
  for (const Design& design : kDesigns)
    all.push_back(std::make_unique<owen::RegressionEstimator>(n, seed, design));
  all.push_back(std::make_unique<owen::BanzhafEstimator>(n, seed));
  return all;
}

// v(S) = 2 + the sum of i + 1 over the players i of S.
double worth(const std::uint64_t* row, std::size_t words) {
  double value = 2.0;
  owen::each_player(row, words, [&](std::size_t i) { value += static_cast<double>(i + 1); });
  return value;
}

void drive(owen::Estimator& estimator, std::size_t units, std::size_t limit) {
  while (estimator.units() < units && !estimator.exhausted()) {
    const owen::Words rows = estimator.propose(limit);
    if (rows.empty()) return;
    std::vector<double> values;
    for (std::size_t at = 0; at < rows.size(); at += estimator.words())
      values.push_back(worth(rows.data() + at, estimator.words()));
    estimator.absorb(values.data(), estimator.unit_rows().size());
  }
}

void every_estimator_finds_what_players_of_an_additive_game_are_worth() {
  for (const int n : {2, 3, 5, 8, 33, 64, 65, 130}) {
    std::vector<std::unique_ptr<owen::Estimator>> all = every_estimator(n, 7);
    for (std::size_t k = 0; k < all.size(); ++k) {
      const bool circles = k == 3;  // n (n - 1) coalitions each
      drive(*all[k], circles ? 2 : static_cast<std::size_t>(5 * n), 100);
      const owen::Estimate found = all[k]->estimate();
      // Difference of means of the sizes, and of in and out, are exact on average only.
      const bool loose = k + 2 >= all.size();
      for (std::size_t i = 0; i < found.values.size() && !loose; ++i)
        CHECK(std::abs(found.values[i] - static_cast<double>(i + 1)) < 1e-6 * n);
    }
  }
}

void what_is_not_absorbed_is_proposed_again() {
  for (const auto& estimator : every_estimator(9, 3)) {
    drive(*estimator, 2, 1);
    const owen::Words before = estimator->propose(40);
    const std::vector<std::size_t> units = estimator->unit_rows();
    CHECK(estimator->propose(40) == before);
    std::vector<double> values;
    for (std::size_t row = 0; row < units[0]; ++row) values.push_back(worth(&before[row], 1));
    estimator->absorb(values.data(), 1);
    const owen::Words after = estimator->propose(1);
    CHECK(std::equal(before.begin() + static_cast<std::ptrdiff_t>(units[0]), before.end(),
                     after.begin()));
  }
}

void numbers_below_a_bound_are_uniform_and_repeat() {
  owen::Random random(1);
  owen::Random same(1);
  std::vector<int> counts(7, 0);
  for (int k = 0; k < 70000; ++k) {
    const std::uint32_t drawn = random.below(7);
    CHECK(drawn == same.below(7));
    ++counts[drawn];
  }
  for (const int count : counts) CHECK(std::abs(count - 10000) < 500);
}

void a_cholesky_factor_solves_its_system() {
  Random random{5};
  for (std::size_t n = 1; n < 40; ++n) {
    std::vector<double> factor(n * n);
    for (double& x : factor) x = static_cast<double>(random.below(2001)) / 1000.0 - 1.0;
    std::vector<double> matrix(n * n, 0.0);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < n; ++j) {
        for (std::size_t k = 0; k < n; ++k)
          matrix[i * n + j] += factor[i * n + k] * factor[j * n + k];
        if (i == j) matrix[i * n + j] += 1.0;
      }
    std::vector<double> b(n);
    std::vector<double> x(n);
    for (double& entry : x) entry = static_cast<double>(random.below(100));
    for (std::size_t i = 0; i < n; ++i) b[i] = owen::dot(&matrix[i * n], x.data(), n);
    owen::Cholesky(matrix, n).solve(b.data());
    for (std::size_t i = 0; i < n; ++i) CHECK(std::abs(b[i] - x[i]) < 1e-8);
  }
}

}  // namespace

int main() {
  every_estimator_finds_what_players_of_an_additive_game_are_worth();
  what_is_not_absorbed_is_proposed_again();
  numbers_below_a_bound_are_uniform_and_repeat();
  a_cholesky_factor_solves_its_system();
  std::puts("C++ tests: all passed");
}
