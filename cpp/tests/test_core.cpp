// The headers, tested from C++ alone; built plain and with sanitizers.
#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>

#include "check.hpp"
#include "owen/cache.hpp"
#include "owen/coalition.hpp"
#include "owen/coalition_index.hpp"
#include "owen/game.hpp"
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

// `count` rows in one, few enough different ones that they repeat.
owen::Row random_rows(Random& random, std::size_t words, std::size_t count) {
  owen::Row rows(words * count);
  for (auto& word : rows) word = random.below(30);
  return rows;
}

void an_index_numbers_coalitions_like_a_map_and_forgets_the_last() {
  Random random{5};
  for (const int n : {7, 64, 65, 200}) {
    owen::CoalitionIndex index(n);
    std::map<owen::Row, std::int64_t> expected;
    std::vector<owen::Row> in_order;
    for (int repeat = 0; repeat < 400; ++repeat) {
      const std::size_t count = random.below(60);
      const owen::Row rows = random_rows(random, index.words(), count);
      std::vector<std::int64_t> found(count), claimed(count);
      index.find(rows.data(), count, found.data());
      const std::size_t before = index.size();
      index.claim(rows.data(), count, claimed.data());
      for (std::size_t k = 0; k < count; ++k) {
        const auto begin = rows.begin() + static_cast<std::ptrdiff_t>(k * index.words());
        const owen::Row row(begin, begin + static_cast<std::ptrdiff_t>(index.words()));
        const auto next = static_cast<std::int64_t>(expected.size());
        const bool is_new = expected.emplace(row, next).second;
        if (is_new) in_order.push_back(row);
        CHECK(claimed[k] == expected[row]);
        CHECK(found[k] == (claimed[k] < static_cast<std::int64_t>(before) ? claimed[k] : -1));
      }
      CHECK(index.size() == expected.size());
      for (std::size_t id = before; id < index.size(); ++id)
        CHECK(std::equal(in_order[id].begin(), in_order[id].end(), index.row(id)));
      if (repeat % 7 == 0) index.reserve(random.below(5000));
      if (repeat % 5 == 0) {
        const std::size_t kept = random.below(index.size() + 10);
        index.truncate(kept);
        for (; in_order.size() > kept; in_order.pop_back()) expected.erase(in_order.back());
      }
    }
  }
  CHECK(throws([] { owen::CoalitionIndex(0); }));
  CHECK(throws([] { owen::CoalitionIndex(-1); }));
}

void coalitions_with_one_hash_are_told_apart() {
  // The second word can undo what the first did to the hash of CoalitionIndex.
  const auto after_first_word = [](std::uint64_t word) {
    const std::uint64_t h = word * 0x9e3779b97f4a7c15ull;
    return h ^ (h >> 32);
  };
  owen::CoalitionIndex index(128);
  owen::Row rows;
  for (std::uint64_t word = 0; word < 50; ++word) {
    rows.push_back(word);
    rows.push_back(after_first_word(word));
  }
  std::vector<std::int64_t> ids(50);
  for (int repeat = 0; repeat < 2; ++repeat) {
    index.claim(rows.data(), 50, ids.data());
    for (std::int64_t k = 0; k < 50; ++k) CHECK(ids[static_cast<std::size_t>(k)] == k);
  }
  index.truncate(25);
  index.find(rows.data(), 50, ids.data());
  for (std::int64_t k = 0; k < 50; ++k)
    CHECK(ids[static_cast<std::size_t>(k)] == (k < 25 ? k : -1));
}

void a_cache_is_a_map() {
  Random random{7};
  for (const int n : {7, 64, 65, 200}) {
    owen::CoalitionCache cache(n);
    std::map<owen::Row, double> expected;
    for (int repeat = 0; repeat < 400; ++repeat) {
      const std::size_t count = random.below(60);
      const owen::Row rows = random_rows(random, cache.words(), count);
      const auto put = random_values(random, count);
      std::vector<double> values(count, -1);
      const auto known = std::make_unique<bool[]>(count);
      cache.find(rows.data(), count, values.data(), known.get());
      cache.put(rows.data(), count, put.data());
      std::vector<owen::Row> keys;
      for (std::size_t k = 0; k < count; ++k) {
        const auto begin = rows.begin() + static_cast<std::ptrdiff_t>(k * cache.words());
        keys.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(cache.words()));
        const auto entry = expected.find(keys[k]);
        CHECK(known[k] == (entry != expected.end()));
        CHECK(values[k] == (known[k] ? entry->second : 0.0));
      }
      for (std::size_t k = 0; k < count; ++k) expected[keys[k]] = put[k];
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
    std::vector<double> scores(1 + random.below(repeat % 50 == 0 ? 6000 : 40));
    for (double& score : scores) score = static_cast<double>(random.below(5));
    std::vector<std::int64_t> order(scores.size()), ranks(scores.size());
    for (std::size_t d = 0; d < order.size(); ++d) order[d] = static_cast<std::int64_t>(d);
    const auto score = [&](std::int64_t d) { return scores[static_cast<std::size_t>(d)]; };
    std::stable_sort(order.begin(), order.end(),
                     [&](std::int64_t a, std::int64_t b) { return score(a) > score(b); });
    for (const owen::CountRanks count_ranks : owen::rank_counters()) {
      count_ranks(scores.data(), scores.size(), order.data(), order.size(), 0.0, ranks.data());
      for (std::size_t k = 0; k < order.size(); ++k)
        CHECK(ranks[k] == (score(order[k]) > 0 ? static_cast<std::int64_t>(k) + 1 : 0));
    }
  }
}

