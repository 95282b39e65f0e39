#include "src/acl/acl_users.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "src/acl/acl_description.h"
#include "src/client.h"
#include "src/client_list.h"
#include "src/command_context.h"
#include "src/error_replies.h"
#include "src/quoted_text.h"
#include "src/server.h"
#include "src/text.h"
#include "src/text_file.h"

namespace aeris {
namespace {

constexpr std::string_view kDefault = "default";

void AllowEverything(AclUser::Rights& rights) {
  rights.enabled = rights.any_password = true;
  AclSelector& root = rights.selectors.front();
  root.SetAllKeys(true);
  root.SetAllChannels(true);
  root.commands().AllowAll();
}

// What has quotes of its own would not be read from a line of the configuration as it stands.
std::string ConfigWords(std::string_view text) {
  std::string line;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const bool plain =
        std::ranges::none_of(word, [](char c) { return c < ' ' || c == '"' || c == '\''; });
    if (!line.empty()) line += ' ';
    line += plain ? std::string(word) : QuotedText(word);
  }
  return line;
}

std::string DenialText(const Command& command, AclReason reason) {
  switch (reason) {
    case AclReason::kKey:
      return "NOPERM this user has no permissions to access one of the keys used as arguments";
    case AclReason::kChannel:
      return "NOPERM this user has no permissions to access one of the channels used as arguments";
    case AclReason::kCommand:
    case AclReason::kAuth:
      break;
  }
  return fmt::format("NOPERM this user has no permissions to run the '{}' command",
                     command.full_name());
}

std::string_view DenialAtExecText(AclReason reason) {
  switch (reason) {
    case AclReason::kKey:
      return "no permission to touch the specified keys";
    case AclReason::kChannel:
      return "no permission to access one of the channels used as arguments";
    case AclReason::kCommand:
    case AclReason::kAuth:
      break;
  }
  return "no permission to execute the command or subcommand";
}

std::string_view ObjectOf(const AclDenial& denial, const Command& command,
                          std::span<const std::string_view> arguments) {
  return denial.reason == AclReason::kCommand ? command.full_name() : arguments[denial.argument];
}

// Whether a change of rights can take a subscription away. As in Redis 7.0, which means to let
// those stay whose patterns are all kept, but takes none for the same: whoever had channels may
// lose some.
bool MayLoseChannels(const AclUser::Rights& before, const AclUser::Rights& after) {
  const auto has_channels = [](const AclSelector& selector) {
    return selector.all_channels() || !selector.channels().empty();
  };
  return std::ranges::any_of(before.selectors, has_channels) &&
         std::ranges::none_of(after.selectors, &AclSelector::all_channels);
}

}  // namespace

AclUsers::AclUsers(Server& server) : server_(server), catalogue_(server.commands()) {
  default_user_ = &AddUser(kDefault);
  AllowEverything(default_user_->rights());
}

AclUsers::~AclUsers() = default;

AclRuleContext AclUsers::rule_context() const {
  return {.catalogue = catalogue_,
          .default_all_channels =
              server_.config().acl_pubsub_default == AclPubsubDefault::kAllChannels};
}

AclUser& AclUsers::AddUser(std::string_view name) {
  return *users_
              .emplace(name, std::make_unique<AclUser>(std::string(name),
                                                       rule_context().default_all_channels))
              .first->second;
}

const AclUser* AclUsers::Find(std::string_view name) const {
  const auto found = users_.find(name);
  return found == users_.end() ? nullptr : found->second.get();
}

const AclUser& AclUsers::UserOf(const Client& client) const {
  return client.user != nullptr ? *client.user : *default_user_;
}

// ---- The configuration

std::expected<void, Error> AclUsers::LoadConfigured() {
  const Config& config = server_.config();
  if (!config.requirepass.empty()) SetDefaultPassword(config.requirepass);
  if (!config.aclfile.empty() && !config.users.empty()) {
    return std::unexpected(Error::Invalid(
        "Configuring aeris with users defined in redis.conf and at the same setting an ACL file "
        "path is invalid. This setup is very likely to lead to configuration errors and security "
        "holes, please define either an ACL file or declare users directly in your redis.conf, but "
        "not both."));
  }
  for (const std::string& line : config.users) {
    if (auto loaded = LoadLine(line); !loaded) return loaded;
  }
  if (config.aclfile.empty()) return {};
  auto users = ReadFile();
  if (!users) {
    return std::unexpected(
        Error::Invalid("Aborting aeris startup because of ACL errors: " + users.error()));
  }
  ReplaceUsers(std::move(*users));
  return {};
}

