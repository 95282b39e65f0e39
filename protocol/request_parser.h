// Incremental parser of one client's requests, multibulk and inline. Knows no socket, command or
// client, so a unit test reaches every branch.
//
// Cost:    O(bytes) however a request is split: it looks at each byte of a line once, at the bytes
// of
//          an argument never, and at most ten bytes of a length line again after a short read.
// Memory:  16 bytes per argument, kept between requests up to kArgsReservedMax slots; nothing is
//          reserved for what a header promises beyond that.
// Differs from Redis 7.0, which skips these bytes unseen: the byte after the CR of a count or
// length
//          line must be LF, and CRLF must follow an argument.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/argument_block.h"
#include "protocol/inline_parser.h"
#include "protocol/limits.h"

namespace aeris::protocol {

enum class ParseStatus : std::uint8_t {
  kNeedMore,  // every byte so far is legal, the request is not whole
  kRequest,   // the arguments and size() hold until Reset()
  kError,     // fault() and error() name it; reply with it, then close the connection
};

enum class ParseFault : std::uint8_t {
  kNone,
  kInvalidMultibulkLength,
  kUnauthenticatedMultibulkLength,
  kMultibulkCountTooLong,
  kExpectedDollar,
  kInvalidBulkLength,
  kUnauthenticatedBulkLength,
  kBulkCountTooLong,
  kMissingCrlf,
  kUnbalancedQuotes,
  kInlineTooLong,
  kOutOfMemory,  // for the places of so many arguments
};

class RequestParser {
 public:
  // Continues the current request. `bytes` starts at its first byte and may only grow between
  // calls, but for what OpenBlock() takes; it may move, since nothing here points into it. After
  // kRequest call Reset() and give the bytes behind size(). A request may have no arguments ("*0",
  // "*-1", an empty line): skip it, no reply.
  [[nodiscard]] ParseStatus Parse(std::string_view bytes, const Limits& limits);

  // Of a whole request:
  std::size_t arg_count() const { return args_.size(); }
  std::size_t size() const { return position_; }  // bytes consumed, the final CRLF included
  bool is_inline() const { return state_ == State::kInlineDone; }

  // Appends the arguments of a whole request. `bytes` is what Parse() was given, moved or not. The
  // views point into it, except when arguments_decoded(): then they live here, until Reset().
  void AppendArguments(std::string_view bytes, std::vector<std::string_view>& arguments) const;
  std::string_view argument(std::size_t index, std::string_view bytes) const;
  // True for an inline request with quotes. A caller that collects several requests before it runs
  // them stops behind this one, or copies.
  bool arguments_decoded() const { return decoded_in_use_; }

  // Bytes that the argument under way still needs, its CRLF included; 0 between arguments. Lets the
  // query buffer grow to the end of a big argument and not beyond. Holds after kNeedMore.
  std::uint64_t bulk_bytes_expected() const { return bulk_bytes_expected_; }

  // --- Big arguments in blocks of their own, which is the caller's choice: one that is left alone
  // stands among `bytes` like any other. Then the arguments of the request are not all in `bytes`.

  // A big argument (kBigBulkBytes) has begun, and is not whole.
  bool wants_block() const { return state_ == State::kBulk && bulk_bytes_ >= kBigBulkBytes; }
  // From now on its bytes go to `block`. `bytes` is what Parse() was given; those of the argument
  // are copied, and the caller takes as many as returned out of `bytes` at size(). 0, and nothing
  // done, without memory.
  [[nodiscard]] std::size_t OpenBlock(std::unique_ptr<ArgumentBlock> block, std::string_view bytes);
  // Where the next bytes of the argument go: empty when no block waits for any. The block grows to
  // at most twice what has arrived, from kBlockBytesMin on. Empty as well without memory, which
  // block_missing() tells.
  [[nodiscard]] std::span<char> BlockRoom();
  // Bytes that the block under way waits for.
  std::size_t block_missing() const {
    return state_ == State::kBlock ? blocks_.back().size - blocks_.back().filled : 0;
  }
  // The first `bytes` of BlockRoom() have been filled.
  void CommitBlock(std::size_t bytes);

  struct BlockArgument {
    std::size_t index;   // among the arguments
    std::size_t offset;  // among `bytes`, where its own would stand
    std::size_t size;    // as promised
    std::size_t filled;
    std::size_t capacity;
    char* data;
    std::unique_ptr<ArgumentBlock> block;  // stays when its memory is taken over
  };
  // Those of the request, in their order; the last one may be under way. Until Reset().
  std::span<const BlockArgument> blocks() const { return blocks_; }

  ParseFault fault() const { return fault_; }
  // Text after "ERR Protocol error: ", as Redis 7.0 words it. Lives until Reset().
  std::string_view error() const;

  // Forgets the request, keeps the capacity of a usual one.
  void Reset();
  // Reset(), and gives all memory back: for a client that has gone idle.
  void Release();
  // Bytes on the heap, for CLIENT LIST and the memory account.
  std::size_t memory() const;
  // True when a request is whole.
  bool done() const { return state_ == State::kDone || state_ == State::kInlineDone; }
  // True when part of a request has been taken in.
  bool in_request() const { return state_ != State::kStart; }

 private:
  enum class State : std::uint8_t {
    kStart,
    kCount,
    kLength,
    kBulk,
    kBlock,
    kInline,
    kDone,
    kInlineDone,
    kError
  };
  enum class LineStatus : std::uint8_t { kNeedMore, kNumber, kNoNumber, kTooLong };

  LineStatus ReadNumberLine(std::string_view bytes, std::int64_t& number);
  LineStatus ReadUnusualNumberLine(std::string_view bytes, std::int64_t& number);
  ParseStatus ParseCount(std::string_view bytes, const Limits& limits);
  ParseStatus ParseArguments(std::string_view bytes, const Limits& limits);
  void TakeWholeArguments(std::string_view bytes, const Limits& limits);
  bool RoomForArgument() const;
  ParseStatus ParseLength(std::string_view bytes, const Limits& limits);
  bool GrowBlock(std::size_t capacity);
  ParseStatus ParseInline(std::string_view bytes);
  ParseStatus Fail(ParseFault fault);

  std::vector<ArgRange> args_;
  std::vector<BlockArgument> blocks_;
  std::string decoded_;       // decoded inline arguments, or the text of kExpectedDollar
  std::size_t position_ = 0;  // first byte that is not consumed
  std::size_t searched_ = 0;  // bytes before this hold no end of the line under way
  std::uint64_t bulk_bytes_expected_ = 0;
  std::size_t bulk_bytes_ = 0;  // of the argument under way, in State::kBulk
  std::int64_t args_missing_ = 0;
  State state_ = State::kStart;
  ParseFault fault_ = ParseFault::kNone;
  bool decoded_in_use_ = false;
};

}  // namespace aeris::protocol