void coalitions_are_the_same_in_both_forms() {
  Random random{7};
  for (std::size_t n = 1; n <= 200; ++n)
    for (const std::size_t rows : {1, 2, 3}) {
      const std::size_t words = owen::words_for(n);
      std::vector<std::uint64_t> packed(rows * words, 0), again(rows * words);
      std::vector<std::uint8_t> expected(rows * n), coalitions(rows * n);
      for (std::size_t k = 0; k < rows; ++k)
        for (std::size_t i = 0; i < n; ++i) {
          expected[k * n + i] = static_cast<std::uint8_t>(random.below(2));
          packed[k * words + i / 64] |= std::uint64_t{expected[k * n + i]} << (i % 64);
        }
      owen::unpack(packed.data(), rows, n, coalitions.data());
      CHECK(coalitions == expected);
      owen::pack(coalitions.data(), rows, n, again.data());
      CHECK(again == packed);
    }
}

// Twice the first word, but for coalitions that hold player 9: those it forgets.
void forgetful(const std::uint64_t* coalitions, std::int64_t batch, std::int64_t words, double* out,
               void* context) {
  for (std::int64_t k = 0; k < batch; ++k)
    if (const std::uint64_t first = coalitions[k * words]; !(first >> 9 & 1))
      out[k] = static_cast<double>(first) * *static_cast<double*>(context);
}

void a_compiled_game_answers_the_same_on_any_number_of_threads() {
  double two = 2;
  owen::ThreadPool pool(3);
  for (const std::size_t batch : {0, 1, 31, 32, 64, 1000, 5000}) {
    std::vector<std::uint64_t> coalitions(2 * batch);
    for (std::size_t k = 0; k < batch; ++k) coalitions[2 * k] = k;
    for (owen::ThreadPool* threads : {static_cast<owen::ThreadPool*>(nullptr), &pool}) {
      std::vector<double> values(batch, -1);
      owen::evaluate(forgetful, &two, coalitions.data(), batch, 2, values.data(), threads);
      for (std::size_t k = 0; k < batch; ++k)
        CHECK(k >> 9 & 1 ? std::isnan(values[k]) : values[k] == 2.0 * static_cast<double>(k));
    }
  }
}

void a_task_may_have_tasks_of_its_own() {
  owen::ThreadPool pool(3);
  std::vector<int> done(40, 0);
  pool.run(4, [&](std::size_t k) { pool.run(10, [&](std::size_t j) { ++done[10 * k + j]; }); });
  CHECK(done == std::vector<int>(40, 1));
}

void one_value_that_is_not_finite_is_found_anywhere() {
  const double infinity = std::numeric_limits<double>::infinity();
  for (std::size_t count = 0; count <= 40; ++count) {
    std::vector<double> values(count, -std::numeric_limits<double>::max());
    CHECK(owen::all_finite(values.data(), count));
    for (std::size_t k = 0; k < count; ++k)
      for (const double bad : {infinity, -infinity, std::nan("")}) {
        const double good = values[k];
        values[k] = bad;
        CHECK(!owen::all_finite(values.data(), count));
        values[k] = good;
      }
  }
}

}  // namespace

int main() {
  a_folded_table_equals_the_definition();
  threads_and_instruction_sets_change_no_bit();
  trees_list_distinct_coalitions_and_share_out_everything();
  interval_values_of_additive_games_are_the_players_own();
  an_index_numbers_coalitions_like_a_map_and_forgets_the_last();
  coalitions_with_one_hash_are_told_apart();
  a_cache_is_a_map();
  connected_coalitions_are_counted_right();
  counted_ranks_are_positions_in_a_stable_order();
  coalitions_are_the_same_in_both_forms();
  a_compiled_game_answers_the_same_on_any_number_of_threads();
  a_task_may_have_tasks_of_its_own();
  one_value_that_is_not_finite_is_found_anywhere();
  std::puts("C++ tests: all passed");
}
