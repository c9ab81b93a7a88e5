// A pool of threads that outlives the work: starting threads costs more than a small fold.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace owen {

// Runs task(0) ... task(count - 1) on some threads, the caller among them. Which thread runs which
// task is not determined, so a task may only write what belongs to its number.
class ThreadPool {
 public:
  explicit ThreadPool(std::size_t threads) {
    workers_.reserve(threads);
    try {
      for (std::size_t k = 1; k < threads; ++k) workers_.emplace_back([this] { work(); });
    } catch (const std::system_error&) {
      // The system grants no more threads: those that it granted, and the caller, do the work.
    }
  }

  ~ThreadPool() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      closing_ = true;
    }
    wake_.notify_all();
    for (std::thread& worker : workers_) worker.join();
  }

  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  void run(std::size_t count, const std::function<void(std::size_t)>& task) {
    if (in_task_) {  // it would wait for itself
      for (std::size_t k = 0; k < count; ++k) task(k);
      return;
    }
    const std::lock_guard<std::mutex> one_job_at_a_time(jobs_);
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      task_ = &task;
      next_ = 0;
      count_ = count;
      unfinished_ = count;
    }
    wake_.notify_all();
    take_tasks();
    std::unique_lock<std::mutex> lock(mutex_);
    done_.wait(lock, [this] { return unfinished_ == 0; });
    task_ = nullptr;
  }

 private:
  void work() {
    for (;;) {
      {
        std::unique_lock<std::mutex> lock(mutex_);
        wake_.wait(lock, [this] { return closing_ || (task_ != nullptr && next_ < count_); });
        if (closing_) return;
      }
      take_tasks();
    }
  }

  void take_tasks() {
    for (;;) {
      const std::function<void(std::size_t)>* task;
      std::size_t mine;
      {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (task_ == nullptr || next_ == count_) return;
        task = task_;
        mine = next_++;
      }
      in_task_ = true;
      (*task)(mine);
      in_task_ = false;
      const std::lock_guard<std::mutex> lock(mutex_);
      if (--unfinished_ == 0) done_.notify_all();
    }
  }

  static inline thread_local bool in_task_ = false;
  std::vector<std::thread> workers_;
  std::mutex jobs_, mutex_;
  std::condition_variable wake_, done_;
  const std::function<void(std::size_t)>* task_ = nullptr;
  std::size_t next_ = 0, count_ = 0, unfinished_ = 0;
  bool closing_ = false;
};

}  // namespace owen
