#include "src/eviction.h"

#include <cmath>

#include "src/server.h"

namespace aeris {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using storage::EvictionOrder;

// The clock is read once for so many samples, of 1 to 5 us each.
constexpr int kSamplesPerLook = 16;
// Samples that bring no key, one after the other, before a step ends whatever time it has: some ten
// million slots. A key in a part of the table that is being moved is found when that has moved on.
constexpr int kFruitlessMax = 4096;

bool OnlyVolatile(MaxmemoryPolicy policy) {
  return policy == MaxmemoryPolicy::kVolatileLru || policy == MaxmemoryPolicy::kVolatileLfu ||
         policy == MaxmemoryPolicy::kVolatileRandom || policy == MaxmemoryPolicy::kVolatileTtl;
}

EvictionOrder OrderOf(MaxmemoryPolicy policy) {
  switch (policy) {
    case MaxmemoryPolicy::kVolatileLru:
    case MaxmemoryPolicy::kAllkeysLru:
      return EvictionOrder::kLeastRecent;
    case MaxmemoryPolicy::kVolatileLfu:
    case MaxmemoryPolicy::kAllkeysLfu:
      return EvictionOrder::kLeastFrequent;
    case MaxmemoryPolicy::kVolatileTtl:
      return EvictionOrder::kSoonestDeadline;
    default:
      return EvictionOrder::kRandom;
  }
}

}  // namespace

Eviction::Eviction(Server& server)
    : server_(server), account_(server.databases(), server.stats().argument_bytes) {}

void Eviction::OnConfigChange() {
  const Config& config = server_.config();
  limit_ = static_cast<std::size_t>(config.maxmemory);
  policy_ = config.maxmemory_policy;
  pool_.Clear();
  said_ = false;
  if (!limited()) {
    NoteExceeded(false);
    return;
  }
  account_.Sample();
  if (account_.used() > limit_) {
    server_.log().Warning(
        "The limit maxmemory is {} bytes, and {} are in use. Keys will be removed, or writes "
        "refused, "
        "as maxmemory-policy says.",
        limit_, account_.used());
  }
  // Not within CONFIG SET: it answers first.
  GoOn();
}

void Eviction::Sample() {
  if (!limited() || server_.stats().lazyfree_pending != 0) return;
  account_.Sample();
  Enforce();
  ServeWaiters();
}

bool Eviction::MakeRoomFor(std::size_t argument_bytes) {
  if (argument_bytes > limit_) return false;
  if (account_.used() <= limit_) [[likely]]
    return true;
  return RemoveUntilEnough() != Room::kNone;
}

void Eviction::Enforce() {
  if (account_.used() <= limit_) [[likely]] {
    if (exceeded_since_) NoteExceeded(false);
    return;
  }
  if (RemoveUntilEnough() == Room::kNotYet && !goes_on_.active()) GoOn();
}

// Goes on in time events until the limit holds or nothing can be removed.
void Eviction::GoOn() {
  goes_on_ = server_.loop().AddTimeEvent(milliseconds(0), [this] {
    const bool more = limited() && RemoveUntilEnough() == Room::kNotYet;
    ServeWaiters();
    return more ? std::optional(milliseconds(0)) : std::nullopt;
  });
}

// Between commands: readers of a group whose stream has gone hear of it.
void Eviction::ServeWaiters() {
  if (server_.blocked_clients().has_ready()) server_.blocked_clients().Serve();
}

Eviction::Room Eviction::RemoveUntilEnough() {
  const Room room = policy_ == MaxmemoryPolicy::kNoeviction ? Room::kNone : RemoveForOneStep();
  if (room == Room::kNone) SayItCannotBeMet();
  NoteExceeded(room != Room::kEnough);
  return room;
}

Eviction::Room Eviction::RemoveForOneStep() {
  server_.ReadClock();
  const MonotonicTime begin = server_.monotonic();
  const MonotonicTime::duration step_max = StepMax();
  Room room = Room::kEnough;
  int fruitless = 0;
  for (int samples = 1; account_.used() > limit_; ++samples) {
    if (!TakeSample()) {
      room = Room::kNone;
      break;
    }
    fruitless = RemoveBest() ? 0 : fruitless + 1;
    if (samples % kSamplesPerLook != 0) continue;
    server_.ReadClock();
    if (server_.monotonic() - begin > step_max || fruitless > kFruitlessMax) {
      room = Room::kNotYet;
      break;
    }
  }
  server_.ReadClock();
  const auto took = std::chrono::duration_cast<milliseconds>(server_.monotonic() - begin);
  const auto threshold = server_.config().latency_monitor_threshold;
  if (threshold != 0 && took.count() >= threshold) {
    server_.latency().Add("eviction-cycle", server_.unix_ms() / 1000, took.count());
  }
  return room;
}

// The best that is still there: earlier samples may be gone. False where keys that may be removed
// are so rare that the samples have none.
bool Eviction::RemoveBest() {
  while (const auto best = pool_.TakeBest()) {
    const auto key = server_.databases()[best->database].Evict(best->hash, OnlyVolatile(policy_));
    if (!key) continue;
    ++server_.stats().evicted_keys;
    BlockedClients& blocked = server_.blocked_clients();
    if (!blocked.empty()) blocked.Signal(best->database, *key);
    return true;
  }
  return false;
}

// Whether any database has keys that may be removed. Where they are rare a sample may still find
// none.
bool Eviction::TakeSample() {
  const bool only_volatile = OnlyVolatile(policy_);
  const auto count = static_cast<std::size_t>(server_.config().maxmemory_samples);
  bool eligible = false;
  for (std::size_t i = 0; i < server_.databases().count(); ++i) {
    storage::Keyspace& keyspace = server_.databases()[i];
    if ((only_volatile ? keyspace.deadlines() : keyspace.size()) == 0) continue;
    eligible = true;
    keyspace.SampleVictims(OrderOf(policy_), only_volatile, count, i, server_.unix_ms(), pool_);
  }
  return eligible;
}

// As in Redis: 50 us per unit up to 10, then 15% more for each, and no limit at 100.
MonotonicTime::duration Eviction::StepMax() const {
  const int tenacity = server_.config().maxmemory_eviction_tenacity;
  if (tenacity >= 100) return MonotonicTime::duration::max();
  if (tenacity <= 10) return microseconds(50 * tenacity);
  return microseconds(static_cast<std::int64_t>(500.0 * std::pow(1.15, tenacity - 10)));
}

void Eviction::NoteExceeded(bool exceeded) {
  if (exceeded == exceeded_since_.has_value()) return;
  if (exceeded) {
    exceeded_since_ = server_.monotonic();
  } else {
    exceeded_ += server_.monotonic() - *exceeded_since_;
    exceeded_since_.reset();
  }
}

void Eviction::SayItCannotBeMet() {
  if (said_) return;
  said_ = true;
  server_.log().Warning(
      "{} bytes are in use, more than maxmemory ({}), and no key may be removed: commands that "
      "need memory are refused.",
      account_.used(), limit_);
}

milliseconds Eviction::exceeded_now() const {
  if (!exceeded_since_) return {};
  return std::chrono::duration_cast<milliseconds>(server_.monotonic() - *exceeded_since_);
}

milliseconds Eviction::exceeded_in_all() const {
  return std::chrono::duration_cast<milliseconds>(exceeded_) + exceeded_now();
}

}  // namespace aeris
