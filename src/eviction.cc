#include "src/eviction.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>
#include <vector>

#include "src/server.h"

namespace aeris {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using storage::EvictionOrder;
using storage::EvictionPolicy;

// The clock is read once for so many removals, of 1 to 5 us each.
constexpr int kRemovalsPerLook = 16;
// Searches that bring no key, one after the other, before a step ends whatever time it has: some
// ten million slots. A key in a part of the table that is being moved is found when that has moved
// on.
constexpr int kFruitlessMax = 4096;
// What a step removes in any case where memory has climbed, unless keys that may go are rare: so
// many searches that brought none.
constexpr int kRemovalsMin = 256;
constexpr int kFruitlessFew = 4;

}  // namespace

Eviction::Eviction(Server& server)
    : server_(server),
      account_(server.memory_account()),
      policies_(server.databases().count(), MaxmemoryPolicy::kNoeviction) {}

void Eviction::OnConfigChange() {
  const Config& config = server_.config();
  Databases& databases = server_.databases();
  std::ranges::fill(policies_, config.maxmemory_policy);
  const std::vector<Limit> before = std::exchange(limits_, {});
  const auto add = [&](std::size_t bytes, std::optional<std::size_t> database) {
    const auto same = std::ranges::find_if(before, [&](const Limit& limit) {
      return limit.bytes == bytes && limit.database == database;
    });
    const bool known = same != before.end();
    limits_.push_back(
        {.bytes = bytes, .database = database, .known = known, .said = known && same->said});
  };
  if (config.maxmemory != 0) add(config.maxmemory, std::nullopt);
  for (const DatabaseLimit& own : config.maxmemory_db) {
    if (own.policy) policies_[own.database] = *own.policy;
    if (own.bytes != 0) add(own.bytes, own.database);
  }
  one_policy_ = std::ranges::adjacent_find(policies_, std::not_equal_to()) == policies_.end();
  for (std::size_t i = 0; i < databases.count(); ++i) {
    const bool limited = config.maxmemory != 0 || database_limit(i) != 0;
    databases[i].SetEvictionPolicy(RowOf(policies_[i]).eviction, limited);
  }
  if (!limited()) {
    NoteExceeded(false);
    return;
  }
  for (Limit& limit : limits_) {
    limit.level = std::max(limit.bytes, UsedOf(limit));
    if (limit.known || !Exceeded(limit)) continue;
    server_.log().Warning(
        "The limit {} is {} bytes, and {} are in use. Keys will be removed, or writes refused, as "
        "the policy says.",
        NameOf(limit), limit.bytes, UsedOf(limit));
  }
  // Not within CONFIG SET: it answers first.
  GoOn();
}

void Eviction::EnforceBetweenCommands() {
  if (!limited()) return;
  Enforce({});
  ServeWaiters();
}

std::size_t Eviction::database_limit(std::size_t database) const {
  const auto found = std::ranges::find(limits_, std::optional(database), &Limit::database);
  return found != limits_.end() ? found->bytes : 0;
}

std::string Eviction::NameOf(const Limit& limit) {
  return limit.database ? fmt::format("maxmemory-db of database {}", *limit.database) : "maxmemory";
}

std::size_t Eviction::UsedOf(const Limit& limit) const {
  return limit.database ? server_.databases()[*limit.database].used_bytes() : account_.used();
}

// A pause keeps all keys as they are, whoever asked for it: expired ones, too.
bool Eviction::Rests() const { return server_.pause().kind() != ClientPause::Kind::kNone; }

bool Eviction::MakeRoomFor(std::size_t database, std::span<const std::string_view> arguments) {
  if (Rests()) [[unlikely]]
    return true;
  time_is_up_ = false;
  std::size_t argument_bytes = 0;
  for (const std::string_view argument : arguments) argument_bytes += argument.size();
  for (Limit& limit : limits_) {
    if (limit.database && *limit.database != database) continue;
    // What it takes to know is only worth it for a value that may be too large.
    if (argument_bytes > limit.bytes / 2 && argument_bytes > RoomForKeys(limit)) return false;
    if (!Exceeded(limit)) continue;
    const Room room = RemoveUntilEnough(limit, arguments);
    if (room == Room::kNone) return false;
    time_is_up_ |= room == Room::kNotYet;
  }
  return true;
}

bool Eviction::MakeRoomIn(std::size_t database, std::uint64_t bytes) {
  if (Rests() || !limited()) return true;
  if (!CouldHold(database, bytes)) return false;
  return std::ranges::none_of(limits_, [&](Limit& limit) {
    return limit.database == database && Exceeded(limit) &&
           RemoveUntilEnough(limit, {}) == Room::kNone;
  });
}

bool Eviction::CouldHold(std::size_t database, std::uint64_t bytes) const {
  return std::ranges::none_of(limits_, [&](const Limit& limit) {
    const bool concerned = !limit.database || *limit.database == database;
    return concerned && bytes > limit.bytes / 2 && bytes > RoomForKeys(limit);
  });
}

