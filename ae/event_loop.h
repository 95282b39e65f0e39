// The event loop: one thread, file events and time events, in turns.
//
//   turn: before-sleep hook | wait for the nearest deadline at most | after-sleep hook
//         | file events, each ready descriptor once | time events that are due, each once
//
// Everything here belongs to the loop's thread; others reach it through ae/wakeup.h only.
//
// Holds:    slots_[fd] is the watch of fd, or has no handler. An event is delivered only to a watch
//           that is older than the wait that reported it: a slot keeps the turn of its birth, so an
//           event that is still queued for a closed descriptor never reaches the next owner of its
//           number. The loop touches neither handler nor slot after a call, so a handler may end
//           its own watch, destroy itself, or do so to any other.
// Cost:     a file event costs one indexed read of 16 bytes and one virtual call, no hash and no
//           allocation; a time event O(log timers).
// Memory:   16 bytes per descriptor number up to the highest watched, 64 bytes or so per timer.
// Measured: tests/bench/ae/event_loop_bench.cc. Among 10,000 watches an event is dispatched in 2
// ns;
//           functions in a hash table need 6 ns, and promise nothing about closed descriptors.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "ae/poller.h"
#include "ae/timer_heap.h"
#include "src/base/clock.h"
#include "src/base/error.h"

namespace aeris::ae {

class EventLoop;

// Receives the readiness of the descriptors it is watched with.
class FileHandler {
 public:
  // `ready` holds at least one bit of the interest, or both bits after a hang-up or an error, which
  // the next read or write shows. Level-triggered: what is left unread comes again next turn.
  virtual void OnReady(Ready ready) = 0;

 protected:
  ~FileHandler() = default;
};

// The watch of one descriptor. Destroying it ends the watch at once: a handler may destroy its own
// FileEvent, or another's, and no event still queued in this turn will reach it. The descriptor is
// closed after its FileEvent, and the loop outlives both.
class [[nodiscard]] FileEvent {
 public:
  FileEvent() = default;
  FileEvent(FileEvent&& other) noexcept
      : loop_(std::exchange(other.loop_, nullptr)), fd_(std::exchange(other.fd_, -1)) {}
  FileEvent& operator=(FileEvent&& other) noexcept;
  ~FileEvent() { Reset(); }

  // No system call when `interest` is unchanged. Fails only with kSystem, and then nothing changed.
  // kNone silences the descriptor, its hang-up included.
  std::expected<void, Error> SetInterest(Ready interest);
  Ready interest() const;
  explicit operator bool() const { return loop_ != nullptr; }
  // Ends the watch, as destroying does.
  void Reset();

 private:
  friend class EventLoop;
  FileEvent(EventLoop* loop, int fd) : loop_(loop), fd_(fd) {}

  EventLoop* loop_ = nullptr;
  int fd_ = -1;
};

// Runs once when due. Returns the delay until it shall run again, counted from its return, or
// nullopt when it is done. A delay of 0 means the next turn.
using TimeCallback = std::move_only_function<std::optional<std::chrono::milliseconds>()>;

// Owner of one timer. Destroying it cancels the timer, inside its own callback too. The loop
// outlives it.
class [[nodiscard]] TimeEvent {
 public:
  TimeEvent() = default;
  TimeEvent(TimeEvent&& other) noexcept
      : loop_(std::exchange(other.loop_, nullptr)),
        id_(other.id_),
        generation_(other.generation_) {}
  TimeEvent& operator=(TimeEvent&& other) noexcept;
  ~TimeEvent() { Reset(); }

  // Fire and forget: the timer lives until its callback is done, or the loop ends.
  void Detach() { loop_ = nullptr; }
  // Whether it will run again, or is running.
  bool active() const;
  // Cancels, as destroying does.
  void Reset();

 private:
  friend class EventLoop;
  TimeEvent(EventLoop* loop, TimerHeap::Id id, std::uint32_t generation)
      : loop_(loop), id_(id), generation_(generation) {}

