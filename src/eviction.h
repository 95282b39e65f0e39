// Eviction: keeps used memory within `maxmemory`, and databases within `maxmemory-db`, by removing
// keys as their policies say.
//
// Before a command that may need memory, and after each that writes, keys are removed until all
// limits hold. That is bounded: when `maxmemory-eviction-tenacity`'s time is up, a time event goes
// on, and the command runs although a limit does not hold yet. A command is refused only when no
// key can be removed.
//
// A database has the policy that `maxmemory-db` gives it, or else maxmemory-policy, and loses keys
// by that alone, also where it is `maxmemory` that is passed. Databases of different policies then
// give in proportion to what they take; those of one policy are compared with each other.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ae/event_loop.h"
#include "src/base/clock.h"
#include "src/config.h"
#include "src/memory_account.h"
#include "storage/eviction_pool.h"
#include "storage/keyspace.h"

namespace aeris {

class Server;

class Eviction {
 public:
  explicit Eviction(Server& server);

  // Whether there is a limit.
  bool limited() const { return !limits_.empty(); }
  // A command whose arguments have `argument_bytes` may run in `database`: removes keys if a limit
  // is passed. False when nothing can be removed, or when it could never hold the arguments.
  [[nodiscard]] bool MakeRoomFor(std::size_t database, std::size_t argument_bytes);
  // After a change.
  void Enforce();
  // Directives have changed. Removing begins with the next step.
  void OnConfigChange();
  // Reads the allocator's account anew: ten times a second.
  void Sample();

  MaxmemoryPolicy policy(std::size_t database) const { return policies_[database]; }
  // Bytes of maxmemory-db, 0 without.
  std::size_t database_limit(std::size_t database) const;

  // How long memory has been above a limit, at present and in all.
  std::chrono::milliseconds exceeded_now() const;
  std::chrono::milliseconds exceeded_in_all() const;
  void ResetStats() { exceeded_ = {}; }

 private:
  struct Limit {
    std::size_t bytes = 0;
    std::optional<std::size_t> database{};  // none: of all
    // What earlier samples brought, all of one policy.
    storage::EvictionPool pool{};
    storage::EvictionPolicy pool_policy{};
    bool said = false;  // that it cannot be met
  };
  enum class Room : std::uint8_t { kEnough, kNotYet, kNone };

  static std::string NameOf(const Limit& limit);
  std::size_t UsedOf(const Limit& limit) const;
  bool Exceeded(const Limit& limit) const { return UsedOf(limit) > limit.bytes; }
  Room RemoveUntilEnough(Limit& limit);
  Room RemoveForOneStep(Limit& limit);
  Room RemoveWhereNeeded();
  bool RemoveOne(Limit& limit, std::size_t giver);
  bool RemoveBest(Limit& limit);
  std::optional<std::size_t> Giver(const Limit& limit);
  std::optional<std::size_t> GiverByShare();
  void TakeSamples(Limit& limit, std::size_t giver);
  void Removed(std::size_t database);
  void GoOn();
  void ServeWaiters();
  MonotonicTime::duration StepMax() const;
  void NoteExceeded(bool exceeded);
  void SayItCannotBeMet(Limit& limit);

  Server& server_;
  MemoryAccount account_;
  std::vector<Limit> limits_;              // maxmemory's, then those of databases
  std::vector<MaxmemoryPolicy> policies_;  // of each database
  bool one_policy_ = true;                 // of all databases
  storage::Keyspace::Evicted evicted_;     // the last one; keeps its memory
  ae::TimeEvent goes_on_;
  std::optional<MonotonicTime> exceeded_since_;
  MonotonicTime::duration exceeded_{};
};

}  // namespace aeris
