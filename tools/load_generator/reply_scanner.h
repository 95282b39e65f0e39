// ReplyScanner: counts the replies of a server by kind, without keeping or allocating anything.
//
// A reply may arrive in any pieces. Payloads are skipped, not looked at; the CRLF behind them is.
// Cost: a few nanoseconds per reply of a small value, nothing per byte of a payload.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tools/load_generator/line_reader.h"

namespace aeris::load {

enum class Protocol : std::uint8_t { kResp, kMemcached };

// What has arrived. Elements of arrays count by their own kind, the array itself as one reply.
struct ReplyCounts {
  std::uint64_t statuses = 0;     // +OK; STORED
  std::uint64_t integers = 0;     // :1; 7, TOUCHED, DELETED, NOT_FOUND
  std::uint64_t values = 0;       // $3; VALUE
  std::uint64_t nulls = 0;        // $-1, *-1; memcached has no reply for what is missing
  std::uint64_t value_bytes = 0;  // payloads of the values
  std::uint64_t errors = 0;
};

class ReplyScanner {
 public:
  virtual ~ReplyScanner() = default;

  // Takes the next bytes of the stream; returns how many replies they complete. 0 from a broken
  // stream: see fault().
  std::size_t Scan(std::string_view bytes);

  // Bytes of a payload still to come, which the caller may drop unread and report to SkipPayload.
  std::size_t payload_left() const { return payload_left_; }
  void SkipPayload(std::size_t bytes) { payload_left_ -= bytes; }

  // From now on, each reply that ends appends here whether it held a value. Null: no more.
  void NoteValues(std::vector<bool>* held_value) {
    held_value_ = held_value;
    values_before_ = counts_.values;
  }

  const ReplyCounts& counts() const { return counts_; }
  // The first error reply, or what is wrong with the stream; empty when all is well.
  const std::string& fault() const { return fault_; }

 protected:
  // One line, the end of a payload included; true when it ends a reply.
  virtual bool ScanLine(std::string_view line) = 0;
  // Counts the text of an error reply; the first one is kept.
  void CountError(std::string_view text);
  // The stream cannot be followed any further.
  void Break(std::string_view why, std::string_view near);

  ReplyCounts counts_;
  std::size_t payload_left_ = 0;

 private:
  void NoteReply();

  LineReader lines_;
  std::vector<bool>* held_value_ = nullptr;
  std::uint64_t values_before_ = 0;  // the reply that is arriving
  std::string fault_;
  bool broken_ = false;
};

std::unique_ptr<ReplyScanner> MakeReplyScanner(Protocol protocol);

}  // namespace aeris::load