  EventLoop* loop_ = nullptr;
  TimerHeap::Id id_ = 0;
  std::uint32_t generation_ = 0;
};

class EventLoop {
 public:
  struct Options {
    Poller& poller;       // epoll in production, a script in tests; outlives the loop
    const Clock& clock;   // monotonic time is all that is read; tests move it by hand
    std::size_t fds_max;  // descriptors at or above this number are refused
  };
  explicit EventLoop(const Options& options);
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;
  // Every FileEvent and TimeEvent that was not detached is gone by now.
  ~EventLoop();

  // Calls handler.OnReady() when `fd` is ready. `fd` and `handler` stay the caller's and outlive
  // the FileEvent; `fd` has no other watch. Errors: kLimit when fd >= fds_max or the poller cannot
  // hold it, kSystem from the kernel.
  std::expected<FileEvent, Error> Watch(int fd, Ready interest, FileHandler& handler);

  // Calls `callback` in the first turn that ends its wait `delay` from now or later. A negative
  // delay counts as 0. Timers due in one turn run by deadline, then in the order of their making;
  // one that is made or re-armed in that turn runs in the next at the earliest.
  TimeEvent AddTimeEvent(std::chrono::milliseconds delay, TimeCallback callback);

  // Called before each wait and right after it; an empty function removes the hook.
  void SetBeforeSleep(std::move_only_function<void()> hook) { before_sleep_ = std::move(hook); }
  void SetAfterSleep(std::move_only_function<void()> hook) { after_sleep_ = std::move(hook); }

  // One turn. Waits at most `wait_max` (kForever: until something happens) for the first file event
  // or deadline. Returns the handlers and time callbacks run. Not to be called from a callback.
  std::size_t RunOnce(std::chrono::milliseconds wait_max);
  // Turns until Stop(); a Stop() that came before Run() ends it before its first turn.
  void Run();
  // Loop's thread only: the present turn ends as usual and is the last.
  void Stop() { stopped_ = true; }

  // The time at which this turn's wait ended.
  MonotonicTime now() const { return now_; }
  const Clock& clock() const { return clock_; }
  std::string_view poller_name() const { return poller_.name(); }
  std::size_t fds_max() const { return fds_max_; }
  std::size_t watch_count() const { return watch_count_; }
  std::size_t timer_count() const { return timers_.size(); }

 private:
  friend class FileEvent;
  friend class TimeEvent;

  struct Slot {
    FileHandler* handler = nullptr;  // null: nobody watches
    std::uint32_t birth_turn = 0;    // wraps; a false match delays one event by one turn
    Ready interest = Ready::kNone;
  };
  static_assert(sizeof(Slot) == 16, "the head promises 16 bytes per descriptor number");

  struct TimerSlot {
    TimeCallback callback;
    std::uint32_t generation = 0;  // of the timers that had this id; a TimeEvent holds its own
  };

  std::expected<void, Error> SetInterest(int fd, Ready interest);
  void EndWatch(int fd);
  bool IsActive(TimerHeap::Id id, std::uint32_t generation) const;
  void Cancel(TimerHeap::Id id, std::uint32_t generation);

  std::chrono::milliseconds WaitFor(std::chrono::milliseconds wait_max) const;
  std::size_t RunFileEvents();
  std::size_t RunTimeEvents(std::uint64_t sequences_end);
  void RunEarliestTimer();

  Poller& poller_;
  const Clock& clock_;
  const std::size_t fds_max_;

  std::vector<Slot> slots_;   // by descriptor
  std::vector<Fired> fired_;  // of this turn; kept for its capacity
  std::size_t watch_count_ = 0;
  std::uint32_t turn_ = 0;  // counts waits

  TimerHeap timers_;
  std::vector<TimerSlot> timer_slots_;  // by TimerHeap::Id

  std::move_only_function<void()> before_sleep_;
  std::move_only_function<void()> after_sleep_;
  MonotonicTime now_;
  bool in_turn_ = false;
  bool stopped_ = false;
};

}  // namespace aeris::ae
