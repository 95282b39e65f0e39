// Eviction: keeps used memory within `maxmemory`, and databases within `maxmemory-db`, by removing
// keys as their policies say.
//
// Before each command and after it, keys are removed until all limits hold: before, for what
// buffers have grown by, after, for what the command has added. That is bounded: when
// `maxmemory-eviction-tenacity`'s time is up, a time event goes on, and commands run although a
// limit does not hold yet. A command that needs memory is refused only when no key can be removed.
//
// Within that time memory may be above the limit by the largest argument of a command. Where it is
// beyond that, and beyond what the last step has left, a step goes on to 256 removals, a
// millisecond at most, whatever the clock says: a clock that runs on while another process has the
// core ends no step that has done nothing yet. A search that finds no key is over when its time is.
//
// A database has the policy that `maxmemory-db` gives it, or else maxmemory-policy, and loses keys
// by that alone, also where it is `maxmemory` that is passed. Databases of different policies then
// give in proportion to what they take; those of one policy are compared with each other.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ae/event_loop.h"
#include "src/base/clock.h"
#include "src/config.h"
#include "src/memory_account.h"
#include "storage/eviction_pool.h"
#include "storage/keyspace.h"

namespace aeris {

class Server;

class Eviction final : public storage::MemoryBound {
 public:
  explicit Eviction(Server& server);

  // Whether there is a limit.
  bool limited() const { return !limits_.empty(); }
  // Whether one is passed.
  bool passed() const {
    return std::ranges::any_of(limits_, [this](const Limit& limit) { return Exceeded(limit); });
  }
  // Before a command that needs memory in `database`: removes keys if a limit is passed. False when
  // nothing can be removed, or when it could never hold the arguments.
  [[nodiscard]] bool MakeRoomFor(std::size_t database, std::span<const std::string_view> arguments);
  // Whether a value of so many bytes may be made in `database`: one that no removal makes room for,
  // beside what the server takes without keys, is refused before anything is removed for it.
  bool CouldHold(std::size_t database, std::uint64_t bytes) const;
  // Within a command, for what goes to another database than the client's: makes room where that
  // has a limit of its own. False as for MakeRoomFor().
  [[nodiscard]] bool MakeRoomIn(std::size_t database, std::uint64_t bytes);
  // Tables that are full put growing off where no limit has room for it: rather than that keys go.
  bool MayTake(const storage::Keyspace& keyspace, std::size_t bytes) const override;
  // Before any other command with these arguments.
  void Enforce(std::span<const std::string_view> arguments);
  // After each. Has no time where the step before the command used all of it up, and then looks
  // only to it that memory does not climb.
  void EnforceAfter(std::span<const std::string_view> arguments);
  // Directives have changed. Removing begins with the next step.
  void OnConfigChange();
  // Between commands, ten times a second: buffers grow without any.
  void EnforceBetweenCommands();

  MaxmemoryPolicy policy(std::size_t database) const { return policies_[database]; }
  // Bytes of maxmemory-db, 0 without.
  std::size_t database_limit(std::size_t database) const;

  // Bytes that keys may take if all limits were `multiple` times what they are and `others` bytes
  // were not theirs; of what has no limit, that multiple of what it takes. O(databases)
  double KeyBytesAt(double multiple, double others) const;

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
    bool known = false;  // it was there before the last change of directives
    bool said = false;   // that it cannot be met
    // While it is passed: what the last step has left, and the largest argument since.
    std::size_t level = 0;
    std::size_t argument_bytes_max = 0;
  };
  enum class Room : std::uint8_t { kEnough, kNotYet, kNone };

  static std::string NameOf(const Limit& limit);
  std::size_t UsedOf(const Limit& limit) const;
  std::size_t RoomForKeys(const Limit& limit) const;
  bool Rests() const;
  bool Exceeded(const Limit& limit) const { return UsedOf(limit) > limit.bytes; }
  Room RemoveUntilEnough(Limit& limit, std::span<const std::string_view> arguments);
  Room RemoveForOneStep(Limit& limit);
  Room RemoveWhereNeeded(std::span<const std::string_view> arguments);
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
  const MemoryAccount& account_;
  std::vector<Limit> limits_;              // maxmemory's, then those of databases
  std::vector<MaxmemoryPolicy> policies_;  // of each database
  bool one_policy_ = true;                 // of all databases
  storage::Keyspace::Evicted evicted_;     // the last one; keeps its memory
  ae::TimeEvent goes_on_;
  bool time_is_up_ = false;  // of the command that runs
  std::optional<MonotonicTime> exceeded_since_;
  MonotonicTime::duration exceeded_{};
};

}  // namespace aeris
