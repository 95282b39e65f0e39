// AclSelector: one set of rights: commands, keys and channels. A user has one that is its own, the
// root, and any number of others; a request needs one that allows all of it.
//
// Cost:   one bit test for the command. Keys are found once per request, however many selectors are
//         asked, and matched against the patterns one after another; channels likewise.
// Memory: 250 bytes, and the patterns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/acl/acl_command_set.h"
#include "src/command_keys.h"

namespace aeris {

// What a request lacks. Of several selectors that refuse it, the last in this order tells why.
enum class AclReason : std::uint8_t { kCommand, kKey, kAuth, kChannel };

struct AclDenial {
  AclReason reason;
  std::size_t argument = 0;  // the key or channel
};

struct AclKeyPattern {
  std::string pattern;
  bool read = false;
  bool write = false;
};

// A request that selectors are asked about.
class AclRequest {
 public:
  AclRequest(const Command& command, std::span<const std::string_view> arguments)
      : command_(command), arguments_(arguments) {}

  const Command& command() const { return command_; }
  std::span<const std::string_view> arguments() const { return arguments_; }
  // Those that can be told: a request that its command refuses may have none.
  std::span<const KeyPosition> keys();

 private:
  const Command& command_;
  std::span<const std::string_view> arguments_;
  bool searched_ = false;
  KeyPositions keys_;
};

class AclSelector {
 public:
  explicit AclSelector(bool allows_all_channels) : all_channels_(allows_all_channels) {}

  AclCommandSet& commands() { return commands_; }
  const AclCommandSet& commands() const { return commands_; }
  bool all_keys() const { return all_keys_; }
  bool all_channels() const { return all_channels_; }
  std::span<const AclKeyPattern> keys() const { return keys_; }
  std::span<const std::string> channels() const { return channels_; }
  bool allows_everything() const { return commands_.all() && all_keys_ && all_channels_; }

  void SetAllKeys(bool all);      // either way no patterns are left
  void SetAllChannels(bool all);  // likewise
  // False when there are too many. A pattern that is there gets the rights of both.
  [[nodiscard]] bool AddKeys(AclKeyPattern pattern);
  [[nodiscard]] bool AddChannels(std::string_view pattern);

  // Nothing when the request is allowed.
  std::optional<AclDenial> Check(AclRequest& request) const;
  bool AllowsKey(std::string_view key, KeyFlags flags) const;
  // A pattern to subscribe to must be among the selector's own, letter by letter.
  bool AllowsChannel(std::string_view channel, bool is_pattern) const;
  // For what reads keys that are not among its arguments (SORT BY).
  bool ReadsAllKeys() const;

 private:
  std::optional<AclDenial> CheckChannels(const AclRequest& request) const;

  AclCommandSet commands_;
  bool all_keys_ = false;
  bool all_channels_ = false;
  std::vector<AclKeyPattern> keys_;
  std::vector<std::string> channels_;
};

}  // namespace aeris
