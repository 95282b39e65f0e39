#include "src/acl/acl_selector.h"

#include <algorithm>
#include <utility>

#include "src/acl/acl_limits.h"
#include "src/base/glob.h"

namespace aeris {
namespace {

// The arguments that are channels to subscribe or to publish to. Leaving one is always allowed.
struct ChannelArguments {
  std::string_view command;
  bool all = false;  // from the first on; else the first alone
  bool patterns = false;
};
constexpr ChannelArguments kChannelArguments[] = {{.command = "publish"},
                                                  {.command = "spublish"},
                                                  {.command = "subscribe", .all = true},
                                                  {.command = "ssubscribe", .all = true},
                                                  {"psubscribe", true, true}};

}  // namespace

std::span<const KeyPosition> AclRequest::keys() {
  if (!std::exchange(searched_, true)) (void)FindKeys(command_.spec(), arguments_, keys_);
  return keys_.keys();
}

void AclSelector::SetAllKeys(bool all) {
  all_keys_ = all;
  keys_.clear();
}

void AclSelector::SetAllChannels(bool all) {
  all_channels_ = all;
  channels_.clear();
}

bool AclSelector::AddKeys(AclKeyPattern pattern) {
  const auto found = std::ranges::find(keys_, pattern.pattern, &AclKeyPattern::pattern);
  if (found != keys_.end()) {
    found->read |= pattern.read;
    found->write |= pattern.write;
    return true;
  }
  if (keys_.size() == kAclItemsMax) return false;
  keys_.push_back(std::move(pattern));
  return true;
}

bool AclSelector::AddChannels(std::string_view pattern) {
  if (std::ranges::find(channels_, pattern) != channels_.end()) return true;
  if (channels_.size() == kAclItemsMax) return false;
  channels_.emplace_back(pattern);
  return true;
}

std::optional<AclDenial> AclSelector::Check(AclRequest& request) const {
  if (!commands_.Allows(request.command(), request.arguments())) {
    return AclDenial{.reason = AclReason::kCommand};
  }
  if (!all_keys_) {
    for (const KeyPosition& key : request.keys()) {
      if (AllowsKey(request.arguments()[key.index], key.flags)) continue;
      return AclDenial{.reason = AclReason::kKey, .argument = key.index};
    }
  }
  if (all_channels_ || !request.command().has(CommandFlag::kPubsub)) return std::nullopt;
  return CheckChannels(request);
}

std::optional<AclDenial> AclSelector::CheckChannels(const AclRequest& request) const {
  const auto found = std::ranges::find(kChannelArguments, request.command().full_name(),
                                       &ChannelArguments::command);
  if (found == std::end(kChannelArguments)) return std::nullopt;
  const std::size_t end = found->all ? request.arguments().size() : 2;
  for (std::size_t i = 1; i < end; ++i) {
    if (AllowsChannel(request.arguments()[i], found->patterns)) continue;
    return AclDenial{.reason = AclReason::kChannel, .argument = i};
  }
  return std::nullopt;
}

// A command that neither reads nor changes what is stored (EXISTS, STRLEN) needs either right.
bool AclSelector::AllowsKey(std::string_view key, KeyFlags flags) const {
  if (all_keys_) return true;
  const bool reads = flags.has(KeyFlag::kAccess);
  const bool writes =
      flags.has(KeyFlag::kInsert) || flags.has(KeyFlag::kDelete) || flags.has(KeyFlag::kUpdate);
  return std::ranges::any_of(keys_, [&](const AclKeyPattern& pattern) {
    return (pattern.read || !reads) && (pattern.write || !writes) &&
           GlobMatch(pattern.pattern, key);
  });
}

bool AclSelector::AllowsChannel(std::string_view channel, bool is_pattern) const {
  if (all_channels_) return true;
  return std::ranges::any_of(channels_, [&](const std::string& pattern) {
    return is_pattern ? pattern == channel : GlobMatch(pattern, channel);
  });
}

bool AclSelector::ReadsAllKeys() const {
  return all_keys_ || std::ranges::any_of(keys_, [](const AclKeyPattern& pattern) {
           return pattern.read && pattern.pattern == "*";
         });
}

}  // namespace aeris
