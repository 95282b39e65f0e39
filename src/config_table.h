// ConfigTable: the rows that say, for each directive, its name, type, range and what may be done
// with it; and CONFIG GET, CONFIG SET and the file parser over them.
//
// A directive is one row (config_table*.cc). A row reaches its field of Config through two
// functions made from the pointer to member, so that enums and integers of any width are one kind
// each. The default is not in the row: it is the initialiser in config.h.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

#include "src/config.h"

namespace aeris {

// What failed, in the words that follow "- " in Redis's CONFIG SET error.
using ConfigResult = std::expected<void, std::string>;

// ---- Fields: how text becomes a value of one type.

struct BoolField {
  bool (*get)(const Config&);
  void (*set)(Config&, bool);
};

enum class IntegerUnit : std::uint8_t {
  kPlain,
  kOctal,           // file modes
  kBytes,           // 100, 100k, 1gb ...
  kBytesOrPercent,  // as kBytes, or "5%", which is kept as -5
};

// `get` and `set` carry 2^63 and above as negative numbers when `max` is beyond 2^63-1.
struct IntegerField {
  std::int64_t (*get)(const Config&);
  void (*set)(Config&, std::int64_t);
  std::int64_t min;
  std::uint64_t max;
  IntegerUnit unit = IntegerUnit::kPlain;
};

struct EnumName {
  std::string_view name;
  int value;
};

// `names` keeps Redis's order, which its error text repeats. With `bits` several names may be given
// and their values are joined.
struct EnumField {
  int (*get)(const Config&);
  void (*set)(Config&, int);
  std::span<const EnumName> names;
  bool bits = false;
};

struct StringField {
  const std::string& (*get)(const Config&);
  void (*set)(Config&, std::string_view);
  ConfigResult (*check)(std::string_view) = nullptr;
};

// Where a value comes from: `save` lines of a file add up, CONFIG SET replaces.
enum class ConfigOrigin : std::uint8_t { kSet, kFileFirst, kFileAgain };

// Everything with a syntax of its own: save, bind, client-output-buffer-limit ...
struct SpecialField {
  std::string (*get)(const Config&);
  ConfigResult (*set)(Config&, std::span<const std::string_view> arguments, ConfigOrigin origin);
};

using ConfigField = std::variant<BoolField, IntegerField, EnumField, StringField, SpecialField>;

// ---- Rows.

enum ConfigFlag : std::uint8_t {
  kConfigImmutable = 1,   // only from the file and the command line
  kConfigMultiArg = 2,    // takes several words
  kConfigHidden = 4,      // shown only when asked for by its exact name
  kConfigSensitive = 8,   // the value must not reach logs, MONITOR and SLOWLOG
  kConfigProtected = 16,  // CONFIG SET only as enable-protected-configs says
};

enum class ConfigEffect : std::uint8_t {
  kWorks,
  kNoEffectYet,
  kNeedless,  // what it is for in Redis is done in any case, or there is nothing to do
};

// What the server has to do after a change. Options that are read where they are used need nothing.
enum class ConfigHook : std::uint8_t {
  kNone,
  kBind,          // bind: close the listeners and open the new ones
  kPort,          // port: the same
  kMaxClients,    // room for the descriptors
  kHz,            // hz: the cron's period
  kLog,           // loglevel
  kRequirePass,   // the default user's password
  kProcTitle,     // proc-title-template
  kCrashLog,      // crash-log-enabled: install or remove the signal handlers
  kLimits,        // proto-max-bulk-len, client-query-buffer-limit: limits that parsers copied
  kOutputLimits,  // client-output-buffer-limit
  kSlowlog,       // slowlog-max-len: trim
  kLatency,       // latency-tracking and its percentiles
  kMemory,        // maxmemory, its policy and samples; maxmemory-clients
  kEncodings,     // thresholds of the small encodings
  kAllocator,     // jemalloc-bg-thread
  kEvents,        // notify-keyspace-events
  kTracking,      // tracking-table-max-keys, tracking-client-max-keys
  kAclLog,        // acllog-max-len: trim
  kTlsPort,       // tls-port: listeners
  kTls,           // every other tls directive: certificates and settings of new connections
  kAdminPort,     // admin-port, admin-bind
};
inline constexpr std::size_t kConfigHooks = 22;

struct ConfigRow {
  std::string_view name;
  ConfigField field;
  ConfigEffect effect = ConfigEffect::kNoEffectYet;
  std::uint8_t flags = 0;  // ConfigFlag
  std::string_view alias = {};
  ConfigHook hook = ConfigHook::kNone;
  std::string_view why_needless = {};

