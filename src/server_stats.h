// Counters of INFO stats. Written where things happen, read by INFO, cleared by CONFIG RESETSTAT.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "src/base/clock.h"

namespace aeris {

// The rate of a counter over the last 1.6 seconds, from a sample every 100 ms, as Redis keeps it.
class RateSampler {
 public:
  void Sample(std::uint64_t total, MonotonicTime now);
  std::uint64_t per_second() const;
  void Reset() { *this = RateSampler(); }

 private:
  static constexpr std::size_t kSamples = 16;
  std::array<std::uint64_t, kSamples> rates_{};
  std::size_t next_ = 0;
  std::uint64_t last_total_ = 0;
  MonotonicTime last_time_{};
  bool started_ = false;
};

struct ServerStats {
  std::uint64_t connections_received = 0;
  std::uint64_t connections_rejected = 0;
  std::uint64_t commands_processed = 0;
  std::uint64_t net_input_bytes = 0;
  std::uint64_t net_output_bytes = 0;
  std::uint64_t error_replies = 0;
  std::uint64_t reads_processed = 0;   // read(2) calls that brought bytes
  std::uint64_t writes_processed = 0;  // write(2) calls that took bytes
  std::uint64_t unexpected_disconnects = 0;
  std::uint64_t query_buffer_limit_disconnects = 0;
  std::uint64_t output_buffer_limit_disconnects = 0;
  std::uint64_t changes = 0;  // keys changed since the start or the last save
  std::uint64_t peak_memory = 0;
  std::size_t argument_bytes = 0;       // of big arguments that are being received
  std::uint64_t lazyfree_pending = 0;   // objects given to the lazyfree thread that still live
  std::uint64_t lazyfreed_objects = 0;  // objects that it has freed
  std::uint64_t evicted_clients = 0;
  std::uint64_t tls_handshakes = 0;
  std::uint64_t tls_handshakes_failed = 0;
  std::uint64_t acl_denied_auth = 0;
  std::uint64_t acl_denied_command = 0;
  std::uint64_t acl_denied_key = 0;
  std::uint64_t acl_denied_channel = 0;
  std::uint64_t expire_ns = 0;         // spent in active expiry
  std::uint64_t expire_steps_cut = 0;  // its steps that ended at their time with more to do
  RateSampler commands_rate;
  RateSampler input_rate;
  RateSampler output_rate;
  // Errors by their code word, the first 128 different ones.
  std::map<std::string, std::uint64_t, std::less<>> errors_by_code;

  // CONFIG RESETSTAT: all counters. What tells a present state stays: changes, peak_memory,
  // argument_bytes, lazyfree_pending.
  void Reset();
};

}  // namespace aeris
