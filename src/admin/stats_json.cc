#include "src/admin/stats_json.h"

#include <algorithm>
#include <chrono>
#include <cstddef>

#include "src/acl/acl_users.h"
#include "src/admin/health.h"
#include "src/admin/history.h"
#include "src/admin/json_writer.h"
#include "src/admin/utf8_text.h"
#include "src/base/number_text.h"
#include "src/server.h"
#include "src/version.h"

namespace aeris {
namespace {

constexpr std::size_t kHotKeys = 10;
constexpr std::size_t kSlowCommands = 10;
constexpr std::size_t kDatabases = 16;
constexpr std::size_t kKeyBytesMax = 200;

// Who reaches the port is nobody in particular, so names of keys are for all or none: shown only
// while any new client may do everything.
bool NamesAreHidden(Server& server) {
  const AclUsers& acl = server.acl();
  const AclUser* const anybody = acl.Find("default");
  return !acl.open() || anybody == nullptr || !anybody->unrestricted();
}

void WriteServer(Server& server, JsonWriter& json) {
  const auto uptime =
      std::chrono::duration_cast<std::chrono::seconds>(server.monotonic() - server.started());
  json.BeginObject("server");
  json.Text("version", kVersion);
  json.Text("redis_version", kRedisVersion);
  json.Text("run_id", server.run_id());
  json.Number("port", server.config().port);
  json.Number("uptime_seconds", uptime.count());
  json.Number("time_ms", server.unix_ms());
  json.Bool("keys_hidden", NamesAreHidden(server));
  json.EndObject();
  json.BeginArray("not_ready");
  for (const std::string& reason : ReasonsAgainstReadiness(server)) json.Text({}, reason);
  json.EndArray();
}

void WriteMemory(Server& server, JsonWriter& json) {
  json.BeginObject("memory");
  json.Number("used", server.used_memory());
  json.Number("limit", server.config().maxmemory);
  json.Number("peak", std::max<std::uint64_t>(server.stats().peak_memory, server.used_memory()));
  json.Number("resident", server.resident_memory());
  json.Text("policy", RowOf(server.config().maxmemory_policy).name);
  json.EndObject();
}

void WriteClients(Server& server, const ClientFigures& clients, JsonWriter& json) {
  json.BeginObject("clients");
  json.Number("connected", server.clients().size());
  json.Number("max", server.config().maxclients);
  json.Number("blocked", clients.blocked);
  json.Number("memory", clients.memory);
  json.EndObject();
}

void WriteCache(Server& server, JsonWriter& json) {
  const HitCounts totals = server.SampleCache();
  const CacheStats& cache = server.cache_stats();
  json.BeginObject("cache");
  json.Number("hit_ratio_minute", cache.LastMinute(totals).ratio());
  json.Number("lookups_minute", cache.LastMinute(totals).requests());
  json.Number("hit_ratio_hour", cache.LastHour(totals).ratio());
  json.Number("hit_ratio", totals.ratio());
  json.Number("lookups", totals.requests());
  json.Number("evicted", server.databases().lookup_stats().evicted);
  json.Number("evicted_age_p50_seconds", cache.EvictedAgeSeconds(50));
  json.Number("evicted_age_p90_seconds", cache.EvictedAgeSeconds(90));
  json.Number("expired", server.databases().context().stats.expired);
  json.EndObject();
}

void WriteRows(const History& history, std::uint64_t since, JsonWriter& json) {
  std::uint64_t next = std::max(since, history.first());
  if (since > history.end()) next = history.first();
  json.BeginArray("columns");
  for (const std::string_view name : History::kColumnNames) json.Text({}, name);
  json.EndArray();
  json.Number("first", next);
  json.Number("next", history.end());
  json.BeginArray("rows");
  for (; next < history.end(); ++next) {
    const History::Row& row = history.row(next);
    json.BeginArray();
    json.Number({}, static_cast<std::int64_t>(row[History::kTimeMs]));  // has more than nine digits
    for (std::size_t i = History::kTimeMs + 1; i < row.size(); ++i) json.Number({}, row[i]);
    json.EndArray();
  }
  json.EndArray();
}

void WriteDatabases(Server& server, JsonWriter& json) {
  const Databases& databases = server.databases();
  std::size_t shown = 0;
  json.BeginArray("databases");
  for (std::size_t i = 0; i < databases.count() && shown < kDatabases; ++i) {
    const storage::Keyspace& keyspace = databases[i];
    if (keyspace.size() == 0) continue;
    ++shown;
    const storage::LookupStats& lookups = keyspace.lookup_stats();
    json.BeginObject();
    json.Number("db", i);
    json.Number("keys", keyspace.size());
    json.Number("deadlines", keyspace.deadlines());
    json.Number("bytes", keyspace.used_bytes());
    json.Number("limit", server.eviction().database_limit(i));
    json.Number("hits", lookups.hits);
    json.Number("misses", lookups.misses);
    json.Number("evicted", lookups.evicted);
    json.Text("policy", RowOf(server.eviction().policy(i)).name);
    json.EndObject();
  }
  json.EndArray();
}

// Left out while names are hidden.
void WriteKey(Server& server, std::string_view key, JsonWriter& json) {
  if (!NamesAreHidden(server)) json.Text("key", Utf8Text(key, kKeyBytesMax));
}

void WriteHotKeys(Server& server, JsonWriter& json) {
  json.BeginArray("hot_keys");
  for (const HotKey& hot : server.hot_keys().Top(KeyLoad::kRequests, kHotKeys)) {
    json.BeginObject();
    WriteKey(server, hot.key, json);
    json.Number("db", hot.database);
    json.Number("requests", hot.loads[KeyLoad::kRequests]);
    json.Number("bytes", hot.loads[KeyLoad::kBytes]);
    json.EndObject();
  }
  json.EndArray();
}

// The command of a record: with its subcommand, if it has one. Null when it is not known.
const Command* CommandOf(const CommandTable& commands, const SlowLog::Record& record) {
  const Command* const command = commands.Find(record.arguments[0]);
  if (command == nullptr || command->subcommands().empty() || record.arguments.size() < 2) {
    return command;
  }
  const Command* const subcommand = command->FindSubcommand(record.arguments[1]);
  return subcommand != nullptr ? subcommand : command;
}

// Arguments of the command itself: a long one's record has 30 of them, and how many more there were
// ("... (70 more arguments)").
std::size_t ArgumentsOf(const SlowLog::Record& record) {
  constexpr std::string_view kMore = "... (";
  const std::size_t kept = record.arguments.size();
  const std::string_view last = record.arguments.back();
  if (kept < SlowLog::kArgumentsMax || !last.starts_with(kMore)) return kept - 1;
  const std::string_view rest = last.substr(kMore.size());
  const auto more = ParseUint64(rest.substr(0, rest.find(' ')));
  return more ? kept - 2 + static_cast<std::size_t>(*more) : kept - 1;
}

// Of all arguments only the first key is shown, and only where its place says that it is one.
void WriteSlowLog(Server& server, JsonWriter& json) {
  json.BeginArray("slow_log");
  const auto& records = server.slow_log().records();
  for (std::size_t i = 0; i < std::min(records.size(), kSlowCommands); ++i) {
    const SlowLog::Record& record = records[i];
    const Command* const command = CommandOf(server.commands(), record);
    json.BeginObject();
    json.Number("id", record.id);
    json.Number("time", record.unix_seconds);
    json.Number("microseconds", record.microseconds);
    json.Text("command", command != nullptr ? std::string_view(command->full_name()) : "?");
    json.Number("arguments", ArgumentsOf(record));
    const std::size_t first = command != nullptr ? command->key_range().first : 0;
    if (first != 0 && first < record.arguments.size()) {
      WriteKey(server, record.arguments[first], json);
    }
    json.EndObject();
  }
  json.EndArray();
}

}  // namespace

std::string StatsJson(const StatsSources& from, std::uint64_t since) {
  JsonWriter json;
  json.BeginObject();
  WriteServer(from.server, json);
  WriteMemory(from.server, json);
  WriteClients(from.server, from.clients, json);
  WriteCache(from.server, json);
  WriteRows(from.history, since, json);
  WriteDatabases(from.server, json);
  WriteHotKeys(from.server, json);
  WriteSlowLog(from.server, json);
  json.EndObject();
  return json.Take();
}

}  // namespace aeris