// What there is for keys when all that may go has gone.
std::size_t Eviction::RoomForKeys(const Limit& limit) const {
  if (limit.database) return limit.bytes;
  const Databases& databases = server_.databases();
  const std::size_t used = account_.used();
  const std::size_t others = used - std::min(used, databases.used_bytes());
  return limit.bytes - std::min(limit.bytes, others);
}

bool Eviction::MayTake(const storage::Keyspace& keyspace, std::size_t bytes) const {
  const Databases& databases = server_.databases();
  return std::ranges::none_of(limits_, [&](const Limit& limit) {
    const bool concerned = !limit.database || &databases[*limit.database] == &keyspace;
    return concerned && UsedOf(limit) + bytes > limit.bytes;
  });
}

double Eviction::KeyBytesAt(double multiple, double others) const {
  const Databases& databases = server_.databases();
  const auto limit_of_all = static_cast<double>(server_.config().maxmemory);
  double bytes = 0;
  for (std::size_t i = 0; i < databases.count(); ++i) {
    const std::size_t own = database_limit(i);
    // Without one of its own a database may take all that there is.
    if (own == 0 && limit_of_all != 0) return std::max(0.0, multiple * limit_of_all - others);
    bytes += multiple * static_cast<double>(own != 0 ? own : databases[i].used_bytes());
  }
  return limit_of_all == 0 ? bytes : std::clamp(multiple * limit_of_all - others, 0.0, bytes);
}

void Eviction::Enforce(std::span<const std::string_view> arguments) {
  time_is_up_ = false;
  time_is_up_ = RemoveWhereNeeded(arguments) == Room::kNotYet;
  if (time_is_up_ && !goes_on_.active()) GoOn();
}

void Eviction::EnforceAfter(std::span<const std::string_view> arguments) {
  if (RemoveWhereNeeded(arguments) == Room::kNotYet && !goes_on_.active()) GoOn();
}

// Of all limits: kNotYet when one of them does not hold and there are keys to remove.
Eviction::Room Eviction::RemoveWhereNeeded(std::span<const std::string_view> arguments) {
  Room room = Room::kEnough;
  if (Rests()) [[unlikely]]
    return room;
  for (Limit& limit : limits_) {
    if (!Exceeded(limit)) [[likely]]
      continue;
    const Room here = RemoveUntilEnough(limit, arguments);
    if (room != Room::kNotYet) room = here == Room::kEnough ? room : here;
  }
  if (exceeded_since_ && room == Room::kEnough) NoteExceeded(false);
  return room;
}

// Goes on in time events until the limits hold or nothing can be removed.
void Eviction::GoOn() {
  goes_on_ = server_.loop().AddTimeEvent(milliseconds(0), [this] {
    time_is_up_ = false;
    const bool more = RemoveWhereNeeded({}) == Room::kNotYet;
    ServeWaiters();
    return more ? std::optional(milliseconds(0)) : std::nullopt;
  });
}

// Between commands: readers of a group whose stream has gone hear of it.
void Eviction::ServeWaiters() {
  if (server_.blocked_clients().has_ready()) server_.blocked_clients().Serve();
}

Eviction::Room Eviction::RemoveUntilEnough(Limit& limit,
                                           std::span<const std::string_view> arguments) {
  for (const std::string_view argument : arguments) {
    limit.argument_bytes_max = std::max(limit.argument_bytes_max, argument.size());
  }
  const Room room = RemoveForOneStep(limit);
  if (room == Room::kNone) SayItCannotBeMet(limit);
  if (room == Room::kEnough) limit.argument_bytes_max = 0;
  if (room != Room::kEnough) NoteExceeded(true);
  return room;
}

Eviction::Room Eviction::RemoveForOneStep(Limit& limit) {
  server_.ReadClock();
  const MonotonicTime begin = server_.monotonic();
  const MonotonicTime::duration step_max = StepMax();
  const std::size_t far = std::max(limit.level, limit.bytes + limit.argument_bytes_max);
  Room room = Room::kEnough;
  int fruitless = 0;  // since the last removal
  int removed = 0;
  for (int tries = 1; Exceeded(limit); ++tries) {
    const std::optional<std::size_t> giver = Giver(limit);
    if (!giver) {
      room = Room::kNone;
      break;
    }
    const bool found = RemoveOne(limit, *giver);
    removed += found ? 1 : 0;
    fruitless = found ? 0 : fruitless + 1;
    if (tries % kRemovalsPerLook != 0) continue;
    server_.ReadClock();
    const bool must_go_on =
        UsedOf(limit) > far && removed < kRemovalsMin && tries - removed <= kFruitlessFew;
    const bool in_time = server_.monotonic() - begin <= step_max;
    if ((!in_time && !must_go_on) || fruitless > kFruitlessMax) {
      room = Room::kNotYet;
      break;
    }
  }
  limit.level = std::max(limit.bytes, UsedOf(limit));
  server_.ReadClock();
  const auto took = std::chrono::duration_cast<milliseconds>(server_.monotonic() - begin);
  const auto threshold = server_.config().latency_monitor_threshold;
  if (threshold != 0 && took.count() >= threshold) {
    server_.latency().Add("eviction-cycle", server_.unix_ms() / 1000, took.count());
  }
  return room;
}

