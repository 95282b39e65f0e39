// Every limit of the wire, with unit and origin. What a configuration or a login changes is in
// Limits; the rest is constant because clients rely on it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace aeris::protocol {

// Bytes of a count line, a length line or an inline request before its end. Redis:
// PROTO_INLINE_MAX_SIZE.
inline constexpr std::size_t kLineBytesMax = 64 * 1024;

// A count above this is no count of arguments at all, whatever the limits say (Redis 7.0: INT_MAX).
inline constexpr std::int64_t kMultibulkCountMax = 2147483647;

// Arguments of one request. Redis up to 6 has this number; 7.0 takes up to kMultibulkCountMax,
// which costs it 16 GiB of argument slots per request.
inline constexpr std::int64_t kArgsMax = 1024 * 1024;

// Bytes of one argument, default of proto-max-bulk-len.
inline constexpr std::int64_t kBulkBytesMaxDefault = std::int64_t{512} * 1024 * 1024;

// A client that must log in first: arguments of one request, bytes of one argument
// (CVE-2021-32675).
inline constexpr std::int64_t kUnauthenticatedArgsMax = 10;
inline constexpr std::int64_t kUnauthenticatedBulkBytesMax = 16384;

// Argument slots reserved for what a count line promises; the rest follows what arrives.
inline constexpr std::size_t kArgsReservedMax = 1024;

// From this size on an argument is big: it may get a block of its own, and the query buffer grows
// to its end and not beyond.
inline constexpr std::size_t kBigBulkBytes = 32 * 1024;

// A block for a big argument is not begun smaller than this, or than the argument: what a header
// promises costs addresses up to here, and memory only where bytes arrive. Beyond it the block
// doubles with what has arrived.
inline constexpr std::size_t kBlockBytesMin = 1024 * 1024;

// What a request is checked against. Given to each RequestParser::Parse, so that CONFIG SET and
// AUTH hold from the next header on.
struct Limits {
  std::int64_t bulk_bytes_max = kBulkBytesMaxDefault;  // proto-max-bulk-len
  std::int64_t args_max = kArgsMax;
  bool authenticated = true;  // false: the kUnauthenticated bounds hold too
};

}  // namespace aeris::protocol
