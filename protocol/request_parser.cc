#include "protocol/request_parser.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "protocol/usual_request.h"
#include "src/base/check.h"
#include "src/base/memory_probe.h"
#include "src/base/number_text.h"

namespace aeris::protocol {
namespace {

// Neither `= {}` nor shrink_to_fit() does it: the first keeps the capacity, the second is empty in
// a libstdc++ without exceptions.
template <typename Container>
void FreeMemory(Container& container) {
  Container().swap(container);
}

}  // namespace

ParseStatus RequestParser::Parse(std::string_view bytes, const Limits& limits) {
  switch (state_) {
    case State::kStart:
      if (bytes.empty()) return ParseStatus::kNeedMore;
      state_ = bytes.front() == '*' ? State::kCount : State::kInline;
      return state_ == State::kCount ? ParseCount(bytes, limits) : ParseInline(bytes);
    case State::kCount:
      return ParseCount(bytes, limits);
    case State::kLength:
    case State::kBulk:
    case State::kBlock:
      return ParseArguments(bytes, limits);
    case State::kInline:
      return ParseInline(bytes);
    case State::kDone:
    case State::kInlineDone:
      return ParseStatus::kRequest;
    case State::kError:
      break;
  }
  return ParseStatus::kError;
}

ParseStatus RequestParser::ParseCount(std::string_view bytes, const Limits& limits) {
  std::int64_t count = 0;
  switch (ReadNumberLine(bytes, count)) {
    case LineStatus::kNeedMore:
      return ParseStatus::kNeedMore;
    case LineStatus::kTooLong:
      return Fail(ParseFault::kMultibulkCountTooLong);
    case LineStatus::kNoNumber:
      return Fail(ParseFault::kInvalidMultibulkLength);
    case LineStatus::kNumber:
      break;
  }
  if (count > kMultibulkCountMax) return Fail(ParseFault::kInvalidMultibulkLength);
  if (!limits.authenticated && count > kUnauthenticatedArgsMax) {
    return Fail(ParseFault::kUnauthenticatedMultibulkLength);
  }
  if (count > limits.args_max) return Fail(ParseFault::kInvalidMultibulkLength);
  if (count <= 0) {
    state_ = State::kDone;
    return ParseStatus::kRequest;
  }
  args_missing_ = count;
  args_.reserve(std::min(static_cast<std::size_t>(count), kArgsReservedMax));
  state_ = State::kLength;
  return ParseArguments(bytes, limits);
}

ParseStatus RequestParser::ParseArguments(std::string_view bytes, const Limits& limits) {
  if (state_ == State::kLength && searched_ == position_) TakeWholeArguments(bytes, limits);
  for (;;) {
    if (args_missing_ == 0) {
      state_ = State::kDone;
      return ParseStatus::kRequest;
    }
    if (state_ == State::kLength) {
      const ParseStatus status = ParseLength(bytes, limits);
      if (state_ != State::kBulk) return status;
    }
    if (block_missing() > 0) return ParseStatus::kNeedMore;
    const std::size_t there = bytes.size() - position_;
    const std::size_t wanted = (state_ == State::kBlock ? 0 : bulk_bytes_) + 2;
    if (there < wanted) {
      bulk_bytes_expected_ = wanted - there;
      return ParseStatus::kNeedMore;
    }
    bulk_bytes_expected_ = 0;
    if (!IsCrlf(bytes.data() + position_ + wanted - 2)) return Fail(ParseFault::kMissingCrlf);
    if (!RoomForArgument()) return Fail(ParseFault::kOutOfMemory);
    args_.push_back({position_, wanted - 2});
    position_ += wanted;
    searched_ = position_;
    --args_missing_;
    state_ = State::kLength;
  }
}

// The arguments that are there and usual. Stops before the first that is not; whatever is wrong
// with it, the caller finds out.
void RequestParser::TakeWholeArguments(std::string_view bytes, const Limits& limits) {
  const std::int64_t size_max = limits.authenticated
                                    ? limits.bulk_bytes_max
                                    : std::min(limits.bulk_bytes_max, kUnauthenticatedBulkBytesMax);
  const char* p = bytes.data() + position_;
  std::string_view argument;
  for (; args_missing_ > 0 && RoomForArgument(); --args_missing_) {
    if (!TakeUsualArgument(p, bytes.data() + bytes.size(), size_max, argument)) break;
    args_.push_back({static_cast<std::size_t>(argument.data() - bytes.data()), argument.size()});
  }
  position_ = static_cast<std::size_t>(p - bytes.data());
  searched_ = position_;
}

// Whether the places grow without ending the process, here and where a caller collects them:
// growing takes them twice.
bool RequestParser::RoomForArgument() const {
  if (args_.size() < args_.capacity() || args_.size() < kArgsReservedMax) [[likely]] {
    return true;
  }
  return CanAllocate(8 * args_.size() * sizeof(ArgRange));
}

// Goes on to State::kBulk, or leaves the status for the caller to return.
ParseStatus RequestParser::ParseLength(std::string_view bytes, const Limits& limits) {
  const std::size_t begin = position_;
  std::int64_t length = 0;
  const LineStatus line = ReadNumberLine(bytes, length);
  if (line == LineStatus::kNeedMore) return ParseStatus::kNeedMore;
  if (line == LineStatus::kTooLong) return Fail(ParseFault::kBulkCountTooLong);
  if (bytes[begin] != '$') {
    decoded_ = "expected '$', got 'x'";
    const auto got = static_cast<unsigned char>(bytes[begin]);
    decoded_[decoded_.size() - 2] = got < 0x20 || got == 0x7f ? ' ' : bytes[begin];
    return Fail(ParseFault::kExpectedDollar);
  }
  if (line == LineStatus::kNoNumber || length < 0 || length > limits.bulk_bytes_max) {
    return Fail(ParseFault::kInvalidBulkLength);
  }
  if (!limits.authenticated && length > kUnauthenticatedBulkBytesMax) {
    return Fail(ParseFault::kUnauthenticatedBulkLength);
  }
  bulk_bytes_ = static_cast<std::size_t>(length);
  state_ = State::kBulk;
  return ParseStatus::kNeedMore;
}

std::size_t RequestParser::OpenBlock(std::unique_ptr<ArgumentBlock> block, std::string_view bytes) {
  AERIS_DCHECK(wants_block());
  blocks_.push_back({.index = args_.size(),
                     .offset = position_,
                     .size = bulk_bytes_,
                     .filled = 0,
                     .capacity = 0,
                     .data = nullptr,
                     .block = std::move(block)});
  const std::string_view there = bytes.substr(position_, bulk_bytes_);
  if (!GrowBlock(std::max(there.size(), std::min(bulk_bytes_, kBlockBytesMin)))) {
    blocks_.pop_back();
    return 0;
  }
  state_ = State::kBlock;
  bulk_bytes_expected_ = 0;
  std::memcpy(blocks_.back().data, there.data(), there.size());
  blocks_.back().filled = there.size();
  return there.size();
}

std::span<char> RequestParser::BlockRoom() {
  if (block_missing() == 0) return {};
  const BlockArgument& argument = blocks_.back();
  if (argument.filled == argument.capacity &&
      !GrowBlock(std::min(argument.size, 2 * argument.capacity))) {
    return {};
  }
  return {argument.data + argument.filled, argument.capacity - argument.filled};
}

bool RequestParser::GrowBlock(std::size_t capacity) {
  BlockArgument& argument = blocks_.back();
  char* const data = argument.block->Grow(capacity);
  if (data == nullptr) return false;
  argument.data = data;
  argument.capacity = capacity;
  return true;
}

void RequestParser::CommitBlock(std::size_t bytes) {
  AERIS_DCHECK(bytes <= block_missing());
  blocks_.back().filled += bytes;
}

// Reads the line at position_: a type byte, a number, CRLF. Moves behind it when it is one.
RequestParser::LineStatus RequestParser::ReadNumberLine(std::string_view bytes,
                                                        std::int64_t& number) {
  if (position_ == bytes.size()) return LineStatus::kNeedMore;
  // Up to nine digits in one pass: every usual line. What does not look so is judged below.
  if (searched_ == position_) {
    const char* const begin = bytes.data() + position_ + 1;
    const char* const end = bytes.data() + bytes.size();
    const char* p = begin;
    std::int64_t value = 0;
    while (end - p > 1 && p - begin < 9 && *p >= '0' && *p <= '9')
      value = value * 10 + (*p++ - '0');
    if (end - p > 1 && p > begin && p[0] == '\r' && p[1] == '\n' &&
        (*begin != '0' || p - begin == 1)) [[likely]] {
      position_ = static_cast<std::size_t>(p + 2 - bytes.data());
      searched_ = position_;
      number = value;
      return LineStatus::kNumber;
    }
  }
  return ReadUnusualNumberLine(bytes, number);
}

RequestParser::LineStatus RequestParser::ReadUnusualNumberLine(std::string_view bytes,
                                                               std::int64_t& number) {
  const std::string_view line = bytes.substr(position_);
  const std::size_t cr = line.find('\r', searched_ - position_);
  if (std::min(cr, line.size()) > kLineBytesMax) return LineStatus::kTooLong;
  if (cr == std::string_view::npos || cr + 1 == line.size()) {
    searched_ = cr == std::string_view::npos ? bytes.size() : position_ + cr;
    return LineStatus::kNeedMore;
  }
  if (line[cr + 1] != '\n' || cr == 0) return LineStatus::kNoNumber;
  const std::optional<std::int64_t> value = ParseInt64(line.substr(1, cr - 1));
  if (!value) return LineStatus::kNoNumber;
  number = *value;
  position_ += cr + 2;
  searched_ = position_;
  return LineStatus::kNumber;
}

ParseStatus RequestParser::ParseInline(std::string_view bytes) {
  const std::size_t lf = bytes.find('\n', searched_);
  if (std::min(lf, bytes.size()) > kLineBytesMax) return Fail(ParseFault::kInlineTooLong);
  if (lf == std::string_view::npos) {
    searched_ = bytes.size();
    return ParseStatus::kNeedMore;
  }
  // A CR before the LF is white space like any other: it ends a word, and a quote does not hold it.
  const std::size_t size = lf > 0 && bytes[lf - 1] == '\r' ? lf - 1 : lf;
  const SplitResult split = SplitWords(bytes.substr(0, size), args_, decoded_);
  if (split == SplitResult::kUnbalanced) return Fail(ParseFault::kUnbalancedQuotes);
  decoded_in_use_ = split == SplitResult::kDecoded;
  position_ = lf + 1;
  state_ = State::kInlineDone;
  return ParseStatus::kRequest;
}

ParseStatus RequestParser::Fail(ParseFault fault) {
  args_.clear();
  bulk_bytes_expected_ = 0;
  state_ = State::kError;
  fault_ = fault;
  return ParseStatus::kError;
}

std::string_view RequestParser::argument(std::size_t index, std::string_view bytes) const {
  AERIS_DCHECK(index < args_.size());
  for (const BlockArgument& block : blocks_) {
    if (block.index == index) return {block.data, block.size};
  }
  const ArgRange range = args_[index];
  const char* base = decoded_in_use_ ? decoded_.data() : bytes.data();
  return {base + range.offset, range.size};
}

void RequestParser::AppendArguments(std::string_view bytes,
                                    std::vector<std::string_view>& arguments) const {
  AERIS_DCHECK(done());
  const char* base = decoded_in_use_ ? decoded_.data() : bytes.data();
  const std::size_t before = arguments.size();
  arguments.resize(before + args_.size());
  std::string_view* out = arguments.data() + before;
  for (const ArgRange& range : args_) *out++ = {base + range.offset, range.size};
  for (const BlockArgument& block : blocks_) {
    arguments[before + block.index] = {block.data, block.size};
  }
}

std::string_view RequestParser::error() const {
  switch (fault_) {
    case ParseFault::kNone:
      return {};
    case ParseFault::kInvalidMultibulkLength:
      return "invalid multibulk length";
    case ParseFault::kUnauthenticatedMultibulkLength:
      return "unauthenticated multibulk length";
    case ParseFault::kMultibulkCountTooLong:
      return "too big mbulk count string";
    case ParseFault::kExpectedDollar:
      return decoded_;
    case ParseFault::kInvalidBulkLength:
      return "invalid bulk length";
    case ParseFault::kUnauthenticatedBulkLength:
      return "unauthenticated bulk length";
    case ParseFault::kBulkCountTooLong:
      return "too big bulk count string";
    case ParseFault::kMissingCrlf:
      return "expected CRLF after bulk";
    case ParseFault::kUnbalancedQuotes:
      return "unbalanced quotes in request";
    case ParseFault::kInlineTooLong:
      return "too big inline request";
    case ParseFault::kOutOfMemory:
      return "out of memory";
  }
  return {};
}

void RequestParser::Reset() {
  args_.clear();
  if (args_.capacity() > kArgsReservedMax) FreeMemory(args_);
  if (!decoded_.empty()) FreeMemory(decoded_);
  if (!blocks_.empty()) FreeMemory(blocks_);
  position_ = 0;
  searched_ = 0;
  bulk_bytes_expected_ = 0;
  args_missing_ = 0;
  state_ = State::kStart;
  fault_ = ParseFault::kNone;
  decoded_in_use_ = false;
}

void RequestParser::Release() {
  Reset();
  FreeMemory(args_);
}

std::size_t RequestParser::memory() const {
  std::size_t bytes = args_.capacity() * sizeof(ArgRange);
  if (!decoded_.empty()) bytes += decoded_.capacity();
  for (const BlockArgument& block : blocks_) {
    bytes += sizeof block + block.block->allocated_bytes();
  }
  return bytes;
}

}  // namespace aeris::protocol
