#include "src/client_filter.h"

#include <fmt/format.h>

#include <limits>

#include "ae/socket.h"
#include "src/acl/acl_users.h"
#include "src/client.h"
#include "src/command_context.h"
#include "src/error_replies.h"
#include "src/server.h"
#include "src/text.h"

namespace aeris {
namespace {

constexpr std::int64_t kInt64Max = std::numeric_limits<std::int64_t>::max();

bool SetId(const CommandContext& context, std::size_t index, ClientFilter& filter) {
  const auto id = context.IntegerArg(index, 1, kInt64Max, "ERR client-id should be greater than 0");
  if (id) filter.id = static_cast<std::uint64_t>(*id);
  return id.has_value();
}

bool SetType(const CommandContext& context, std::size_t index, ClientFilter& filter) {
  filter.type = ClientTypeArg(context, index);
  return filter.type.has_value();
}

bool SetUser(const CommandContext& context, std::size_t index, ClientFilter& filter) {
  filter.user = context.arg(index);
  if (context.server().acl().Find(*filter.user) != nullptr) return true;
  context.reply().Error(fmt::format("ERR No such user '{}'", EchoedText(context.arg(index))));
  return false;
}

bool SetSkipMe(const CommandContext& context, std::size_t index, ClientFilter& filter) {
  filter.skip_me = context.ArgIs(index, "yes");
  if (filter.skip_me || context.ArgIs(index, "no")) return true;
  context.reply().Error(err::kSyntax);
  return false;
}

bool SetMaxAge(const CommandContext& context, std::size_t index, ClientFilter& filter) {
  constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
  const auto seconds =
      context.IntegerArg(index, kMin, kInt64Max, "ERR maxage is not an integer or out of range");
  if (!seconds) return false;
  if (*seconds <= 0) {
    context.reply().Error("ERR maxage should be greater than 0");
    return false;
  }
  filter.age_min = std::chrono::seconds(*seconds);
  return true;
}

}  // namespace

bool ClientFilter::Matches(const Client& client, MonotonicTime now) const {
  if (id && client.id() != *id) return false;
  if (address && client.peer() != *address) return false;
  if (type && TypeOf(client) != *type) return false;
  if (user && UserNameOf(client) != *user) return false;
  if (age_min &&
      std::chrono::duration_cast<std::chrono::seconds>(now - client.created) < *age_min) {
    return false;
  }
  return !local_address || ae::LocalAddress(client.fd()) == *local_address;
}

bool ParseClientFilter(const CommandContext& context, ClientFilter& filter) {
  for (std::size_t i = 2; i < context.argc(); i += 2) {
    const std::size_t value = i + 1;
    bool good = true;
    if (value == context.argc()) {
      context.reply().Error(err::kSyntax);
      return false;
    }
    if (context.ArgIs(i, "id")) {
      good = SetId(context, value, filter);
    } else if (context.ArgIs(i, "type")) {
      good = SetType(context, value, filter);
    } else if (context.ArgIs(i, "addr")) {
      filter.address = context.arg(value);
    } else if (context.ArgIs(i, "laddr")) {
      filter.local_address = context.arg(value);
    } else if (context.ArgIs(i, "user")) {
      good = SetUser(context, value, filter);
    } else if (context.ArgIs(i, "skipme")) {
      good = SetSkipMe(context, value, filter);
    } else if (context.ArgIs(i, "maxage")) {
      good = SetMaxAge(context, value, filter);
    } else {
      context.reply().Error(err::kSyntax);
      good = false;
    }
    if (!good) return false;
  }
  return true;
}

std::optional<ClientType> ClientTypeArg(const CommandContext& context, std::size_t index) {
  const std::optional<ClientType> type = ParseClientType(context.arg(index));
  if (!type) {
    context.reply().Error(
        fmt::format("ERR Unknown client type '{}'", EchoedText(context.arg(index))));
  }
  return type;
}

}  // namespace aeris
