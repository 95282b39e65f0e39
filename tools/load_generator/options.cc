#include "tools/load_generator/options.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <utility>

#include "src/base/number_text.h"

namespace aeris::load {

const std::string_view kUsage = R"(usage: load-generator --port PORT [option ...]

Loads a server on this machine and prints one line of JSON. One thread, epoll; pin it with taskset.
Ends with status 1 at the first error reply, or reply of the wrong kind, and 3 at --timeout.

  --host ADDRESS       127.0.0.1 (default) or ::1
  --protocol NAME      resp (default), memcached (text protocol)
  --workload NAME      get (default), set, mixed (GET and SET 9:1), mget (of ten keys), incr, expire,
                       load (sets each key once), delete (each key once), ping,
                       grow (single inserts, sampled while another connection fills: see below),
                       watch (PINGs at --rate while another connection works: see below),
                       command (the one of --command),
                       fan-out (PUBLISH to --connections subscribers: see below),
                       look-aside (GETs, and a SET of each key that is missing: see below)
  --command WORDS      load, grow, watch and command: this command instead of a SET. A run of # becomes the
                       digits of the key's number, the same wherever it stands in the command; a run
                       of ? those of a random number below --keys. RESP only
  --connections N      50
  --pipeline N         requests that a connection sends together, 1
  --requests N         1000000; load and delete end with the keys
  --seconds S          instead of --requests
  --rate N             open loop: N requests per second over all connections, spread evenly; a latency
                       counts from the time at which its request was due, so a server that falls
                       behind shows it. Spins instead of sleeping. Without: closed loop, each
                       connection sends when its replies are there
  --keys N             1000000; key:000000000000 and on
  --first N            the number of the first key, 0
  --key-size BYTES     16, of which --prefix (key:) is the begin and digits are the rest
  --value-size BYTES   32
  --value TEXT         this value instead
  --deadline           SETs carry a deadline of 100000 to 999999 s, random
  --transaction        what a connection sends together stands between MULTI and EXEC, and is not counted
                       as requests; get, set, mixed, mget, incr, expire, ping and command. RESP only
  --sequential         keys in order instead of uniformly random
  --half 0|1           load and delete: only this random half of the keys, the same in each run
  --probes N           grow: single inserts to measure, 1000000
  --idle-port PORT     grow and watch: an idle server to compare with; default: the same one
  --seed N             1
  --timeout S          600
  --server-pid PID     also tells the CPU time that this process used meanwhile

grow inserts --keys new keys, or as many elements by --command; N of them by a connection without
pipeline, whose times are measured, the others by a second connection between them. In turns of a
thousand it measures as many SETs of one key that have their server to themselves, so what disturbs the
machine disturbs both.

watch sends PINGs, 1000 a second unless --rate says otherwise, each due at its time. With --command it
pings the idle server for --seconds, then the other one for as long, which is given the command once.
Without, another connection sets each key once in batches of --pipeline, until the keys or --seconds end,
and turns of a quarter of a second are taken with the idle server.

fan-out publishes --requests messages of --value-size bytes to one channel, to which --connections clients
have subscribed, and tells the time and the CPU time until all have got all; RESP only.

look-aside sets --keys keys once each, the most recently used ones last; then asks for them --warm-up
times and --requests times, and tells the misses of the latter, in four parts. Keys are --value-size bytes
large, and asked for as these say:
  --zipf S             key r has a popularity of 1 / (r + 1)^S; 1
  --value-size-max N   sizes from --value-size to this: lognormal, a property of the key
  --drift N            every N requests two random keys exchange their popularity
  --scan-period N      every N requests a scan comes by, of --scan-keys N keys that nobody asks for again
  --warm-up N          0
)";

