#include "ae/event_loop.h"

#include <algorithm>
#include <string>

#include "src/base/check.h"

namespace aeris::ae {
namespace {

using std::chrono::milliseconds;

// Beyond this a deadline would leave the range of nanoseconds in 64 bits; nothing waits longer.
constexpr milliseconds kDelayMax = std::chrono::hours(24 * 365 * 100);

MonotonicTime After(MonotonicTime now, milliseconds delay) {
  return now + std::clamp(delay, milliseconds(0), kDelayMax);
}

}  // namespace

EventLoop::EventLoop(const Options& options)
    : poller_(options.poller),
      clock_(options.clock),
      fds_max_(options.fds_max),
      now_(options.clock.Monotonic()) {}

EventLoop::~EventLoop() {
  AERIS_CHECK(!in_turn_);
  // Callbacks may own watches and timers of this loop, so they go while it is whole.
  before_sleep_ = nullptr;
  after_sleep_ = nullptr;
  while (!timers_.empty()) {
    const TimerHeap::Id id = timers_.top().id;
    Cancel(id, timer_slots_[id].generation);
  }
  AERIS_DCHECK(watch_count_ == 0);
}

void EventLoop::Run() {
  while (!stopped_) RunOnce(kForever);
  stopped_ = false;
}

std::size_t EventLoop::RunOnce(milliseconds wait_max) {
  AERIS_CHECK(!in_turn_);
  in_turn_ = true;
  if (before_sleep_) before_sleep_();
  poller_.Wait(WaitFor(wait_max), fired_);
  ++turn_;
  now_ = clock_.Monotonic();
  const std::uint64_t sequences_end = timers_.next_sequence();
  if (after_sleep_) after_sleep_();
  const std::size_t handlers = RunFileEvents();
  const std::size_t callbacks = RunTimeEvents(sequences_end);
  in_turn_ = false;
  return handlers + callbacks;
}

// Rounded up to whole milliseconds: rounded down, the last one before a deadline would be spent in
// waits of 0 ms.
milliseconds EventLoop::WaitFor(milliseconds wait_max) const {
  if (stopped_) return milliseconds(0);
  if (timers_.empty()) return wait_max;
  const MonotonicTime::duration left = timers_.top().deadline - clock_.Monotonic();
  const milliseconds wait = std::max(std::chrono::ceil<milliseconds>(left), milliseconds(0));
  return wait_max < milliseconds(0) ? wait : std::min(wait, wait_max);
}

std::size_t EventLoop::RunFileEvents() {
  std::size_t handlers = 0;
  for (const Fired& fired : fired_) {
    const Slot& slot = slots_[static_cast<std::size_t>(fired.fd)];
    // Ended, or begun after the wait, or no more interested, by a handler before this one.
    if (slot.handler == nullptr || slot.birth_turn == turn_) continue;
    if (!Has(fired.ready, slot.interest)) continue;
    ++handlers;
    slot.handler->OnReady(fired.ready);
  }
  return handlers;
}

// Timers made or re-armed since the wait have a later sequence and a deadline of now_ or later, so
// they stand behind all that are due: the first of them ends the run.
std::size_t EventLoop::RunTimeEvents(std::uint64_t sequences_end) {
  std::size_t callbacks = 0;
  while (!timers_.empty() && timers_.top().deadline <= now_ &&
         timers_.top().sequence < sequences_end) {
    RunEarliestTimer();
    ++callbacks;
  }
  return callbacks;
}

// The callback may cancel its own timer, and may make timers, which moves timer_slots_: so it runs
// outside of its slot, and the slot is looked up again.
void EventLoop::RunEarliestTimer() {
  const TimerHeap::Id id = timers_.top().id;
  const std::uint32_t generation = timer_slots_[id].generation;
  TimeCallback callback = std::move(timer_slots_[id].callback);
  const std::optional<milliseconds> delay = callback();
  if (!IsActive(id, generation)) return;
  if (!delay) {
    Cancel(id, generation);
    return;
  }
  timer_slots_[id].callback = std::move(callback);
  timers_.Move(id, After(clock_.Monotonic(), *delay));
}

std::expected<FileEvent, Error> EventLoop::Watch(int fd, Ready interest, FileHandler& handler) {
  AERIS_CHECK(fd >= 0);
  const auto index = static_cast<std::size_t>(fd);
  if (index >= fds_max_) {
    return std::unexpected(Error{ErrorCode::kLimit, 0,
                                 "descriptor " + std::to_string(fd) + " is beyond the limit of " +
                                     std::to_string(fds_max_)});
  }
  if (index >= slots_.size()) slots_.resize(index + 1);
  AERIS_CHECK(slots_[index].handler == nullptr);
  if (auto added = poller_.Add(fd, interest); !added) {
    return std::unexpected(std::move(added.error()));
  }
  slots_[index] = {.handler = &handler, .birth_turn = turn_, .interest = interest};
  ++watch_count_;
  return FileEvent(this, fd);
}

std::expected<void, Error> EventLoop::SetInterest(int fd, Ready interest) {
  Slot& slot = slots_[static_cast<std::size_t>(fd)];
  if (slot.interest == interest) return {};
  auto changed = poller_.Change(fd, interest);
  if (changed) slot.interest = interest;
  return changed;
}

void EventLoop::EndWatch(int fd) {
  poller_.Remove(fd);
  slots_[static_cast<std::size_t>(fd)].handler = nullptr;
  --watch_count_;
}

TimeEvent EventLoop::AddTimeEvent(milliseconds delay, TimeCallback callback) {
  AERIS_DCHECK(callback != nullptr);
  const TimerHeap::Id id = timers_.Add(After(clock_.Monotonic(), delay));
  if (id >= timer_slots_.size()) timer_slots_.resize(id + 1);
  timer_slots_[id].callback = std::move(callback);
  return TimeEvent(this, id, timer_slots_[id].generation);
}

bool EventLoop::IsActive(TimerHeap::Id id, std::uint32_t generation) const {
  return timer_slots_[id].generation == generation;
}

void EventLoop::Cancel(TimerHeap::Id id, std::uint32_t generation) {
  if (!IsActive(id, generation)) return;
  timers_.Remove(id);
  ++timer_slots_[id].generation;
  // Destroyed last: what it holds may cancel other timers, or make some.
  const TimeCallback callback = std::move(timer_slots_[id].callback);
}

FileEvent& FileEvent::operator=(FileEvent&& other) noexcept {
  if (this != &other) {
    Reset();
    loop_ = std::exchange(other.loop_, nullptr);
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

std::expected<void, Error> FileEvent::SetInterest(Ready interest) {
  AERIS_CHECK(loop_ != nullptr);
  return loop_->SetInterest(fd_, interest);
}

Ready FileEvent::interest() const {
  return loop_ == nullptr ? Ready::kNone : loop_->slots_[static_cast<std::size_t>(fd_)].interest;
}

void FileEvent::Reset() {
  if (EventLoop* const loop = std::exchange(loop_, nullptr)) loop->EndWatch(std::exchange(fd_, -1));
}

TimeEvent& TimeEvent::operator=(TimeEvent&& other) noexcept {
  if (this != &other) {
    Reset();
    loop_ = std::exchange(other.loop_, nullptr);
    id_ = other.id_;
    generation_ = other.generation_;
  }
  return *this;
}

bool TimeEvent::active() const { return loop_ != nullptr && loop_->IsActive(id_, generation_); }

void TimeEvent::Reset() {
  if (EventLoop* const loop = std::exchange(loop_, nullptr)) loop->Cancel(id_, generation_);
}

}  // namespace aeris::ae
