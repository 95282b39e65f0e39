// Work off the loop: one helper thread that runs jobs in order and tells the loop when each is
// done. It serves what would stall clients: freeing large values, writing and syncing files. The
// kernel schedules it as batch or idle work, so that it does not displace the loop where cores are
// few.
#pragma once

#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>

#include "ae/event_loop.h"
#include "ae/spsc_queue.h"
#include "ae/wakeup.h"
#include "src/base/error.h"

namespace aeris::ae {

// One producer (the loop's thread) and one consumer (the helper) share each queue, so Submit takes
// no lock: one allocation, and a futex call only when the helper sleeps.
//
// Guards: jobs_ and dones_ by their own atomics; submitted_ and finished_ are atomic; everything
// else belongs to the loop's thread.
class Worker {
 public:
  enum class Priority : std::uint8_t {
    kBatch,  // a fair share of the core, which it never takes from the thread that wakes it
    kIdle,   // what others leave, and the core is taken from it as soon as they want it
  };
  // `name` is what ps shows, at most 15 bytes. The thread blocks every signal. kSystem when no
  // thread or descriptor can be had.
  static std::expected<std::unique_ptr<Worker>, Error> Create(EventLoop& loop, std::string name,
                                                              Priority priority = Priority::kBatch);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  // Finishes what was queued: waits for all work, then calls what is left of the `done_on_loop`s,
  // so what those refer to outlives the Worker. Not from a `done_on_loop`.
  ~Worker();

  // From the loop's thread. `work` runs, and is destroyed with all that it holds, on the helper
  // thread, after every job submitted before; `done_on_loop`, which may be empty, then runs on the
  // loop's thread in a later turn.
  void Submit(std::move_only_function<void()> work,
              std::move_only_function<void()> done_on_loop = nullptr);

  // Jobs whose work is not finished, the running one included.
  std::size_t pending() const {
    return submitted_.load(std::memory_order_relaxed) - finished_.load(std::memory_order_acquire);
  }

 private:
  struct Job {
    std::move_only_function<void()> work;  // empty: end the thread
    std::move_only_function<void()> done;
  };

  Worker() = default;
  static void* ThreadMain(void* worker);
  void RunJobs();
  // Calls at most `count_max` completions; whether some may be left.
  bool RunDones(std::size_t count_max);
  void Push(Job job);

  SpscQueue<Job> jobs_;                               // loop -> helper
  SpscQueue<std::move_only_function<void()>> dones_;  // helper -> loop
  std::atomic<std::uint32_t> queued_ = 0;             // jobs pushed, the last one included; wraps
  std::atomic<std::size_t> submitted_ = 0;
  std::atomic<std::size_t> finished_ = 0;
  std::unique_ptr<Wakeup> wakeup_;
  pthread_t thread_{};
  bool started_ = false;
  std::atomic<bool> has_heap_ = false;  // the helper has allocated for the first time
};

}  // namespace aeris::ae
