// AclUser: a name, passwords, and what who logs in with them may do.
//
// A user stays where it is as long as it exists: clients point to the one they are logged in as.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "src/acl/acl_selector.h"
#include "src/acl/password_digest.h"

namespace aeris {

class AclUser {
 public:
  // What a rule has said of payloads (RESTORE). They are checked in any case; it is only shown.
  enum class Payloads : std::uint8_t { kNothingSaid, kSanitized, kTrusted };
  // What rules change.
  struct Rights {
    bool enabled = false;  // may log in
    bool any_password = false;
    Payloads payloads = Payloads::kNothingSaid;
    std::vector<PasswordDigest> passwords{};
    std::vector<AclSelector> selectors{};  // the first is the root
  };

  // Off, without passwords and rights, but for channels as acl-pubsub-default says.
  AclUser(std::string name, bool allows_all_channels) : name_(std::move(name)) {
    rights_.selectors.emplace_back(allows_all_channels);
  }

  const std::string& name() const { return name_; }
  const Rights& rights() const { return rights_; }
  Rights& rights() { return rights_; }
  // May do everything: nothing needs to be checked.
  bool unrestricted() const;
  // Whoever connects as this user needs no password.
  bool open() const { return rights_.enabled && rights_.any_password; }

  // What is against a request: nothing when some selector allows it. When none does, the reason of
  // those that came furthest, as in Redis.
  std::optional<AclDenial> Check(AclRequest& request) const;
  // Some selector does; of no request in particular.
  bool AllowsKey(std::string_view key, KeyFlags flags) const;
  bool AllowsChannel(std::string_view channel, bool is_pattern) const;
  // Some selector that allows the request reads all keys.
  bool ReadsAllKeys(AclRequest& request) const;

 private:
  std::string name_;
  Rights rights_;
};

}  // namespace aeris
