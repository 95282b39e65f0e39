// Eviction: keeps used memory within `maxmemory` by removing keys, as `maxmemory-policy` says.
//
// Before a command that may need memory, and after each that writes, keys are removed until the
// limit holds. That is bounded: when `maxmemory-eviction-tenacity`'s time is up, a time event goes
// on, and the command runs although the limit does not hold yet. A command is refused only when no
// key can be removed.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "ae/event_loop.h"
#include "src/base/clock.h"
#include "src/config.h"
#include "src/memory_account.h"
#include "storage/eviction_pool.h"

namespace aeris {

class Server;

class Eviction {
 public:
  explicit Eviction(Server& server);

  // Whether there is a limit.
  bool limited() const { return limit_ != 0; }
  // A command whose arguments have `argument_bytes` may run: removes keys if the limit is passed.
  // False when nothing can be removed, or when it could never hold the arguments.
  [[nodiscard]] bool MakeRoomFor(std::size_t argument_bytes);
  // After a change.
  void Enforce();
  // Directives have changed. Removing begins with the next step.
  void OnConfigChange();
  // Reads the allocator's account anew: ten times a second.
  void Sample();

  // How long memory has been above the limit, at present and in all.
  std::chrono::milliseconds exceeded_now() const;
  std::chrono::milliseconds exceeded_in_all() const;
  void ResetStats() { exceeded_ = {}; }

 private:
  enum class Room : std::uint8_t { kEnough, kNotYet, kNone };
  Room RemoveUntilEnough();
  void GoOn();
  void ServeWaiters();
  Room RemoveForOneStep();
  bool RemoveBest();
  bool TakeSample();
  MonotonicTime::duration StepMax() const;
  void NoteExceeded(bool exceeded);
  void SayItCannotBeMet();

  Server& server_;
  MemoryAccount account_;
  storage::EvictionPool pool_;
  ae::TimeEvent goes_on_;
  std::size_t limit_ = 0;  // bytes, 0: none
  MaxmemoryPolicy policy_ = MaxmemoryPolicy::kNoeviction;
  std::optional<MonotonicTime> exceeded_since_;
  MonotonicTime::duration exceeded_{};
  bool said_ = false;  // that the limit cannot be met; once for each limit and policy
};

}  // namespace aeris
