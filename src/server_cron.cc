// The periodic work of the server, in bounded steps. Each job is a time event of its own, so that
// one that is slow or frequent does not change the pace of the others.
#include <algorithm>
#include <chrono>
#include <utility>

#include "src/memory_info.h"
#include "src/server.h"

namespace aeris {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kSampleEvery{100};
// Buckets or entries moved in one step of keeping memory tight: a quarter of a millisecond of work.
constexpr std::size_t kMovesPerStep = 1000;
constexpr milliseconds kExpireEvery{20};
// A step of active expiry goes on until this has passed, and looks at the clock after so many keys
// and fields, which are 0.1 ms of work, or three times that when all values are large.
constexpr std::chrono::microseconds kExpireStep{500};
constexpr std::size_t kExpireWorkPerLook = 256;
// Between two steps while there is something to move: up to a million moves a second, a fifth of
// the time under full load.
constexpr milliseconds kMoveEvery{1};
// A client is looked at about once a second, whatever their number.
constexpr std::size_t kClientsPerStepMin = 8;
// Buffers that a client has not used for so long shrink.
constexpr std::chrono::seconds kBufferIdle{2};

}  // namespace

void Server::AddCrons() {
  crons_.push_back(loop_.AddTimeEvent(kSampleEvery, [this] {
    SampleRates();
    SampleMemory();
    SampleCache();
    hot_keys_.Age(loop_.now());
    eviction_.EnforceBetweenCommands();
    return std::optional(kSampleEvery);
  }));
  crons_.push_back(loop_.AddTimeEvent(milliseconds(1000 / config().hz), [this] {
    WatchClients();
    return std::optional(milliseconds(1000 / config().hz));
  }));
  crons_.push_back(loop_.AddTimeEvent(milliseconds(1000 / config().hz), [this] {
    const bool more = databases_.Maintain(kMovesPerStep);
    return std::optional(more ? kMoveEvery : milliseconds(1000 / config().hz));
  }));
  crons_.push_back(
      loop_.AddTimeEvent(kExpireEvery, [this] { return std::optional(ExpireKeys()); }));
}

void Server::SampleRates() {
  const MonotonicTime now = loop_.now();
  stats_.commands_rate.Sample(stats_.commands_processed, now);
  stats_.input_rate.Sample(stats_.net_input_bytes, now);
  stats_.output_rate.Sample(stats_.net_output_bytes, now);
}

void Server::SampleMemory() {
  resident_memory_ = ResidentBytes();
  stats_.peak_memory = std::max<std::uint64_t>(stats_.peak_memory, used_memory());
}

HitCounts Server::SampleCache() {
  const storage::LookupStats keys = databases_.lookup_stats();
  const HitCounts lookups{.hits = keys.hits, .misses = keys.misses};
  cache_stats_.Sample(lookups, loop_.now());
  storage::ReuseSketch& reuse = keyspace_context_.reuse;
  reuse.CountAll({.hits = lookups.hits, .misses = lookups.misses});
  reuse.SetRange(static_cast<std::size_t>(eviction_.KeyBytesAt(kCacheMultipleMax, 0)));
  return lookups;
}

void Server::WatchClients() {
  const std::size_t hz = static_cast<std::size_t>(config().hz);
  const std::size_t count = std::max(kClientsPerStepMin, clients_.size() / hz + 1);
  const MonotonicTime now = loop_.now();
  clients_.ForSome(cron_client_id_, count, [&](Client& client) {
    const auto idle = now - client.last_interaction;
    if (config().timeout != 0 && idle > std::chrono::seconds(config().timeout) && !client.monitor &&
        !client.postponed && !client.blocked && !client.subscriptions) {
      log().Verbose("Closing idle client id={} addr={}", client.id(), client.peer());
      return clients_.CloseSoon(client);
    }
    io_.EnforceOutputLimit(client);
    if (idle > kBufferIdle && !client.in_batch) {
      client.query().ReleaseIfEmpty();
      client.query().Shrink();
      if (!client.parser().in_request()) client.parser().Release();
    }
    clients_.sizes().Count(client);
  });
  buffers_.Shrink();
}

std::chrono::milliseconds Server::ExpireKeys() {
  ReadClock();
  const MonotonicTime begin = monotonic_;
  // While due keys are left, the next step comes in the next turn, after the clients that are
  // ready.
  bool more = active_expire_ && !keyspace_context_.keeps_expired;
  while (more && monotonic_ - begin < kExpireStep) {
    more = databases_.ExpireDue(unix_ms_, kExpireWorkPerLook);
    ReadClock();
  }
  if (more) ++stats_.expire_steps_cut;
  if (blocked_clients_.has_ready()) blocked_clients_.Serve();
  ReadClock();
  const MonotonicTime::duration elapsed = monotonic_ - begin;
  stats_.expire_ns += static_cast<std::uint64_t>(elapsed.count());
  const auto elapsed_ms = std::chrono::duration_cast<milliseconds>(elapsed).count();
  if (config().latency_monitor_threshold != 0 && elapsed_ms >= config().latency_monitor_threshold) {
    latency_.Add("expire-cycle", unix_ms_ / 1000, elapsed_ms);
  }
  return more ? milliseconds(0) : kExpireEvery;
}

}  // namespace aeris
