// Which clients CLIENT KILL means.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "src/base/clock.h"
#include "src/client_list.h"

namespace aeris {

class CommandContext;

// All conditions that are set must hold. Views point into the arguments of the command.
struct ClientFilter {
  std::optional<std::uint64_t> id;
  std::optional<std::string_view> address;        // of the peer
  std::optional<std::string_view> local_address;  // of our end
  std::optional<ClientType> type;
  std::optional<std::string_view> user;  // one that exists
  std::optional<std::chrono::seconds> age_min;
  bool skip_me = true;

  bool Matches(const Client& client, MonotonicTime now) const;
};

// Reads "ID id | ADDR a | LADDR a | TYPE t | USER u | SKIPME yes|no | MAXAGE seconds" from argument
// 2 on, each with its value; of one that is repeated the last counts. False after an error reply.
bool ParseClientFilter(const CommandContext& context, ClientFilter& filter);

// A client type's name at `index`; nullopt after an error reply.
std::optional<ClientType> ClientTypeArg(const CommandContext& context, std::size_t index);

}  // namespace aeris