std::expected<void, Error> AclUsers::LoadLine(const std::string& line) {
  auto user = ParseConfigUser(line, rule_context());
  if (!user) return std::unexpected(Error::Invalid(user.error()));
  const std::string& name = (*user)->name();
  if (!(*user)->rights().enabled) {
    server_.log().Notice(
        "The user '{}' is disabled (there is no 'on' modifier in the user description). Make sure "
        "this is not a configuration error.",
        name);
  }
  if (name != kDefault) {
    AddUser(name).rights() = std::move((*user)->rights());
    return {};
  }
  AclUser::Rights& rights = default_user_->rights();
  rights = std::move((*user)->rights());
  // As in Redis, where the line of a user that is there already begins with a "reset".
  if (rights.payloads == AclUser::Payloads::kNothingSaid) {
    rights.payloads = AclUser::Payloads::kSanitized;
  }
  return {};
}

void AclUsers::SetDefaultPassword(std::string_view password) {
  AclUser::Rights& rights = default_user_->rights();
  rights.passwords.clear();
  rights.any_password = password.empty();
  if (!password.empty()) rights.passwords.push_back(DigestOf(password));
  RefreshAll();
}

// ---- Clients

void AclUsers::Connect(Client& client) const {
  client.user = open() ? default_user_ : nullptr;
  Refresh(client);
}

void AclUsers::LogIn(Client& client, AclUser& user) const {
  client.user = &user;
  Refresh(client);
}

void AclUsers::Refresh(Client& client) const {
  client.authenticated = client.user != nullptr || open();
  client.unrestricted = client.authenticated && UserOf(client).unrestricted();
}

void AclUsers::RefreshAll() const {
  server_.clients().ForEach([this](Client& client) { Refresh(client); });
}

AclUser* AclUsers::Authenticate(const CommandContext& context, std::string_view name,
                                std::string_view password) {
  // The work is the same for users that there are not, that are off, and that take any password.
  static constexpr PasswordDigest kNone[1] = {};
  const PasswordDigest digest = DigestOf(password);
  const auto found = users_.find(name);
  AclUser* const user = found == users_.end() ? nullptr : found->second.get();
  const bool has_passwords = user != nullptr && !user->rights().passwords.empty();
  const bool known = AnyEqual(has_passwords ? std::span(std::as_const(user->rights().passwords))
                                            : std::span<const PasswordDigest>(kNone),
                              digest);
  const bool right = user != nullptr && (user->rights().any_password || (has_passwords && known));
  if (right && user->rights().enabled) return user;
  Note(context.client(), AclReason::kAuth, context.arg(0), name);
  context.reply().Error(err::kWrongPass);
  return nullptr;
}

// ---- Requests

std::optional<AclDenial> AclUsers::Check(const Client& client, const Command& command,
                                         std::span<const std::string_view> arguments) const {
  if (client.unrestricted) return std::nullopt;
  AclRequest request(command, arguments);
  return UserOf(client).Check(request);
}

std::optional<std::string> AclUsers::Refusal(const Client& client, const Command& command,
                                             std::span<const std::string_view> arguments) {
  const std::optional<AclDenial> denial = Check(client, command, arguments);
  if (!denial) return std::nullopt;
  Note(client, denial->reason, ObjectOf(*denial, command, arguments), UserOf(client).name());
  return DenialText(command, denial->reason);
}

std::optional<std::string> AclUsers::RefusalAtExec(const Client& client, const Command& command,
                                                   std::span<const std::string_view> arguments) {
  const std::optional<AclDenial> denial = Check(client, command, arguments);
  if (!denial) return std::nullopt;
  Note(client, denial->reason, ObjectOf(*denial, command, arguments), UserOf(client).name());
  return fmt::format(
      "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC "
      "call. This command is no longer allowed for the following reason: {}",
      DenialAtExecText(denial->reason));
}

bool AclUsers::MayReadAllKeys(const CommandContext& context) const {
  if (context.client().unrestricted) return true;
  AclRequest request(context.command(), context.args());
  return UserOf(context.client()).ReadsAllKeys(request);
}

bool AclUsers::MayReadKey(const Client& client, std::string_view key) const {
  return client.unrestricted || UserOf(client).AllowsKey(key, KeyFlag::kAccess);
}

void AclUsers::Note(const Client& client, AclReason reason, std::string_view object,
                    std::string_view user) {
  std::string info;
  AppendClientLine(info, client, server_.monotonic());
  info.pop_back();
  const bool in_transaction = client.transaction != nullptr;
  log_.Add({.reason = reason,
            .context = in_transaction ? AclLog::Context::kMulti : AclLog::Context::kTopLevel,
            .object = object,
            .user = user,
            .client_info = info,
            .now = server_.monotonic()},
           static_cast<std::size_t>(server_.config().acllog_max_len));
}

// ---- Changes

