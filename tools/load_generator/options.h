// What a run of the load generator does, and its command line.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>

#include "src/base/error.h"
#include "tools/load_generator/reply_scanner.h"

namespace aeris::load {

enum class Workload : std::uint8_t {
  kGet,
  kSet,
  kMixed,  // nine GETs, then a SET
  kMget,   // ten keys each
  kIncr,
  kExpire,
  kDelete,  // each key once
  kLoad,    // sets each key once
  kPing,
  kGrow,       // single inserts sampled while another connection fills
  kWatch,      // PINGs at a steady rate while another connection works
  kCommand,    // Options::command, again and again
  kFanOut,     // PUBLISH to many subscribers: fan_out.h
  kLookAside,  // GETs, and a SET of each key that is missing: look_aside.h
};

struct Options {
  std::string host = "127.0.0.1";  // or ::1, nothing else
  std::uint16_t port = 6379;
  Protocol protocol = Protocol::kResp;
  Workload workload = Workload::kGet;
  std::size_t connections = 50;
  std::size_t pipeline = 1;
  std::uint64_t requests = 1'000'000;
  double seconds = 0;  // more than 0: ends then, however many requests that are
  double rate = 0;     // requests per second, all connections together; 0: as fast as possible
  std::uint64_t keys = 1'000'000;
  std::uint64_t first = 0;  // the number of the first key
  std::size_t key_bytes = 16;
  std::string prefix = "key:";
  std::size_t value_bytes = 32;
  std::string value = {};    // overrides value_bytes
  std::string command = {};  // what kLoad and kGrow send instead of a SET; kUsage has its form
  bool deadline = false;     // SETs carry one, random between 1.2 and 11.6 days
  bool transaction = false;  // what is sent together stands between MULTI and EXEC
  bool sequential = false;   // key order, where the workload leaves a choice
  int half = -1;
  std::uint64_t probes = 1'000'000;
  std::uint16_t idle_port = 0;  // of the idle server that kGrow and kWatch probe; 0: the same one
  double zipf = 1.0;            // of kLookAside, as what follows: cache_traffic.h
  std::size_t value_bytes_max = 0;  // sizes from value_bytes on; 0: all have that
  std::uint64_t drift = 0;          // requests from one exchange of two keys to the next; 0: never
  std::uint64_t scan_period = 0;    // requests from one scan to the next; 0: none
  std::uint64_t scan_keys = 0;      // of one scan
  std::uint64_t warm_up = 0;        // requests before those that count
  std::uint64_t seed = 1;
  double timeout_seconds = 600;
  pid_t server_pid = 0;  // whose CPU time is measured
};

extern const std::string_view kUsage;

// Reads the words after the program's name. kNotFound for --help.
std::expected<Options, Error> ParseOptions(std::span<char* const> words);

std::string_view NameOf(Workload workload);

}  // namespace aeris::load
