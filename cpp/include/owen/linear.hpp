// Solving symmetric positive definite systems, with the same bits on every processor.
//
// A linear algebra library picks its kernels by the processor, and its results change with them.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

namespace owen {

// The sum of a[k] * b[k], in lanes of a fixed number, so that the loop vectorises.
inline double dot(const double* a, const double* b, std::size_t size) {
  constexpr std::size_t kLanes = 8;
  double lanes[kLanes] = {};
  std::size_t k = 0;
  for (; k + kLanes <= size; k += kLanes)
    for (std::size_t lane = 0; lane < kLanes; ++lane) lanes[lane] += a[k + lane] * b[k + lane];
  double rest = 0.0;
  for (; k < size; ++k) rest += a[k] * b[k];
  return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) +
         ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7])) + rest;
}

// The Cholesky factor L of a matrix A = L L', (n, n) by rows; only the lower half is read.
class Cholesky {
 public:
  Cholesky(std::vector<double> matrix, std::size_t n) : n_(n), lower_(std::move(matrix)) {
    for (std::size_t i = 0; i < n_; ++i) {
      double* row = &lower_[i * n_];
      for (std::size_t j = 0; j < i; ++j)
        row[j] = (row[j] - dot(row, &lower_[j * n_], j)) / lower_[j * n_ + j];
      row[i] = std::sqrt(row[i] - dot(row, row, i));
    }
    // The upper half takes L', so that both substitutions read along rows.
    for (std::size_t i = 0; i < n_; ++i)
      for (std::size_t j = 0; j < i; ++j) lower_[j * n_ + i] = lower_[i * n_ + j];
  }

  // Replaces b by the solution of A x = b.
  void solve(double* b) const {
    for (std::size_t i = 0; i < n_; ++i)
      b[i] = (b[i] - dot(&lower_[i * n_], b, i)) / lower_[i * n_ + i];
    for (std::size_t i = n_; i-- > 0;)
      b[i] = (b[i] - dot(&lower_[i * n_ + i + 1], b + i + 1, n_ - i - 1)) / lower_[i * n_ + i];
  }

 private:
  std::size_t n_;
  std::vector<double> lower_;
};

}  // namespace owen
