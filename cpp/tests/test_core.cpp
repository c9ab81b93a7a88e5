// The headers, tested from C++ alone; built plain and with sanitizers.
#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>

#include "check.hpp"
#include "owen/cache.hpp"
#include "owen/graph.hpp"
#include "owen/interval.hpp"
#include "owen/rank.hpp"
#include "owen/table.hpp"
#include "owen/tree.hpp"

namespace {

template <typename Work>
bool throws(Work work) {
  try {
    work();
  } catch (const std::invalid_argument&) {
    return true;
  }
  return false;
}

void a_folded_table_equals_the_definition() {
  Random random{1};
  for (int n = 1; n <= 13; ++n) {
    const auto table = random_values(random, std::size_t{1} << n);
    for (const auto& weights : {owen::shapley_weights(n), owen::banzhaf_weights(n)}) {
      std::vector<double> values(static_cast<std::size_t>(n));
      owen::fold_table(table.data(), n, weights.data(), values.data());
      CHECK(close(values, semivalue(table, n, weights)));
    }
  }
  CHECK(throws([] { owen::fold_table(nullptr, 0, nullptr, nullptr); }));
  CHECK(throws([] { owen::fold_table(nullptr, 31, nullptr, nullptr); }));
  CHECK(throws([] { owen::fold_rows_for("none such"); }));
}

void threads_and_instruction_sets_change_no_bit() {
  Random random{2};
  const int n = 20;
  const auto table = random_values(random, std::size_t{1} << n);
  const auto weights = owen::shapley_weights(n);
  std::vector<double> expected(n), values(n);
  owen::fold_table(table.data(), n, weights.data(), expected.data(), nullptr,
                   owen::fold_rows_for("baseline"));
  for (const std::size_t threads : {1, 2, 5}) {
    owen::ThreadPool pool(threads);
    for (const auto& set : owen::instruction_sets())
      for (int repeat = 0; repeat < 3; ++repeat) {
        owen::fold_table(table.data(), n, weights.data(), values.data(), &pool, set.fold_rows);
        CHECK(values == expected);
      }
  }
}

owen::Node random_tree(Random& random, const std::vector<int>& players) {
  if (players.size() == 1) return owen::make_leaf(players[0]);
  std::vector<owen::Node> children;
  for (std::size_t at = 0; at < players.size();) {
    const std::size_t size = 1 + random.below(players.size() - at);
    const std::vector<int> part(players.begin() + static_cast<std::ptrdiff_t>(at),
                                players.begin() + static_cast<std::ptrdiff_t>(at + size));
    if (size == players.size()) continue;  // that would be this node again
    children.push_back(random_tree(random, part));
    at += size;
  }
  return owen::make_node(std::move(children));
}

void trees_list_distinct_coalitions_and_share_out_everything() {
  Random random{3};
  for (int repeat = 0; repeat < 200; ++repeat) {
    const int n = 2 + static_cast<int>(random.below(9));
    std::vector<int> players(static_cast<std::size_t>(n));
    for (int i = 0; i < n; ++i) players[static_cast<std::size_t>(i)] = i;
    for (std::size_t i = players.size() - 1; i > 0; --i)
      std::swap(players[i], players[random.below(i + 1)]);
    const owen::Node root = random_tree(random, players);
    std::vector<std::uint64_t> rows(root.interior);
    CHECK(owen::write_interior(root, owen::Row(1, 0), rows.data()) == rows.data() + rows.size());
    const std::set<std::uint64_t> distinct(rows.begin(), rows.end());
    const std::uint64_t everyone = (std::uint64_t{1} << n) - 1;
    CHECK(distinct.size() == rows.size() && !distinct.count(0) && !distinct.count(everyone));
    const auto table = random_values(random, std::size_t{1} << n);
    std::vector<double> interior;
    for (const std::uint64_t row : rows) interior.push_back(table[row]);
    std::vector<double> credits(static_cast<std::size_t>(n));
    owen::tree_values(root, interior.data(), table.front(), table.back(), owen::shapley_weights,
                      owen::shapley_weights, credits.data());
    double total = 0;
    for (const double credit : credits) total += credit;
    CHECK(std::fabs(total - (table.back() - table.front())) < 1e-9);
  }
  CHECK(throws([] { owen::make_node({}); }));
  CHECK(throws([] { owen::make_node(std::vector<owen::Node>(25, owen::make_leaf(0))); }));
}

void interval_values_of_additive_games_are_the_players_own() {
  Random random{4};
  for (int n = 1; n <= 12; ++n)
    for (int width = 1; width <= n; ++width) {
      const owen::IntervalFamily family(n, width);
      const auto own = random_values(random, static_cast<std::size_t>(n));
      std::vector<double> v{0.5};
      for (int w = 1; w <= width; ++w)
        for (int a = 0; a + w <= n; ++a) {
          double sum = 0.5;
          for (int i = a; i < a + w; ++i) sum += own[static_cast<std::size_t>(i)];
          v.push_back(sum);
        }
      if (family.ends_with_grand_coalition()) v.push_back(100);
      CHECK(v.size() == family.size());
      std::vector<double> values(static_cast<std::size_t>(n));
      owen::myerson_path(family, v.data(), values.data());
      CHECK(close(values, own));
      owen::window_marginals(family, v.data(), values.data());
      if (width == n) {
        owen::growing_interval(family, v.data(), values.data());
        CHECK(close(values, own));
      }
    }
  CHECK(throws([] { owen::IntervalFamily(3, 4); }));
  CHECK(throws([] { owen::IntervalFamily(0, 1); }));
}

void a_cache_is_a_map() {
  Random random{5};
  for (const int n : {7, 64, 65, 200}) {
    owen::CoalitionCache cache(n);
    std::map<owen::Row, double> expected;
    for (int repeat = 0; repeat < 20000; ++repeat) {
      owen::Row row(cache.words());
      for (auto& word : row) word = random.below(100);
      double value = -1;
      const auto known = expected.find(row);
      CHECK(cache.find(row.data(), &value) == (known != expected.end()));
      if (known != expected.end()) CHECK(value == known->second);
      expected[row] = repeat;
      cache.put(row.data(), repeat);
      CHECK(cache.size() == expected.size());
    }
  }
}

void connected_coalitions_are_counted_right() {
  std::vector<std::uint64_t> path(10), complete(10);
  for (std::size_t i = 0; i < 10; ++i) {
    complete[i] = 1023 & ~(std::uint64_t{1} << i);
    if (i > 0) path[i] |= std::uint64_t{1} << (i - 1);
    if (i < 9) path[i] |= std::uint64_t{1} << (i + 1);
  }
  CHECK(owen::ConnectedCoalitions(path, 1000).found().size() == 55);
  CHECK(owen::ConnectedCoalitions(complete, 2000).found().size() == 1023);
  CHECK(throws([&] { owen::ConnectedCoalitions(complete, 1022); }));
  CHECK(throws([] { owen::ConnectedCoalitions(std::vector<std::uint64_t>(65), 9); }));
}

void counted_ranks_are_positions_in_a_stable_order() {
  Random random{6};
  for (int repeat = 0; repeat < 500; ++repeat) {
    std::vector<double> scores(1 + random.below(40));
    for (double& score : scores) score = static_cast<double>(random.below(5));
    std::vector<std::size_t> order(scores.size());
    for (std::size_t d = 0; d < order.size(); ++d) order[d] = d;
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
    for (std::size_t k = 0; k < order.size(); ++k) {
      const std::size_t target = order[k];
      const auto rank = owen::rank_of(scores.data(), scores.size(), target, 0.0);
      CHECK(rank == (scores[target] > 0 ? static_cast<std::int64_t>(k) + 1 : 0));
    }
  }
}

}  // namespace

int main() {
  a_folded_table_equals_the_definition();
  threads_and_instruction_sets_change_no_bit();
  trees_list_distinct_coalitions_and_share_out_everything();
  interval_values_of_additive_games_are_the_players_own();
  a_cache_is_a_map();
  connected_coalitions_are_counted_right();
  counted_ranks_are_positions_in_a_stable_order();
  std::puts("C++ tests: all passed");
}