namespace {

constexpr std::array<std::pair<std::string_view, Workload>, 14> kWorkloads = {{
    {"get", Workload::kGet},
    {"set", Workload::kSet},
    {"mixed", Workload::kMixed},
    {"mget", Workload::kMget},
    {"incr", Workload::kIncr},
    {"expire", Workload::kExpire},
    {"delete", Workload::kDelete},
    {"load", Workload::kLoad},
    {"ping", Workload::kPing},
    {"grow", Workload::kGrow},
    {"watch", Workload::kWatch},
    {"command", Workload::kCommand},
    {"fan-out", Workload::kFanOut},
    {"look-aside", Workload::kLookAside},
}};

template <typename Integer>
bool ReadInteger(std::string_view text, std::uint64_t min, std::uint64_t max, Integer& out) {
  const std::optional<std::uint64_t> value = ParseUint64(text);
  if (!value || *value < min || *value > max) return false;
  out = static_cast<Integer>(*value);
  return true;
}

bool ReadPositive(std::string_view text, double& out) {
  const std::optional<double> value = ParseDouble(text);
  if (!value || !(*value > 0) || *value > 1e9) return false;
  out = *value;
  return true;
}

bool ReadText(std::string_view text, std::string& out) {
  out = text;
  return true;
}

bool ReadWorkload(std::string_view text, Workload& out) {
  const auto* row = std::ranges::find(kWorkloads, text, &decltype(kWorkloads)::value_type::first);
  if (row == kWorkloads.end()) return false;
  out = row->second;
  return true;
}

bool ReadProtocol(std::string_view text, Protocol& out) {
  out = text == "memcached" ? Protocol::kMemcached : Protocol::kResp;
  return text == "memcached" || text == "resp";
}

constexpr std::uint64_t kMany = std::uint64_t{1} << 40;
constexpr std::uint64_t kLookAsideKeysMax = 1'000'000'000;  // their numbers take 32 bits

// False when there is no such option or its argument is wrong.
bool Apply(Options& options, std::string_view name, std::string_view text) {
  if (name == "--host")
    return (text == "127.0.0.1" || text == "::1") && ReadText(text, options.host);
  if (name == "--port") return ReadInteger(text, 1, 65535, options.port);
  if (name == "--protocol") return ReadProtocol(text, options.protocol);
  if (name == "--workload") return ReadWorkload(text, options.workload);
  if (name == "--connections") return ReadInteger(text, 1, 10'000, options.connections);
  if (name == "--pipeline") return ReadInteger(text, 1, 10'000, options.pipeline);
  if (name == "--requests") return ReadInteger(text, 1, kMany, options.requests);
  if (name == "--seconds") return ReadPositive(text, options.seconds);
  if (name == "--rate") return ReadPositive(text, options.rate);
  if (name == "--keys") return ReadInteger(text, 1, kMany, options.keys);
  if (name == "--first") return ReadInteger(text, 0, kMany, options.first);
  if (name == "--key-size") return ReadInteger(text, 1, 1024, options.key_bytes);
  if (name == "--prefix") return ReadText(text, options.prefix);
  if (name == "--value-size") return ReadInteger(text, 0, 64U << 20U, options.value_bytes);
  if (name == "--value") return ReadText(text, options.value);
  if (name == "--command") return ReadText(text, options.command);
  if (name == "--half") return ReadInteger(text, 0, 1, options.half);
  if (name == "--probes") return ReadInteger(text, 1, 100'000'000, options.probes);
  if (name == "--idle-port") return ReadInteger(text, 1, 65535, options.idle_port);
  if (name == "--zipf") return ReadPositive(text, options.zipf) && options.zipf <= 10;
  if (name == "--value-size-max") {
    return ReadInteger(text, 1, 64U << 20U, options.value_bytes_max);
  }
  if (name == "--drift") return ReadInteger(text, 1, kMany, options.drift);
  if (name == "--scan-period") return ReadInteger(text, 1, kMany, options.scan_period);
  if (name == "--scan-keys") return ReadInteger(text, 1, kMany, options.scan_keys);
  if (name == "--warm-up") return ReadInteger(text, 0, kMany, options.warm_up);
  if (name == "--seed") return ReadInteger(text, 0, kMany, options.seed);
  if (name == "--timeout") return ReadPositive(text, options.timeout_seconds);
  if (name == "--server-pid") {
    return ReadInteger(text, 1, std::numeric_limits<pid_t>::max(), options.server_pid);
  }
  return false;
}

bool* Switch(Options& options, std::string_view name) {
  if (name == "--deadline") return &options.deadline;
  if (name == "--transaction") return &options.transaction;
  if (name == "--sequential") return &options.sequential;
  return nullptr;
}

// Keys that the scans of a run ask for.
std::uint64_t OneTimeKeys(const Options& options) {
  if (options.scan_period == 0) return 0;
  return ((options.warm_up + options.requests) / options.scan_period + 1) * options.scan_keys;
}

// Whether `digits` digits are enough for the number of every key.
bool HasDigits(const Options& options, std::size_t digits) {
  std::uint64_t names = 1;
  for (std::size_t i = 0; i < digits && names <= 4 * kMany; ++i) names *= 10;
  return names >= options.first + options.keys + OneTimeKeys(options);
}

// What is wrong with the options of look-aside; empty when nothing is.
std::string_view LookAsideFault(const Options& options) {
  if (options.keys > kLookAsideKeysMax) return "--keys is more than look-aside takes";
  if ((options.scan_period == 0) != (options.scan_keys == 0)) {
    return "--scan-period and --scan-keys want each other";
  }
  if (options.value_bytes_max != 0 &&
      (options.value_bytes == 0 || options.value_bytes_max < options.value_bytes)) {
    return "--value-size-max is below --value-size, or that is 0";
  }
  return "";
}

// What is wrong with --command; empty when nothing is.
std::string_view CommandFault(const Options& options) {
  const bool each_once = options.workload == Workload::kLoad || options.workload == Workload::kGrow;
  if (options.command.empty()) {
    return options.workload == Workload::kCommand ? "there is no --command" : "";
  }
  if (!each_once && options.workload != Workload::kCommand &&
      options.workload != Workload::kWatch) {
    return "--command has no such workload";
  }
  if (options.protocol != Protocol::kResp) return "--command wants --protocol resp";
  const std::string_view text = options.command;
  // Without the numbers of the keys a load would have no end.
  if (each_once && !text.contains('#')) return "--command names no key by #";
  for (std::size_t at = text.find_first_of("#?"); at != text.npos;) {
    const std::size_t end = std::min(text.find_first_not_of(text[at], at), text.size());
    if (!HasDigits(options, end - at)) return "--keys has more digits than --command leaves";
    at = text.find_first_of("#?", end);
  }
  return "";
}

// What is wrong with --transaction; empty when nothing is. A transaction is sent whole, so the keys
// may not end in it.
std::string_view TransactionFault(const Options& options) {
  if (!options.transaction) return "";
  if (options.protocol != Protocol::kResp) return "--transaction wants --protocol resp";
  switch (options.workload) {
    case Workload::kLoad:
    case Workload::kDelete:
    case Workload::kGrow:
    case Workload::kWatch:
    case Workload::kLookAside:
      return "--transaction has no such workload";
    default:
      return "";
  }
}

std::expected<Options, Error> Checked(Options options) {
  if (!options.value.empty()) options.value_bytes = options.value.size();
  if (options.prefix.size() >= options.key_bytes) {
    return std::unexpected(Error::Invalid("--key-size leaves no digits after --prefix"));
  }
  if (!HasDigits(options, options.key_bytes - options.prefix.size())) {
    return std::unexpected(Error::Invalid("--keys has more digits than --key-size leaves"));
  }
  if (const std::string_view fault = CommandFault(options); !fault.empty()) {
    return std::unexpected(Error::Invalid(std::string(fault)));
  }
  if (const std::string_view fault = TransactionFault(options); !fault.empty()) {
    return std::unexpected(Error::Invalid(std::string(fault)));
  }
  if (const std::string_view fault = LookAsideFault(options);
      options.workload == Workload::kLookAside && !fault.empty()) {
    return std::unexpected(Error::Invalid(std::string(fault)));
  }
  if (options.workload == Workload::kFanOut && options.protocol != Protocol::kResp) {
    return std::unexpected(Error::Invalid("fan-out wants --protocol resp"));
  }
  if (options.workload == Workload::kGrow && options.probes > options.keys) {
    return std::unexpected(Error::Invalid("--probes is more than --keys"));
  }
  return options;
}

}  // namespace

std::expected<Options, Error> ParseOptions(std::span<char* const> words) {
  Options options;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view name = words[i];
    if (name == "--help" || name == "-h") {
      return std::unexpected(Error{ErrorCode::kNotFound, 0, "help"});
    }
    if (bool* flag = Switch(options, name)) {
      *flag = true;
      continue;
    }
    if (i + 1 == words.size() || !Apply(options, name, words[i + 1])) {
      return std::unexpected(
          Error::Invalid("unknown or wrong: " + std::string(name) +
                         (i + 1 < words.size() ? " " + std::string(words[i + 1]) : std::string())));
    }
    ++i;
  }
  return Checked(std::move(options));
}

std::string_view NameOf(Workload workload) {
  return std::ranges::find(kWorkloads, workload, &decltype(kWorkloads)::value_type::second)->first;
}

}  // namespace aeris::load