  bool has(ConfigFlag flag) const { return (flags & flag) != 0; }
};

struct ConfigValue {
  std::string name;  // the row's or its alias; as the client wrote it when it wrote no glob
  std::string value;
};

struct ConfigPair {
  std::string_view name;
  std::string_view value;
};

class ConfigTable {
 public:
  using Hook = std::move_only_function<ConfigResult()>;

  // `config` stays the caller's and outlives the table.
  explicit ConfigTable(Config& config);

  // CONFIG GET: each directive that some pattern matches, once, aliases as directives of their own.
  // A name without glob characters finds hidden directives too.
  std::vector<ConfigValue> Get(std::span<const std::string_view> patterns) const;

  struct SetOptions {
    bool protected_allowed = false;  // what enable-protected-configs says about this client
  };
  // CONFIG SET: parses all, then changes all, then runs the hooks of what changed; on any failure
  // the old values are back (and the hooks that had run are run again). The error is the whole text
  // of the reply after "-", "ERR " included, without CR or LF.
  std::expected<void, std::string> Set(std::span<const ConfigPair> pairs, SetOptions options);

  // One line of a file or of the command line: no immutability, no hooks; `dir` changes the working
  // directory at once, since later lines and includes count on it. The error is the reason alone.
  ConfigResult SetFromFile(const ConfigRow& row, std::span<const std::string_view> arguments);

  // The row by name or alias in any case, else nullptr.
  const ConfigRow* Find(std::string_view name) const;
  // All rows, each once, in the order of the table.
  std::span<const ConfigRow* const> rows() const { return rows_; }
  // Parses and stores, nothing more: no flags, hooks, warnings or chdir. After an error the field
  // may have any value.
  static ConfigResult Assign(const ConfigRow& row, Config& config,
                             std::span<const std::string_view> arguments, ConfigOrigin origin);
  // The value as CONFIG GET shows it.
  static std::string ValueText(const ConfigRow& row, const Config& config);

  // Replaces what runs after a change of any directive with this hook. The hook sees the new values
  // in Config; its error makes Set fail and roll back.
  void OnChange(ConfigHook hook, Hook run);

  // One line for the log per directive without effect that was set since the last call; each
  // directive is reported once in the life of the table.
  std::vector<std::string> TakeWarnings();
  // Notes that `name` was set without effect (also the lines that have no row: user, loadmodule),
  // and why it needs none; empty: it has none yet.
  void NoteNoEffect(std::string_view name, std::string_view why_needless = {});

  Config& config() { return config_; }
  const Config& config() const { return config_; }

 private:
  struct Change;
  std::expected<std::vector<Change>, std::string> Check(std::span<const ConfigPair> pairs,
                                                        SetOptions options) const;
  std::expected<void, std::string> Apply(std::span<const Change> changes, const Config& previous);
  ConfigResult RunHook(ConfigHook hook);
  void RollBack(const Config& previous, std::span<const ConfigHook> run);

  Config& config_;
  std::vector<const ConfigRow*> rows_;
  std::unordered_set<const ConfigRow*> seen_in_file_;
  std::unordered_map<std::string_view, const ConfigRow*> by_name_;
  std::array<Hook, kConfigHooks> hooks_;
  std::unordered_set<std::string> reported_;
  std::vector<std::string> warnings_;
};

// The areas of the table.
std::span<const ConfigRow> ServerConfigRows();  // config_table.cc: network, clients, process, logs
std::span<const ConfigRow> DataConfigRows();    // config_table_data.cc: memory, keys, encodings
std::span<const ConfigRow>
DurableConfigRows();  // config_table_durable.cc: snapshots, AOF, replicas
std::span<const ConfigRow> ClusterConfigRows();  // config_table_cluster.cc
std::span<const ConfigRow> TlsConfigRows();      // config_table_tls.cc

}  // namespace aeris
