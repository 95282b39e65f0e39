// AclUsers: the users of the server, who is logged in as whom, and what that allows.
//
// A new connection is the user "default" if that one is on and needs no password; else it is nobody
// until AUTH or HELLO. Three fields of Client follow from that and from the rights of the user, and
// are brought up to date here whenever either changes:
//
//   user            whom it has logged in as; null before it has
//   authenticated   it has, or the default user is open to all
//   unrestricted    and it may do everything: nothing of a request is checked
//
// Cost:   a request of a client that is unrestricted pays the test of that flag; of others a bit
//         test, and for selectors with patterns the search for keys and a match against each
//         pattern. Nothing is allocated unless a request has more than 16 keys. A change of rights
//         visits all clients. A login is one SHA-256.
// Memory: about 600 bytes a user, and what rules name.
// Rejected: a set of allowed commands per client (one bit test without a look at the user): it
// would
//         have to be made again for all clients of a user at each change, and 128 bytes per idle
//         connection is more than all else that is kept for one.
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/acl/acl_file.h"
#include "src/acl/acl_log.h"
#include "src/base/error.h"

namespace aeris {

class Client;
class CommandContext;
class Server;

class AclUsers {
 public:
  explicit AclUsers(Server& server);
  AclUsers(const AclUsers&) = delete;
  AclUsers& operator=(const AclUsers&) = delete;
  ~AclUsers();

  // The users of the configuration: requirepass, `user` lines or aclfile. The error is what the
  // start fails with.
  std::expected<void, Error> LoadConfigured();

  const AclCatalogue& catalogue() const { return catalogue_; }
  const AclUserMap& users() const { return users_; }
  const AclUser* Find(std::string_view name) const;
  // Whom the client counts as: nobody yet is the default user.
  const AclUser& UserOf(const Client& client) const;
  AclLog& log() { return log_; }

  // New connections are logged in as the default user.
  bool open() const { return default_user_->open(); }
  // Whether it is on or not: what protected mode asks.
  bool default_takes_any_password() const { return default_user_->rights().any_password; }
  // requirepass; the empty password is none.
  void SetDefaultPassword(std::string_view password);

  // --- Clients
  // As a new connection: RESET.
  void Connect(Client& client) const;
  // AUTH and HELLO: the user, or null after the error reply and a record in the log. The time does
  // not tell which of both was wrong.
  AclUser* Authenticate(const CommandContext& context, std::string_view name,
                        std::string_view password);
  void LogIn(Client& client, AclUser& user) const;

  // --- Requests. Nothing when the client may run it.
  std::optional<AclDenial> Check(const Client& client, const Command& command,
                                 std::span<const std::string_view> arguments) const;
  // The same; a denial is recorded, and its reply returned.
  std::optional<std::string> Refusal(const Client& client, const Command& command,
                                     std::span<const std::string_view> arguments);
  // The same for a command of a transaction when it comes to run.
  std::optional<std::string> RefusalAtExec(const Client& client, const Command& command,
                                           std::span<const std::string_view> arguments);
  // The request may read whatever keys its arguments lead to (SORT BY and GET).
  bool MayReadAllKeys(const CommandContext& context) const;
  // For what names keys that are not among its arguments (HOTKEYS).
  bool MayReadKey(const Client& client, std::string_view key) const;

  // --- Changes. All or nothing; the errors are the texts of replies. Clients whose user is gone,
  // or had channels and lacks rights for what they are subscribed to, are closed, `self` after its
  // reply.
  std::expected<void, std::string> SetUser(std::string_view name,
                                           std::span<const std::string_view> rules,
                                           const Client& self);
  // False when there is none. The default user stays.
  bool DeleteUser(std::string_view name, const Client& self);
  // aclfile, which is set. Clients of other users than the default one are closed.
  std::expected<void, std::string> Load(const Client& self);
  std::expected<void, Error> Save();

  // The users as CONFIG REWRITE writes them behind "user "; none when there is an aclfile.
  std::vector<std::string> ConfigLines() const;

 private:
  AclRuleContext rule_context() const;
  AclUser& AddUser(std::string_view name);
  std::expected<void, Error> LoadLine(const std::string& line);
  std::expected<AclUserMap, std::string> ReadFile() const;
  void ReplaceUsers(AclUserMap fresh);
  void Note(const Client& client, AclReason reason, std::string_view object, std::string_view user);
  // The flags of clients follow the rights of their users.
  void Refresh(Client& client) const;
  void RefreshAll() const;
  void Close(Client& client, const Client* self) const;
  void CloseUnlawfulSubscribers(const AclUser& user, const Client* self) const;

  Server& server_;
  AclCatalogue catalogue_;
  AclUserMap users_;
  AclUser* default_user_;
  AclLog log_;
};

// Whom CLIENT LIST shows; a client that has not logged in counts as the default user.
std::string_view UserNameOf(const Client& client);

}  // namespace aeris
