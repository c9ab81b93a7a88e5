#ifdef _WIN32
#include <process.h>
#else
#include <unistd.h>
#endif

#include <algorithm>
#include <memory>
#include <mutex>
#include <thread>

#include "bind.hpp"

namespace owen_bind {

// Workers do not survive a fork, so a child process makes its own pool when it first needs one.
owen::ThreadPool& shared_pool() {
  static std::mutex mutex;
  static std::unique_ptr<owen::ThreadPool> shared;
  static int owner = 0;
  const std::lock_guard<std::mutex> lock(mutex);
  if (owner != getpid()) {
    (void)shared.release();  // the parent's: its threads are not here to be joined
    shared = std::make_unique<owen::ThreadPool>(std::max(1u, std::thread::hardware_concurrency()));
    owner = getpid();
  }
  return *shared;
}

}  // namespace owen_bind
