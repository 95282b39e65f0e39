// What SRANDMEMBER, HRANDFIELD and ZRANDMEMBER have in common: their count, and replies whose
// length the client chooses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "protocol/reply_buffer.h"
#include "src/command_context.h"

namespace aeris {

struct DrawForm {
  std::uint64_t count = 0;
  bool repeated = false;  // a negative count: each element anew, so the same may come again
  bool whole = false;     // with values or scores
};

// Argument 2 is the count: any number but -2^63, and at most 2^62 either way with `option`, the
// word that argument 3 may be; empty where there is none. nullopt after the error reply.
std::optional<DrawForm> DrawFormArgs(const CommandContext& context, std::string_view option);

// The data does not bound the reply of repeated draws, so these do: below what a client may have
// unsent and below 512 MiB where that is without limit, as much as a single value may have; and no
// more draws than take about a second, for which all others wait. What is beyond cuts the client.
// Redis goes on until the machine's memory ends.
inline constexpr std::uint64_t kDrawsMax = std::uint64_t{1} << 23;
// The client's replies may take so many bytes, or less where its limit is lower.
void BoundReply(const CommandContext& context, std::size_t bytes);

// Calls `draw` so many times, or until nobody will read what it writes.
template <typename Draw>
void DrawRepeatedly(const CommandContext& context, std::uint64_t count, Draw&& draw) {
  if (context.reply().muted()) return;
  BoundReply(context, std::size_t{512} << 20);
  for (std::uint64_t i = 0; i < count && !context.reply().buffer().over_limit(); ++i) {
    if (i == kDrawsMax) BoundReply(context, 0);
    draw();
  }
}

}  // namespace aeris
