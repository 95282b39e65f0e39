#include "tools/load_generator/request_tape.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <ranges>
#include <utility>

namespace aeris::load {
namespace {

constexpr std::uint64_t kDeadlineSecondsMin = 100'000;
constexpr std::uint64_t kDeadlineSecondsEnd = 1'000'000;
constexpr std::size_t kDeadlineDigits = 6;

void WriteDigits(char* end, std::size_t digits, std::uint64_t value) {
  for (std::size_t i = 0; i < digits; ++i, value /= 10) {
    *--end = static_cast<char>('0' + value % 10);
  }
}

std::string ValueOf(const Options& options) {
  return options.value.empty() ? std::string(options.value_bytes, 'v') : options.value;
}

std::size_t DigitsOf(std::uint64_t value) { return fmt::formatted_size("{}", value); }

void AppendBulk(std::string& out, std::string_view text) {
  fmt::format_to(std::back_inserter(out), "${}\r\n{}\r\n", text.size(), text);
}

}  // namespace

KeySequence KeysOf(const Options& options) {
  const bool once = options.workload == Workload::kLoad || options.workload == Workload::kDelete ||
                    options.workload == Workload::kGrow;
  const KeyOrder order = once                 ? KeyOrder::kOnce
                         : options.sequential ? KeyOrder::kSequential
                                              : KeyOrder::kRandom;
  return KeySequence({.keys = options.keys,
                      .order = order,
                      .half = once ? options.half : -1,
                      .seed = options.seed});
}

RequestTape::RequestTape(const Options& options, KeySequence keys)
    : key_count_(options.keys),
      first_key_(options.first),
      key_digits_(DigitsOf(options.first + options.keys - 1)),
      batch_requests_(options.pipeline),
      transaction_(options.transaction),
      keys_(std::move(keys)),
      random_(~options.seed) {
  // A batch begins where the last one ended, so ten batches hold whole periods of `mixed`.
  const bool mixed = options.workload == Workload::kMixed;
  const std::size_t count = options.pipeline * (mixed ? kMixedPeriod : 1);
  for (std::size_t i = 0; i < count; ++i) {
    const Workload one = i % kMixedPeriod == kMixedPeriod - 1 ? Workload::kSet : Workload::kGet;
    const Workload workload = mixed ? one : options.workload;
    transaction_ ? AppendInTransaction(options, workload, i) : Append(options, workload);
  }
}

// MULTI and EXEC are part of the first and the last request of a batch.
void RequestTape::AppendInTransaction(const Options& options, Workload workload,
                                      std::size_t number) {
  const std::size_t begin = bytes_.size();
  if (number % batch_requests_ == 0) bytes_ += "*1\r\n$5\r\nMULTI\r\n";
  Append(options, workload);
  requests_.back().begin = begin;
  if (number % batch_requests_ != batch_requests_ - 1) return;
  bytes_ += "*1\r\n$4\r\nEXEC\r\n";
  requests_.back().end = bytes_.size();
}

void RequestTape::AppendKey(const Options& options) {
  bytes_ += options.prefix;
  bytes_.append(options.key_bytes - options.prefix.size(), '0');
  fields_.push_back({bytes_.size(), Field::Source::kNextKey});
}

// A run of # is the number of one key, however often it stands there.
void RequestTape::AppendCommand(std::string_view words) {
  const auto count = 1 + std::ranges::count(words, ' ');
  fmt::format_to(std::back_inserter(bytes_), "*{}\r\n", count);
  bool named = false;
  for (const auto part : std::views::split(words, ' ')) {
    const std::string_view word(part.begin(), part.end());
    fmt::format_to(std::back_inserter(bytes_), "${}\r\n", word.size());
    for (std::size_t i = 0; i < word.size(); ++i) {
      const char letter = word[i];
      const bool field = letter == '#' || letter == '?';
      bytes_ += field ? '0' : letter;
      if (!field || word.substr(i + 1).starts_with(letter)) continue;
      const bool key = letter == '#';
      fields_.push_back({bytes_.size(), !key    ? Field::Source::kRandom
                                        : named ? Field::Source::kSameKey
                                                : Field::Source::kNextKey});
      named = named || key;
    }
    bytes_ += "\r\n";
  }
}

void RequestTape::Append(const Options& options, Workload workload) {
  Request request{.begin = bytes_.size(), .fields_begin = fields_.size()};
  const bool memcached = options.protocol == Protocol::kMemcached;
  const auto key = [&] {
    if (!memcached) fmt::format_to(std::back_inserter(bytes_), "${}\r\n", options.key_bytes);
    AppendKey(options);
    if (!memcached) bytes_ += "\r\n";
  };
  const auto deadline = [&] {
    if (!memcached) fmt::format_to(std::back_inserter(bytes_), "${}\r\n", kDeadlineDigits);
    bytes_.append(kDeadlineDigits, '0');
    fields_.push_back({bytes_.size(), Field::Source::kDeadline});
    if (!memcached) bytes_ += "\r\n";
  };
  const std::string value = ValueOf(options);
  switch (options.command.empty() ? workload : Workload::kCommand) {
    case Workload::kGet:
      bytes_ += memcached ? "get " : "*2\r\n$3\r\nGET\r\n";
      key();
      if (memcached) bytes_ += "\r\n";
      request.values = 1;
      break;
    case Workload::kMget:
      bytes_ += memcached ? "get" : fmt::format("*{}\r\n$4\r\nMGET\r\n", 1 + kMgetKeys);
      for (std::size_t i = 0; i < kMgetKeys; ++i) {
        if (memcached) bytes_ += ' ';
        key();
      }
      if (memcached) bytes_ += "\r\n";
      request.values = kMgetKeys;
      break;
    case Workload::kSet:
    case Workload::kLoad:
    case Workload::kGrow:
    case Workload::kMixed:
      request.status = true;
      if (memcached) {
        bytes_ += "set ";
        key();
        bytes_ += " 0 ";
        options.deadline ? deadline() : void(bytes_ += '0');
        fmt::format_to(std::back_inserter(bytes_), " {}\r\n{}\r\n", value.size(), value);
        break;
      }
      bytes_ += options.deadline ? "*5\r\n$3\r\nSET\r\n" : "*3\r\n$3\r\nSET\r\n";
      key();
      AppendBulk(bytes_, value);
      if (options.deadline) {
        AppendBulk(bytes_, "EX");
        deadline();
      }
      break;
    case Workload::kIncr:
      request.integer = true;
      bytes_ += memcached ? "incr " : "*2\r\n$4\r\nINCR\r\n";
      key();
      if (memcached) bytes_ += " 1\r\n";
      break;
    case Workload::kExpire:
      request.integer = true;
      bytes_ += memcached ? "touch " : "*3\r\n$6\r\nEXPIRE\r\n";
      key();
      if (memcached) bytes_ += ' ';
      deadline();
      if (memcached) bytes_ += "\r\n";
      break;
    case Workload::kDelete:
      request.integer = true;
      bytes_ += memcached ? "delete " : "*2\r\n$3\r\nDEL\r\n";
      key();
      if (memcached) bytes_ += "\r\n";
      break;
    case Workload::kWatch:  // its tapes are of other workloads
    case Workload::kPing:
      bytes_ += memcached ? "version\r\n" : "*1\r\n$4\r\nPING\r\n";
      request.status = true;
      break;
    case Workload::kLookAside:  // these write their own
    case Workload::kFanOut:
      break;
    case Workload::kCommand:
      AppendCommand(options.command);
      break;
  }
  request.end = bytes_.size();
  request.fields_end = fields_.size();
  requests_.push_back(request);
}

bool RequestTape::WriteFields(const Request& request) {
  std::uint64_t key = 0;
  for (std::size_t i = request.fields_begin; i < request.fields_end; ++i) {
    const Field& field = fields_[i];
    char* end = bytes_.data() + field.end;
    switch (field.source) {
      case Field::Source::kNextKey: {
        const std::optional<std::uint64_t> next = keys_.Next();
        if (!next) return false;
        key = first_key_ + *next;
        WriteDigits(end, key_digits_, key);
        break;
      }
      case Field::Source::kSameKey:
        WriteDigits(end, key_digits_, key);
        break;
      case Field::Source::kDeadline:
        WriteDigits(end, kDeadlineDigits,
                    kDeadlineSecondsMin + random_.Below(kDeadlineSecondsEnd - kDeadlineSecondsMin));
        break;
      case Field::Source::kRandom:
        WriteDigits(end, key_digits_, random_.Below(key_count_));
        break;
    }
  }
  return true;
}

Batch RequestTape::Next(std::size_t requests_max) {
  const std::size_t wanted = std::min(requests_max, batch_requests_);
  if (transaction_ && wanted < batch_requests_) return {};
  if (next_ + wanted > requests_.size()) next_ = 0;
  const std::size_t first = next_;
  const std::size_t end = first + wanted;
  while (next_ < end && WriteFields(requests_[next_])) {
    const Request& request = requests_[next_++];
    ++asked_.requests;
    asked_.values += request.values;
    asked_.statuses += request.status ? 1 : 0;
    asked_.integers += request.integer ? 1 : 0;
  }
  const std::size_t taken = next_ - first;
  if (taken == 0) return {};
  const std::size_t begin = requests_[first].begin;
  const std::string_view bytes(bytes_.data() + begin, requests_[next_ - 1].end - begin);
  if (!transaction_) return {.bytes = bytes, .requests = taken, .replies = taken};
  asked_.statuses += 1 + taken;  // OK, and QUEUED for each
  return {.bytes = bytes, .requests = taken, .replies = taken + 2};
}

}  // namespace aeris::load
