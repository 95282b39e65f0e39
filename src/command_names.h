// The words for flags, categories and groups, as COMMAND and ACL spell them. Each array is in the
// order of its enum in command.h.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

#include "src/command.h"
#include "src/text.h"

namespace aeris {

// An empty name is a flag that COMMAND INFO does not tell.
inline constexpr std::array<std::string_view, 25> kCommandFlagNames = {"write",
                                                                       "readonly",
                                                                       "denyoom",
                                                                       "module",
                                                                       "admin",
                                                                       "pubsub",
                                                                       "noscript",
                                                                       "blocking",
                                                                       "loading",
                                                                       "stale",
                                                                       "skip_monitor",
                                                                       "skip_slowlog",
                                                                       "asking",
                                                                       "fast",
                                                                       "no_auth",
                                                                       "",
                                                                       "",
                                                                       "",
                                                                       "no_mandatory_keys",
                                                                       "",
                                                                       "no_async_loading",
                                                                       "no_multi",
                                                                       "movablekeys",
                                                                       "allow_busy",
                                                                       ""};

inline constexpr std::array<std::string_view, 21> kAclCategoryNames = {
    "keyspace", "read",   "write",       "set",       "sortedset",  "list",        "hash",
    "string",   "bitmap", "hyperloglog", "geo",       "stream",     "pubsub",      "admin",
    "fast",     "slow",   "blocking",    "dangerous", "connection", "transaction", "scripting"};

inline constexpr std::array<std::string_view, 11> kKeyFlagNames = {
    "RO",     "RW",     "OW",      "RM",         "access",        "update",
    "insert", "delete", "not_key", "incomplete", "variable_flags"};

inline constexpr std::array<std::string_view, 17> kCommandGroupNames = {
    "generic", "string",       "list",       "set",    "sorted-set", "hash",
    "pubsub",  "transactions", "connection", "server", "scripting",  "hyperloglog",
    "cluster", "sentinel",     "geo",        "stream", "bitmap"};

static_assert(kCommandFlagNames.size() == static_cast<std::size_t>(CommandFlag::kNotQueued) + 1);
static_assert(kAclCategoryNames.size() == static_cast<std::size_t>(AclCategory::kScripting) + 1);
static_assert(kKeyFlagNames.size() == static_cast<std::size_t>(KeyFlag::kVariableFlags) + 1);
static_assert(kCommandGroupNames.size() == static_cast<std::size_t>(CommandGroup::kBitmap) + 1);

constexpr std::string_view GroupName(CommandGroup group) {
  return kCommandGroupNames[static_cast<std::size_t>(group)];
}

// By name in any case, without '@'.
constexpr std::optional<AclCategory> FindAclCategory(std::string_view name) {
  for (std::size_t i = 0; i < kAclCategoryNames.size(); ++i) {
    if (EqualsIgnoringCase(kAclCategoryNames[i], name)) return static_cast<AclCategory>(i);
  }
  return std::nullopt;
}

}  // namespace aeris
