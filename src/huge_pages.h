// HugePages: has huge pages made for what databases keep at rest, and puts them in place
// (storage/huge_page.h), one every 50 ms.
//
// The kernel clears such a page in one go, for 0.2 ms, and for 5 ms in a virtual machine whose host
// has no memory there yet. On another core nobody waits for that. Where the process has one core
// alone it would be the loop that waits, so there pages are made only while the loop leaves half of
// the time, by a thread that the scheduler takes the core from as soon as the loop wakes up.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>

#include "ae/completion.h"
#include "ae/event_loop.h"
#include "src/base/error.h"

namespace aeris {

class Databases;

class HugePages {
 public:
  explicit HugePages(Databases& databases) : databases_(databases) {}
  // Begins, and goes on by itself. `loop` outlives it, or Stop().
  std::expected<void, Error> Start(ae::EventLoop& loop);
  void Stop();

  // What the thread has allocated less what it has freed (memory_info.h), when the last page that
  // is known to be made was.
  std::int64_t thread_net_bytes() const { return thread_net_bytes_; }
  // Whether a page may be made by a process of so many cores, whose loop has worked for `busy` of
  // the time that has passed.
  static bool MayTakeTime(std::chrono::nanoseconds busy, std::chrono::nanoseconds passed,
                          int cores) {
    return cores > 1 || 2 * busy <= passed;
  }

 private:
  std::chrono::milliseconds Step();
  bool LoopHasTime();

  Databases& databases_;
  std::unique_ptr<ae::Worker> worker_;
  ae::TimeEvent steps_;
  bool making_ = false;
  bool possible_ = true;  // the last one could be made
  std::int64_t thread_net_bytes_ = 0;
  // At the last step.
  std::chrono::nanoseconds cpu_time_{};
  MonotonicTime time_{};
};

}  // namespace aeris