// --- Which key

// The database that is to lose a key, or whose policy says which one does. None: there is no key
// that may go.
std::optional<std::size_t> Eviction::Giver(const Limit& limit) {
  const Databases& databases = server_.databases();
  if (limit.database) {
    return databases[*limit.database].evictable() != 0 ? limit.database : std::nullopt;
  }
  // Where samples compare the databases, any of them will do.
  const EvictionOrder order = RowOf(policies_[0]).eviction.order;
  if (!one_policy_ || order == EvictionOrder::kS3Fifo || order == EvictionOrder::kRandom) {
    return GiverByShare();
  }
  for (std::size_t i = 0; i < databases.count(); ++i) {
    if (databases[i].evictable() != 0) return i;
  }
  return std::nullopt;
}

// Drawn, each with a chance as large as what it takes.
std::optional<std::size_t> Eviction::GiverByShare() {
  const Databases& databases = server_.databases();
  std::size_t sum = 0;
  std::optional<std::size_t> giver;
  for (std::size_t i = 0; i < databases.count(); ++i) {
    if (databases[i].evictable() == 0) continue;
    const std::size_t bytes = databases[i].used_bytes();
    sum += bytes;
    // The first is drawn without asking: nearly always the only one.
    if (!giver || server_.random().Below(sum) < bytes) giver = i;
  }
  return giver;
}

// False where keys that may go are so rare that none was found yet.
bool Eviction::RemoveOne(Limit& limit, std::size_t giver) {
  storage::Keyspace& keyspace = server_.databases()[giver];
  if (keyspace.eviction_policy().order == EvictionOrder::kS3Fifo) {
    if (!keyspace.EvictNext(server_.unix_ms(), evicted_)) return false;
    Removed(giver);
    return true;
  }
  TakeSamples(limit, giver);
  return RemoveBest(limit);
}

// From the giver, and where the limit is of all from those of the same policy too.
void Eviction::TakeSamples(Limit& limit, std::size_t giver) {
  Databases& databases = server_.databases();
  const EvictionPolicy policy = databases[giver].eviction_policy();
  const auto count = static_cast<std::size_t>(server_.config().maxmemory_samples);
  if (policy != limit.pool_policy) {
    limit.pool.Clear();
    limit.pool_policy = policy;
  }
  const bool alone = limit.database || policy.order == EvictionOrder::kRandom;
  for (std::size_t i = alone ? giver : 0; i < (alone ? giver + 1 : databases.count()); ++i) {
    storage::Keyspace& keyspace = databases[i];
    if (keyspace.eviction_policy() != policy || keyspace.evictable() == 0) continue;
    keyspace.SampleVictims(count, i, server_.unix_ms(), limit.pool);
  }
}

// The best that is still there: earlier samples may be gone.
bool Eviction::RemoveBest(Limit& limit) {
  while (const auto best = limit.pool.TakeBest()) {
    if (!server_.databases()[best->database].Evict(best->hash, server_.unix_ms(), evicted_)) {
      continue;
    }
    Removed(best->database);
    return true;
  }
  return false;
}

// `evicted_` has gone from there.
void Eviction::Removed(std::size_t database) {
  server_.cache_stats().Evicted(evicted_.idle_seconds, !evicted_.used);
  BlockedClients& blocked = server_.blocked_clients();
  if (!blocked.empty()) blocked.Signal(database, evicted_.key);
  KeyspaceEvents& events = server_.events();
  if (events.wants(KeyEvent::kEvicted)) {
    events.Publish(KeyEvent::kEvicted, "evicted", database, evicted_.key);
  }
}

// --- How long, and what is said

// Of a step. As in Redis: 50 us per unit up to 10, then 15% more for each, and no limit at 100.
MonotonicTime::duration Eviction::StepMax() const {
  if (time_is_up_) return {};
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
    for (Limit& limit : limits_) {
      limit.level = limit.bytes;
      limit.argument_bytes_max = 0;
    }
  }
}

void Eviction::SayItCannotBeMet(Limit& limit) {
  if (limit.said) return;
  limit.said = true;
  server_.log().Warning(
      "{} bytes are in use, more than {} ({}), and no key may be removed: commands that need "
      "memory "
      "are refused.",
      UsedOf(limit), NameOf(limit), limit.bytes);
}

milliseconds Eviction::exceeded_now() const {
  if (!exceeded_since_) return {};
  return std::chrono::duration_cast<milliseconds>(server_.monotonic() - *exceeded_since_);
}

milliseconds Eviction::exceeded_in_all() const {
  return std::chrono::duration_cast<milliseconds>(exceeded_) + exceeded_now();
}

}  // namespace aeris
