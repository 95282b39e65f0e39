#include "src/commands/tracking_commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/client.h"
#include "src/client_tracking.h"
#include "src/command_context.h"
#include "src/error_replies.h"
#include "src/server.h"
#include "src/text.h"

namespace aeris {
namespace {

constexpr std::string_view kSwitchMode =
    "ERR You can't switch {} before disabling tracking for this client, and then re-enabling it "
    "with a different mode.";

struct Arguments {
  ClientTracking::Options options;
  std::vector<std::string_view> prefixes;
};

// REDIRECT id. False after an error reply.
bool TakeRedirect(const CommandContext& context, std::size_t index, Arguments& arguments) {
  if (arguments.options.redirect != 0) {
    context.reply().Error("ERR A client can only redirect to a single other client");
    return false;
  }
  const auto id = context.IntegerArg(index);
  if (!id) return false;
  arguments.options.redirect = static_cast<std::uint64_t>(*id);
  if (context.server().clients().Find(arguments.options.redirect) != nullptr) return true;
  context.reply().Error("ERR The client ID you want redirect to does not exist");
  return false;
}

// What follows ON or OFF; both are checked alike. False after an error reply.
bool ParseArguments(const CommandContext& context, Arguments& arguments) {
  for (std::size_t i = 3; i < context.argc(); ++i) {
    const bool more = i + 1 < context.argc();
    if (more && context.ArgIs(i, "redirect")) {
      if (!TakeRedirect(context, ++i, arguments)) return false;
    } else if (more && context.ArgIs(i, "prefix")) {
      arguments.prefixes.push_back(context.arg(++i));
    } else if (context.ArgIs(i, "bcast")) {
      arguments.options.bcast = true;
    } else if (context.ArgIs(i, "optin")) {
      arguments.options.optin = true;
    } else if (context.ArgIs(i, "optout")) {
      arguments.options.optout = true;
    } else if (context.ArgIs(i, "noloop")) {
      arguments.options.noloop = true;
    } else {
      context.reply().Error(err::kSyntax);
      return false;
    }
  }
  return true;
}

// What is wrong with the options together, and with those that the client has; empty for nothing.
std::string Contradiction(const Arguments& arguments, const ClientTracking* present) {
  const ClientTracking::Options& options = arguments.options;
  if (!options.bcast && !arguments.prefixes.empty()) {
    return "ERR PREFIX option requires BCAST mode to be enabled";
  }
  if (present != nullptr && present->options().bcast != options.bcast) {
    return fmt::format(kSwitchMode, "BCAST mode on/off");
  }
  if (options.bcast && (options.optin || options.optout)) {
    return "ERR OPTIN and OPTOUT are not compatible with BCAST";
  }
  if (options.optin && options.optout) {
    return "ERR You can't specify both OPTIN mode and OPTOUT mode";
  }
  if (present != nullptr && ((options.optin && present->options().optout) ||
                             (options.optout && present->options().optin))) {
    return fmt::format(kSwitchMode, "OPTIN/OPTOUT mode");
  }
  return {};
}

std::string Overlap(std::string_view prefix, std::string_view which, std::string_view other) {
  return fmt::format(
      "ERR Prefix '{}' overlaps with {} prefix '{}'. Prefixes for a single client must not "
      "overlap.",
      EchoedText(prefix), which, EchoedText(other));
}

// The first of the client's prefixes, in their order, that overlaps. They do not overlap one
// another, but for an empty one beside others; so only neighbours can.
const std::string* FindOverlap(const std::set<std::string, std::less<>>& present,
                               std::string_view prefix) {
  if (present.empty()) return nullptr;
  if (present.begin()->empty()) return &*present.begin();
  auto at = present.lower_bound(prefix);
  if (at != present.begin() && prefix.starts_with(*std::prev(at))) return &*std::prev(at);
  return at != present.end() && at->starts_with(prefix) ? &*at : nullptr;
}

// Two of the prefixes given that overlap. Of many only whether there are two, and which is not the
// pair that Redis would name.
using Pair = std::pair<std::string_view, std::string_view>;
std::optional<Pair> FindOverlapAmong(std::vector<std::string_view> prefixes) {
  constexpr std::size_t kComparedMax = 256;
  if (prefixes.size() <= kComparedMax) {
    for (std::size_t i = 0; i < prefixes.size(); ++i) {
      for (std::size_t j = i + 1; j < prefixes.size(); ++j) {
        if (PrefixesOverlap(prefixes[i], prefixes[j])) return Pair(prefixes[i], prefixes[j]);
      }
    }
    return std::nullopt;
  }
  std::ranges::sort(prefixes);
  const auto found = std::ranges::adjacent_find(prefixes, PrefixesOverlap);
  if (found == prefixes.end()) return std::nullopt;
  return Pair(*found, *std::next(found));
}

// Of prefixes that overlap a key would be told twice. Empty when none do.
std::string Collision(const std::vector<std::string_view>& prefixes,
                      const ClientTracking* present) {
  const auto among = FindOverlapAmong(prefixes);
  for (const std::string_view prefix : prefixes) {
    const std::string* const other =
        present != nullptr ? FindOverlap(present->prefixes(), prefix) : nullptr;
    if (other != nullptr) return Overlap(prefix, "an existing", *other);
    if (among && among->first == prefix) break;
  }
  if (among) return Overlap(among->first, "another provided", among->second);
  const std::size_t count = present != nullptr ? present->prefixes().size() : 0;
  if (prefixes.size() + count <= Tracking::kPrefixesMax) return {};
  return fmt::format("ERR A client can have at most {} prefixes", Tracking::kPrefixesMax);
}

}  // namespace

// CLIENT TRACKING ON | OFF [REDIRECT id] [PREFIX prefix ...] [BCAST] [OPTIN] [OPTOUT] [NOLOOP].
// Replies OK. O(prefixes * log(prefixes of all)).
void ClientTrackingSet(CommandContext& context) {
  Arguments arguments;
  if (!ParseArguments(context, arguments)) return;
  Client& client = context.client();
  if (context.ArgIs(2, "off")) {
    client.tracking.reset();
    return context.reply().Ok();
  }
  if (!context.ArgIs(2, "on")) return context.reply().Error(err::kSyntax);
  std::string error = Contradiction(arguments, client.tracking.get());
  if (error.empty() && arguments.options.bcast) {
    error = Collision(arguments.prefixes, client.tracking.get());
  }
  if (!error.empty()) return context.reply().Error(error);
  context.server().tracking().Start(client, arguments.options, arguments.prefixes);
  context.reply().Ok();
}

// CLIENT CACHING YES | NO. Replies OK.
void ClientCaching(CommandContext& context) {
  ClientTracking* const tracking = context.client().tracking.get();
  if (tracking == nullptr) {
    return context.reply().Error(
        "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or "
        "OPTOUT mode enabled");
  }
  if (context.ArgIs(2, "yes")) {
    if (!tracking->options().optin) {
      return context.reply().Error(
          "ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.");
    }
  } else if (context.ArgIs(2, "no")) {
    if (!tracking->options().optout) {
      return context.reply().Error(
          "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.");
    }
  } else {
    return context.reply().Error(err::kSyntax);
  }
  tracking->set_caching();
  context.reply().Ok();
}

// CLIENT GETREDIR. Replies the id to which messages go, 0 for the client itself, -1 when it does
// not track.
void ClientGetRedir(CommandContext& context) {
  const ClientTracking* const tracking = context.client().tracking.get();
  context.reply().Integer(
      tracking != nullptr ? static_cast<std::int64_t>(tracking->options().redirect) : -1);
}

// CLIENT TRACKINGINFO. Replies a map: flags (a set), redirect (an integer), prefixes (an array).
void ClientTrackingInfo(CommandContext& context) {
  const ClientTracking* const tracking = context.client().tracking.get();
  std::vector<std::string_view> flags = {tracking != nullptr ? "on" : "off"};
  const auto add = [&](bool is, std::string_view name) {
    if (is) flags.push_back(name);
  };
  if (tracking != nullptr) {
    const ClientTracking::Options& options = tracking->options();
    add(options.bcast, "bcast");
    add(options.optin, "optin");
    add(options.optin && tracking->caching(), "caching-yes");
    add(options.optout, "optout");
    add(options.optout && tracking->caching(), "caching-no");
    add(options.noloop, "noloop");
    add(tracking->broken_redirect(), "broken_redirect");
  }
  protocol::ReplyWriter& reply = context.reply();
  reply.Map(3);
  reply.Bulk("flags");
  reply.Set(flags.size());
  for (const std::string_view flag : flags) reply.Bulk(flag);
  reply.Bulk("redirect");
  ClientGetRedir(context);
  reply.Bulk("prefixes");
  if (tracking == nullptr) return reply.EmptyArray();
  reply.Array(tracking->prefixes().size());
  for (const std::string& prefix : tracking->prefixes()) reply.Bulk(prefix);
}

}  // namespace aeris
