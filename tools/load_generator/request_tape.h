// RequestTape: the bytes of requests, built once; only digits of keys, deadlines and random numbers
// are written into them before they are sent.
//
// One tape serves all connections of a run: a batch is sent at once, and a connection keeps what
// its socket did not take. So the tape stays in the cache, however many connections there are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tools/load_generator/key_sequence.h"
#include "tools/load_generator/options.h"

namespace aeris::load {

inline constexpr std::size_t kMgetKeys = 10;
inline constexpr std::size_t kMixedPeriod = 10;  // every tenth request of `mixed` is a SET

// What was asked for, to compare the replies with.
struct RequestCounts {
  std::uint64_t requests = 0;
  std::uint64_t values = 0;    // keys read: each gives a value or a null
  std::uint64_t statuses = 0;  // requests that are answered by a status
  std::uint64_t integers = 0;  // likewise by an integer
};

struct Batch {
  std::string_view bytes;  // until the next batch is taken
  std::size_t requests = 0;
  std::size_t replies = 0;  // those of MULTI and EXEC included
};

class RequestTape {
 public:
  RequestTape(const Options& options, KeySequence keys);

  // The next batch, of `requests_max` requests at most and the pipeline's depth at most; fewer at
  // the end of the keys, none behind it. Transactions are whole or none.
  Batch Next(std::size_t requests_max);

  const RequestCounts& asked() const { return asked_; }

 private:
  // Digits that change from one sending to the next.
  struct Field {
    enum class Source : std::uint8_t {
      kNextKey,   // the number of the next key
      kSameKey,   // of the same one as the field before
      kDeadline,  // seconds
      kRandom,    // below Options::keys
    };
    std::size_t end = 0;
    Source source = Source::kNextKey;
  };

  struct Request {
    std::size_t begin = 0;
    std::size_t end = 0;
    std::size_t fields_begin = 0;  // in fields_
    std::size_t fields_end = 0;
    std::size_t values = 0;
    bool status = false;
    bool integer = false;
  };

  void Append(const Options& options, Workload workload);
  void AppendInTransaction(const Options& options, Workload workload, std::size_t number);
  void AppendKey(const Options& options);
  void AppendCommand(std::string_view words);
  // False when the keys have ended.
  bool WriteFields(const Request& request);

  std::string bytes_;
  std::vector<Request> requests_;
  std::vector<Field> fields_;
  std::uint64_t key_count_;
  std::uint64_t first_key_;
  std::size_t key_digits_ = 0;  // that vary
  std::size_t batch_requests_;
  bool transaction_;
  std::size_t next_ = 0;
  KeySequence keys_;
  Xoshiro random_;
  RequestCounts asked_;
};

// The order in which a workload names its keys.
KeySequence KeysOf(const Options& options);

}  // namespace aeris::load
