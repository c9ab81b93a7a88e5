#include "bind.hpp"
#include "owen/error.hpp"
#include "owen/rank.hpp"

namespace owen_bind {

void bind_rank(py::module_& m) {
  m.def(
      "count_ranks",
      [](const Array<double>& scores, const Array<std::int64_t>& targets, double floor) {
        owen::require(scores.ndim() == 2 && targets.ndim() == 1,
                      "scores are (rankings, documents) and targets (documents,)");
        const auto rankings = scores.shape(0), documents = scores.shape(1);
        for (py::ssize_t t = 0; t < targets.size(); ++t)
          owen::require(targets.at(t) >= 0 && targets.at(t) < documents, "target ", targets.at(t),
                        " is not one of the ", documents, " documents");
        Array<std::int64_t> ranks({rankings, targets.size()});
        const double* in = scores.data();
        const std::int64_t* at = targets.data();
        std::int64_t* out = ranks.mutable_data();
        const auto wanted = targets.size();
        {
          py::gil_scoped_release release;
          const owen::CountRanks count_ranks = owen::rank_counters().front();
          for (py::ssize_t r = 0; r < rankings; ++r)
            count_ranks(in + r * documents, static_cast<std::size_t>(documents), at,
                        static_cast<std::size_t>(wanted), floor, out + r * wanted);
        }
        return ranks;
      },
      py::arg("scores").noconvert(), py::arg("targets").noconvert(), py::arg("floor"));
}

}  // namespace owen_bind