std::expected<void, std::string> AclUsers::SetUser(std::string_view name,
                                                   std::span<const std::string_view> rules,
                                                   const Client& self) {
  if (HasSpaceOrNul(name)) {
    return std::unexpected("ERR Usernames can't contain spaces or null characters");
  }
  const auto joined = JoinSelectors(rules);
  if (!joined) {
    return std::unexpected(
        fmt::format("ERR Unmatched parenthesis in acl selector starting at '{}'.",
                    EchoedText(rules[joined.error()], kEchoedWholeBytesMax)));
  }
  const AclRuleContext context = rule_context();
  const auto found = users_.find(name);
  AclUser::Rights rights = found != users_.end()
                               ? found->second->rights()
                               : AclUser(std::string(name), context.default_all_channels).rights();
  for (const std::string& rule : *joined) {
    if (const auto done = ApplyAclRule(rights, rule, context); !done) {
      return std::unexpected(fmt::format("ERR Error in ACL SETUSER modifier '{}': {}",
                                         EchoedText(rule, kEchoedWholeBytesMax),
                                         AclFaultText(done.error())));
    }
  }
  AclUser& user = found != users_.end() ? *found->second : AddUser(name);
  const bool may_lose_channels = MayLoseChannels(user.rights(), rights);
  user.rights() = std::move(rights);
  RefreshAll();
  if (may_lose_channels) CloseUnlawfulSubscribers(user, &self);
  return {};
}

bool AclUsers::DeleteUser(std::string_view name, const Client& self) {
  const auto found = users_.find(name);
  if (found == users_.end() || found->second.get() == default_user_) return false;
  server_.clients().ForEach([&](Client& client) {
    if (client.user == found->second.get()) Close(client, &self);
  });
  users_.erase(found);
  return true;
}

// It is nobody at once, whatever comes before it is freed.
void AclUsers::Close(Client& client, const Client* self) const {
  client.user = nullptr;
  client.authenticated = client.unrestricted = false;
  if (&client == self) {
    client.close_after_reply = true;
  } else {
    server_.clients().CloseSoon(client);
  }
}

void AclUsers::CloseUnlawfulSubscribers(const AclUser& user, const Client* self) const {
  server_.clients().ForEach([&](Client& client) {
    if (client.subscriptions == nullptr || &UserOf(client) != &user) return;
    for (const auto kind :
         {ChannelKind::kPattern, ChannelKind::kChannel, ChannelKind::kShardChannel}) {
      for (const std::string& name : PubSub::NamesOf(client, kind)) {
        if (user.AllowsChannel(name, kind == ChannelKind::kPattern)) continue;
        if (&client != self) return Close(client, self);
        // It stays who it is: the rest of an EXEC must not run with the rights of another.
        client.close_after_reply = true;
        return;
      }
    }
  });
}

// ---- The file

std::expected<AclUserMap, std::string> AclUsers::ReadFile() const {
  const std::string& path = server_.config().aclfile;
  const auto file = ReadTextFile(path);
  if (!file) {
    return std::unexpected(fmt::format("Error loading ACLs, opening file '{}': {}", path,
                                       std::strerror(file.error().sys_errno)));
  }
  auto users = ParseAclFile(path, file->text, rule_context());
  if (users) return users;
  return std::unexpected(users.error() +
                         "WARNING: ACL errors detected, no change to the previously active ACL "
                         "rules was performed");
}

// The default user stays where it is, and gets the rights of the new one of its name.
void AclUsers::ReplaceUsers(AclUserMap fresh) {
  const auto found = fresh.find(kDefault);
  if (found != fresh.end()) {
    default_user_->rights() = std::move(found->second->rights());
    fresh.erase(found);
  } else {
    default_user_->rights() =
        AclUser(std::string(kDefault), rule_context().default_all_channels).rights();
    AllowEverything(default_user_->rights());
  }
  fresh.insert(users_.extract(std::string(kDefault)));
  users_ = std::move(fresh);
}

std::expected<void, std::string> AclUsers::Load(const Client& self) {
  auto fresh = ReadFile();
  if (!fresh) return std::unexpected("ERR " + fresh.error());
  server_.clients().ForEach([&](Client& client) {
    if (client.user != nullptr && client.user != default_user_) Close(client, &self);
  });
  ReplaceUsers(std::move(*fresh));
  RefreshAll();
  CloseUnlawfulSubscribers(*default_user_, &self);
  return {};
}

std::expected<void, Error> AclUsers::Save() {
  const std::string& path = server_.config().aclfile;
  constexpr mode_t kNewFileMode = 0600;
  const auto old_file = ReadTextFile(path);
  return ReplaceTextFile(path, AclFileText(users_, catalogue_),
                         old_file ? old_file->mode : kNewFileMode);
}

std::vector<std::string> AclUsers::ConfigLines() const {
  std::vector<std::string> lines;
  if (!server_.config().aclfile.empty()) return lines;
  for (const auto& [name, user] : users_) {
    lines.push_back(ConfigWords(name + " " + DescribeRights(user->rights(), catalogue_)));
  }
  return lines;
}

std::string_view UserNameOf(const Client& client) {
  return client.user != nullptr ? std::string_view(client.user->name()) : kDefault;
}

}  // namespace aeris
