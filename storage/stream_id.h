// StreamId: the place of an entry in its stream, a time in milliseconds and a sequence number
// within it. Written "ms-seq".
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace aeris::storage {

struct StreamId {
  std::uint64_t ms = 0;
  std::uint64_t seq = 0;

  friend auto operator<=>(const StreamId&, const StreamId&) = default;
};

inline constexpr StreamId kStreamIdMin{};
inline constexpr StreamId kStreamIdMax{std::numeric_limits<std::uint64_t>::max(),
                                       std::numeric_limits<std::uint64_t>::max()};

// The id after, and before; none beyond the last and the first.
constexpr std::optional<StreamId> Next(StreamId id) {
  if (++id.seq == 0 && ++id.ms == 0) return std::nullopt;
  return id;
}
constexpr std::optional<StreamId> Previous(StreamId id) {
  if (id == kStreamIdMin) return std::nullopt;
  if (id.seq-- == 0) --id.ms;
  return id;
}

// Room for "18446744073709551615-18446744073709551615".
struct StreamIdText {
  char bytes[41];
};
std::string_view Format(StreamId id, StreamIdText& scratch);
std::string ToString(StreamId id);

// How an id may be written.
struct StreamIdSyntax {
  std::uint64_t missing_seq = 0;  // of an id without sequence number
  bool edges = false;             // "-" is the smallest id, "+" the largest
  bool any_seq = false;           // "ms-*" is allowed
};
struct ParsedStreamId {
  StreamId id = {};
  bool any_seq = false;  // it was "ms-*"
};
// None when it is no id. Takes what Redis takes: signs, space and zeros before a number too.
std::optional<ParsedStreamId> ParseStreamId(std::string_view text, StreamIdSyntax syntax = {});

}  // namespace aeris::storage
