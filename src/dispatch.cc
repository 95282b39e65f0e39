#include "src/dispatch.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "src/acl/acl_users.h"
#include "src/base/memory_probe.h"
#include "src/blob_argument.h"
#include "src/client.h"
#include "src/client_tracking.h"
#include "src/command_context.h"
#include "src/command_keys.h"
#include "src/command_table.h"
#include "src/error_replies.h"
#include "src/server.h"
#include "src/text.h"
#include "src/watched_keys.h"

namespace aeris {
namespace {

// Code words that are counted one by one: DEBUG ERROR may bring any.
constexpr std::size_t kErrorCodesMax = 128;

// The latency monitor has milliseconds; a slow log that notes faster commands is asked each time.
constexpr std::int64_t kNotedMicroseconds = 1000;
constexpr std::int64_t kNotedNanosecondsMin = kNotedMicroseconds * 1000;

// A browser, or a server tricked into a request, speaks HTTP to the port: the body must not run as
// commands.
bool IsHttp(std::span<const std::string_view> words) {
  static constexpr std::string_view kMethods[] = {"get",     "head",  "put",   "delete",
                                                  "options", "patch", "trace", "connect"};
  const auto is_first = [&](std::string_view word) { return EqualsIgnoringCase(words[0], word); };
  if (is_first("post") || is_first("host:")) return true;
  return words.size() == 3 && words[2].starts_with("HTTP/1.") &&
         std::ranges::any_of(kMethods, is_first);
}

// What a subscriber may call with RESP2, where a reply cannot be told from a message.
bool RunsWhileSubscribed(const Command& command) {
  static constexpr std::string_view kNames[] = {"ping",         "quit",        "reset",
                                                "subscribe",    "unsubscribe", "psubscribe",
                                                "punsubscribe", "ssubscribe",  "sunsubscribe"};
  return std::ranges::find(kNames, command.full_name()) != std::end(kNames);
}

bool IsExec(const Command& command) { return command.full_name() == "exec"; }

// As a batch does it; the commands come from one.
void PrefetchKeys(const storage::Keyspace& keyspace, std::span<const QueuedCommand> commands) {
  const auto first_keys = [](const QueuedCommand& command) {
    return command.key_hashes.first(std::min(command.key_hashes.size(), RequestBatch::kKeysMax));
  };
  for (const QueuedCommand& each : commands) {
    for (const std::uint64_t hash : first_keys(each)) keyspace.PrefetchBucket(hash);
  }
  for (const QueuedCommand& each : commands) {
    for (const std::uint64_t hash : first_keys(each)) keyspace.PrefetchEntry(hash);
  }
}

std::string UnknownCommand(std::span<const std::string_view> arguments) {
  std::string echoed;
  for (std::size_t i = 1; i < arguments.size() && echoed.size() < kEchoedBytesMax; ++i) {
    echoed += fmt::format("'{}' ", EchoedText(arguments[i], kEchoedBytesMax - echoed.size()));
  }
  return fmt::format("ERR unknown command '{}', with args beginning with: {}",
                     EchoedText(arguments[0], kEchoedBytesMax), echoed);
}

}  // namespace

Dispatcher::Outcome Dispatcher::Run(Client& client, const Command* command,
                                    std::span<std::string_view> arguments,
                                    std::span<const std::uint64_t> key_hashes) {
  if (command != nullptr && command->IsBrief(arguments.size()) &&
      (&client == plain_client_ || BecomesPlain(client)) && client.parser().blocks().empty())
      [[likely]] {
    RunBrief(client, *command, arguments, key_hashes);
    return Outcome::kDone;
  }
  EndBatch();
  return RunAny(client, command, arguments, key_hashes);
}

// True when nothing that others have set, or the client itself, has a say in its brief requests: it
// is the plain client from here on.
bool Dispatcher::BecomesPlain(Client& client) {
  const Config& config = server_.config();
  const bool each_is_timed =
      config.slowlog_log_slower_than >= 0 && config.slowlog_log_slower_than < kNotedMicroseconds;
  const bool server_is = !server_.client_eviction().limited() && server_.monitor().empty() &&
                         server_.pause().kind() == ClientPause::Kind::kNone &&
                         !server_.events().wants(KeyEvent::kNew) && !server_.tracking().on() &&
                         !each_is_timed;
  const bool client_is = client.unrestricted && !client.monitor && !client.subscriptions &&
                         !client.transaction && client.reply_mode == ReplyMode::kOn &&
                         server_.io().OutputLimitOf(client).none();
  if (!server_is || !client_is) return false;
  client.reply().set_muted(false);
  client.replies().set_memory_max(SIZE_MAX);
  plain_client_ = &client;
  return true;
}

// Of a plain client, without big arguments. As RunAny() does it, less what cannot be.
[[gnu::always_inline]] inline void Dispatcher::RunBrief(Client& client, const Command& command,
                                                        std::span<std::string_view> arguments,
                                                        std::span<const std::uint64_t> key_hashes) {
  const bool limited = server_.eviction().limited();
  // What it takes to remove keys is not the commands'.
  if (limited && server_.eviction().passed()) [[unlikely]]
    EndRun();
  if (!limited || MakeRoomFor(client, command, arguments)) [[likely]] {
    if (run_.command != &command) {
      EndRun();
      run_.command = &command;
      run_.begin = server_.monotonic();
    }
    run_.client = &client;
    run_.arguments = arguments;
    client.last_command = &command;
    CommandContext context(server_, client, command, arguments, client.reply(), server_.unix_ms(),
                           key_hashes);
    CallHandler<Length::kBrief>(context, arguments, key_hashes, client.replies().empty());
    if (++run_.count == kRunMax) EndRun();
    if (limited) [[unlikely]] {
      if (server_.eviction().passed()) EndRun();
      server_.eviction().EnforceAfter(arguments);
    }
  }
  if (!client.replies().empty()) server_.clients().QueueWrite(client);
  if (client.replies().over_limit()) [[unlikely]]
    server_.io().EnforceOutputLimit(client);
  if (server_.blocked_clients().has_ready()) [[unlikely]] {
    EndBatch();
    server_.blocked_clients().Serve();
  }
}

Dispatcher::Outcome Dispatcher::RunAny(Client& client, const Command* command,
                                       std::span<std::string_view> arguments,
                                       std::span<const std::uint64_t> key_hashes) {
  if (server_.client_eviction().limited()) [[unlikely]] {
    server_.client_eviction().Enforce();
    if (client.closing) return Outcome::kDone;
  }
  client.reply().set_muted(client.reply_mode == ReplyMode::kOff ||
                           client.reply_mode == ReplyMode::kSkip);
  if (!NothingAgainst(client, command, arguments)) [[unlikely]] {
    if (Refused(client, command, arguments)) {
      Finish(client);
      ServeReady();
      return Outcome::kDone;
    }
    if (client.transaction) return RunInTransaction(client, *command, arguments, key_hashes);
  }
  if (server_.pause().kind() != ClientPause::Kind::kNone && Paused(command->flags())) {
    client.last_command = command;  // CLIENT LIST shows what waits
    return Outcome::kPostponed;
  }
  if (RefusedForMemory(*command, !client.parser().blocks().empty(), arguments)) [[unlikely]] {
    Reject(client, command, err::kOutOfMemory);
  } else if (!server_.eviction().limited()) [[likely]] {
    Call(client, *command, arguments, key_hashes);
  } else {
    CallWithinLimit(client, *command, arguments, key_hashes);
  }
  if (client.blocked) [[unlikely]] {
    // What it looked at may have expired, which others wait to hear.
    ServeReady();
    return Outcome::kBlocked;
  }
  Finish(client);
  ServeReady();
  return Outcome::kDone;
}

void Dispatcher::ServeReady() {
  if (server_.blocked_clients().has_ready()) [[unlikely]] {
    server_.blocked_clients().Serve();
  }
}

void Dispatcher::RunFault(Client& client, std::string_view text) {
  server_.log().Verbose("Protocol error ({}) from client: id={} addr={}", text, client.id(),
                        client.peer());
  client.reply().set_muted(false);
  client.reply().Error(fmt::format("ERR Protocol error: {}", text));
  CountError(client);
  client.close_after_reply = true;
  Finish(client);
}

// What holds for nearly every request, in few steps; Refused() finds out what is wrong otherwise.
bool Dispatcher::NothingAgainst(const Client& client, const Command* command,
                                std::span<const std::string_view> arguments) {
  return command != nullptr && command->open_to_all() && client.unrestricted && !client.monitor &&
         !client.subscriptions && !client.transaction && command->ArityMatches(arguments.size());
}

bool Dispatcher::Refused(Client& client, const Command* command,
                         std::span<std::string_view> arguments) {
  if (command == nullptr || !command->subcommands().empty()) [[unlikely]] {
    if (RefusedAsUnknown(client, command, arguments)) return true;
  }
  if (!command->ArityMatches(arguments.size())) [[unlikely]] {
    if (IsHttp(arguments)) {  // GET
      CutHttp(client);
      return true;
    }
    Reject(client, command,
           fmt::format("ERR wrong number of arguments for '{}' command", command->full_name()));
    return true;
  }
  if (command->has(CommandFlag::kProtected)) [[unlikely]] {
    const bool module = command->full_name().starts_with("module|");
    const Permission allowed =
        module ? server_.config().enable_module_command : server_.config().enable_debug_command;
    if (allowed == Permission::kNo || (allowed == Permission::kLocal && !client.local())) {
      Reject(client, command,
             fmt::format(
                 "ERR {} command not allowed. If the {} option is set to \"local\", you can run it "
                 "from a local connection, otherwise you need to set this option in the "
                 "configuration file, and then restart the server.",
                 module ? "MODULE" : "DEBUG",
                 module ? "enable-module-command" : "enable-debug-command"));
      return true;
    }
  }
  if (!client.authenticated && !command->has(CommandFlag::kNoAuth)) [[unlikely]] {
    Reject(client, command, err::kNoAuth);
    return true;
  }
  if (client.transaction && command->has(CommandFlag::kNoMulti)) [[unlikely]] {
    Reject(client, command, "ERR Command not allowed inside a transaction");
    return true;
  }
  if (!client.unrestricted) {
    client.last_command = command;  // the log of refusals shows it
    if (const auto refusal = server_.acl().Refusal(client, *command, arguments)) {
      Reject(client, command, *refusal);
      return true;
    }
  }
  if (client.subscriptions && client.reply().resp() == 2 && !RunsWhileSubscribed(*command))
      [[unlikely]] {
    Reject(client, command,
           fmt::format("ERR Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / "
                       "QUIT / RESET are allowed in this context",
                       command->full_name()));
    return true;
  }
  // Redis counts a monitor as a replica.
  if (client.monitor &&
      (command->has(CommandFlag::kReadonly) || command->has(CommandFlag::kWrite) ||
       command->has(CommandFlag::kMayReplicate))) [[unlikely]] {
    Reject(client, command, "ERR Replica can't interact with the keyspace");
    return true;
  }
  return false;
}

bool Dispatcher::RefusedAsUnknown(Client& client, const Command* command,
                                  std::span<std::string_view> arguments) {
  if (command == nullptr) {
    if (IsHttp(arguments)) {
      CutHttp(client);
      return true;
    }
    Reject(client, nullptr, UnknownCommand(arguments));
    return true;
  }
  if (arguments.size() > 1) {
    // The container was not called, so its counters stay.
    Reject(client, nullptr,
           fmt::format("ERR unknown subcommand '{}'. Try {} HELP.",
                       EchoedText(arguments[1], kEchoedBytesMax), ToUpper(command->full_name())));
    return true;
  }
  return false;
}

void Dispatcher::CutHttp(Client& client) {
  // A flood of them must not fill the disk.
  constexpr std::chrono::minutes kLogEvery{1};
  const MonotonicTime now = server_.monotonic();
  if (attack_logged_ == MonotonicTime{} || now - attack_logged_ > kLogEvery) {
    attack_logged_ = now;
    server_.log().Warning(
        "Possible SECURITY ATTACK detected. It looks like somebody is sending HTTP requests to "
        "aeris. This is likely due to an attacker attempting to use Cross Protocol "
        "Scripting to compromise your instance. Connection from {} aborted.",
        client.peer());
  }
  server_.clients().CloseSoon(client);
}

// Inside MULTI that is the end of the transaction, sooner or later.
void Dispatcher::Reject(Client& client, const Command* command, std::string_view error) {
  if (command != nullptr) ++command->stats().rejected;
  if (client.transaction) client.transaction->Abort();
  if (command != nullptr && IsExec(*command)) {
    RejectExec(client, *command, error);
  } else {
    client.reply().Error(error);
  }
  CountError(client);
  server_.tracking().CommandRefused(client, command);
}

// Those who look on see the end as well.
void Dispatcher::RejectExec(Client& client, const Command& command, std::string_view error) {
  EndTransaction(client);
  if (error.starts_with("ERR ")) error.remove_prefix(4);
  client.reply().Error(fmt::format("EXECABORT Transaction discarded because of: {}", error));
  if (server_.monitor().empty()) return;
  const RequestBatch::Current& request = server_.batch().current();
  server_.monitor().Feed(client, command, {request.arguments, request.argument_count});
}

bool Dispatcher::Paused(CommandFlags flags) const {
  if (!server_.pause().active(server_.monotonic())) return false;
  return server_.pause().kind() == ClientPause::Kind::kAll || flags.has(CommandFlag::kWrite) ||
         flags.has(CommandFlag::kMayReplicate);
}

// --- Transactions

void Dispatcher::BeginTransaction(Client& client) { client.transaction = transactions_.Take(); }

void Dispatcher::EndTransaction(Client& client) {
  if (client.transaction) transactions_.GiveBack(std::move(client.transaction));
  client.watch.reset();
}

// Inside MULTI.
Dispatcher::Outcome Dispatcher::RunInTransaction(Client& client, const Command& command,
                                                 std::span<std::string_view> arguments,
                                                 std::span<const std::uint64_t> key_hashes) {
  const bool at_once = command.has(CommandFlag::kNotQueued);
  CommandFlags flags = command.flags();
  if (at_once && IsExec(command)) flags = flags | client.transaction->flags();
  if (server_.pause().kind() != ClientPause::Kind::kNone && Paused(flags)) {
    client.last_command = &command;
    return Outcome::kPostponed;
  }
  const bool limited = server_.eviction().limited();
  if (limited && !RoomInTransaction(client, command, flags, arguments)) {
    Reject(client, &command, err::kOutOfMemory);
  } else if (!at_once) {
    Queue(client, command, arguments, key_hashes);
  } else {
    Call(client, command, arguments, key_hashes);
    if (limited) server_.eviction().EnforceAfter(arguments);
  }
  Finish(client);
  ServeReady();
  return Outcome::kDone;
}

// While there is a maxmemory. A queue takes memory, so nothing is queued without; EXEC needs what
// its commands need. What ends a transaction may always run.
bool Dispatcher::RoomInTransaction(const Client& client, const Command& command, CommandFlags flags,
                                   std::span<const std::string_view> arguments) {
  const bool ends = command.has(CommandFlag::kNotQueued) && command.full_name() != "multi" &&
                    command.full_name() != "watch";
  Eviction& eviction = server_.eviction();
  if (!ends || flags.has(CommandFlag::kDenyOom)) {
    return eviction.MakeRoomFor(static_cast<std::size_t>(client.database), arguments);
  }
  eviction.Enforce(arguments);
  return true;
}

// One that EXEC will refuse anyway is not queued.
void Dispatcher::Queue(Client& client, const Command& command,
                       std::span<std::string_view> arguments,
                       std::span<const std::uint64_t> key_hashes) {
  client.last_command = &command;
  Transaction& transaction = *client.transaction;
  if (!transaction.aborted() && !(client.watch && client.watch->changed())) [[likely]] {
    transaction.Queue({.command = &command, .arguments = arguments, .key_hashes = key_hashes});
    if (!client.parser().blocks().empty()) [[unlikely]] {
      transaction.NoteBigArguments();
      // There may be no memory for them, which is better said now than by EXEC.
      if (!transaction.Keep()) return Reject(client, &command, err::kOutOfMemory);
    }
  }
  client.reply().Raw("+QUEUED\r\n");
}

void Dispatcher::RunQueued(const CommandContext& context) {
  Client& client = context.client();
  const std::uint64_t errors_before = client.reply().errors_written();
  const int begun_in = client.database;
  client.deny_blocking = true;
  client.transaction->ForEachBatch([&](std::span<const QueuedCommand> commands, bool kept) {
    // The keyspace of the context is no more if one of these has flushed it.
    const auto database = static_cast<std::size_t>(client.database);
    if (kept) PrefetchKeys(server_.databases()[database], commands);
    for (const QueuedCommand& each : commands) {
      if (client.database == begun_in || RoomElsewhere(client, each)) [[likely]]
        RunOneQueued(context, each);
    }
  });
  client.deny_blocking = false;
  // They are accounted for; EXEC has not failed.
  client.reply().ForgetErrors(errors_before);
}

// EXEC has asked for room in the database that it began with, and SELECT has led to another. False
// after the error reply.
bool Dispatcher::RoomElsewhere(Client& client, const QueuedCommand& queued) {
  if (!queued.command->has(CommandFlag::kDenyOom)) return true;
  std::size_t bytes = 0;
  for (const std::string_view argument : queued.arguments) bytes += argument.size();
  if (server_.eviction().MakeRoomIn(static_cast<std::size_t>(client.database), bytes)) return true;
  ++queued.command->stats().rejected;
  client.reply().Error(err::kOutOfMemory);
  CountError(client);
  return false;
}

void Dispatcher::RunOneQueued(const CommandContext& context, const QueuedCommand& queued) {
  Client& client = context.client();
  if (RefusedForMemory(*queued.command, client.transaction->has_big_arguments(), queued.arguments))
      [[unlikely]] {
    ++queued.command->stats().rejected;
    client.reply().Error(err::kOutOfMemory);
    return CountError(client);
  }
  if (!client.unrestricted) [[unlikely]] {
    if (const auto refusal =
            server_.acl().RefusalAtExec(client, *queued.command, queued.arguments)) {
      client.reply().Error(*refusal);
      return CountError(client);
    }
  }
  CommandContext own(server_, client, *queued.command, queued.arguments, client.reply(),
                     context.now(), queued.key_hashes);
  CallHandler<Length::kAny>(own, queued.arguments, queued.key_hashes, false);
  // CLIENT REPLY and the end of the client (CLIENT KILL) hold for what follows them.
  client.reply().set_muted(client.close_after_reply || client.reply_mode == ReplyMode::kOff ||
                           client.reply_mode == ReplyMode::kSkip);
}

// --- Running one command

// What a command stores of huge arguments beside them must be there: lists and streams, which
// cannot fail, copy them, and their blocks double. `in_blocks`: an argument may be huge.
bool Dispatcher::RefusedForMemory(const Command& command, bool in_blocks,
                                  std::span<const std::string_view> arguments) {
  constexpr std::size_t kManyArguments = 4096;
  constexpr std::size_t kHugeBytes = std::size_t{1} << 20;
  constexpr std::size_t kCopies = 3;
  if (!in_blocks && arguments.size() < kManyArguments) [[likely]]
    return false;
  const CommandGroup group = command.spec().group;
  const bool fails_by_itself = group != CommandGroup::kList && group != CommandGroup::kStream &&
                               group != CommandGroup::kGeneric;
  if (!command.has(CommandFlag::kDenyOom) || fails_by_itself) return false;
  std::size_t bytes = 0;
  for (const std::string_view argument : arguments) bytes += argument.size();
  return bytes >= kHugeBytes && !CanAllocate(kCopies * bytes);
}

// While there is a maxmemory: before the command. False after the error reply.
bool Dispatcher::MakeRoomFor(Client& client, const Command& command,
                             std::span<const std::string_view> arguments) {
  Eviction& eviction = server_.eviction();
  if (!command.has(CommandFlag::kDenyOom)) {
    eviction.Enforce(arguments);
    return true;
  }
  if (eviction.MakeRoomFor(static_cast<std::size_t>(client.database), arguments)) return true;
  Reject(client, &command, err::kOutOfMemory);
  return false;
}

void Dispatcher::CallWithinLimit(Client& client, const Command& command,
                                 std::span<std::string_view> arguments,
                                 std::span<const std::uint64_t> key_hashes) {
  if (!MakeRoomFor(client, command, arguments)) return;
  Eviction& eviction = server_.eviction();
  Call(client, command, arguments, key_hashes);
  // What the command has stored without a copy is an argument no longer.
  for (const auto& argument : client.parser().blocks()) {
    static_cast<BlobArgument&>(*argument.block).Count();
  }
  if (eviction.limited()) eviction.EnforceAfter(arguments);
}

// What every request passes through is inlined by force, here and where it is looked up: g++ makes
// calls of it, and one spills and fills up to 20 registers' worth.
[[gnu::always_inline]] inline void Dispatcher::Call(Client& client, const Command& command,
                                                    std::span<std::string_view> arguments,
                                                    std::span<const std::uint64_t> key_hashes) {
  client.last_command = &command;
  client.replies().set_memory_max(server_.io().ReplyBytesMax(client));
  CommandContext context(server_, client, command, arguments, client.reply(), server_.unix_ms(),
                         key_hashes);
  CallHandler<Length::kAny>(context, arguments, key_hashes, client.replies().empty());
}

// `first_reply`: nothing unsent stands before it. The time of a brief one is its run's.
template <Dispatcher::Length kLength>
[[gnu::always_inline]] inline void Dispatcher::CallHandler(
    CommandContext& context, std::span<std::string_view> arguments,
    std::span<const std::uint64_t> key_hashes, bool first_reply) {
  Client& client = context.client();
  const Command& command = context.command();
  const std::uint64_t errors_before = client.reply().errors_written();
  const MonotonicTime begin = server_.monotonic();
  const bool looked_at = server_.hot_keys().TakesThisOne();
  const std::size_t unsent = looked_at ? client.replies().size() : 0;
  if constexpr (kLength == Length::kBrief) {
    command.handler()(context);
  } else {
    Handle(context);
  }
  // Behind other replies the stream is torn, and the client is cut.
  if (first_reply && client.replies().out_of_memory()) [[unlikely]] {
    client.replies().StartAnew();
    context.ReplyOutOfMemory();
  }
  if (looked_at) [[unlikely]]
    NoteHotKeys(client, command, arguments, key_hashes, unsent);
  if (!server_.blocked_clients().empty()) [[unlikely]]
    SignalWritten(client, command, arguments);
  if (client.reply().errors_written() != errors_before) [[unlikely]]
    CountFailure(client, command);
  if constexpr (kLength == Length::kAny) {
    server_.ReadClock();
    Account(client, command, arguments, begin);
  }
}

// Messages that the command publishes to its own client follow its reply; those of EXEC all of its
// replies, since its commands may subscribe.
[[gnu::always_inline]] inline void Dispatcher::Handle(CommandContext& context) {
  const Client& client = context.client();
  const bool holds = (client.subscriptions || client.transaction) && !client.deny_blocking;
  if (holds) [[unlikely]]
    server_.pubsub().HoldFor(context.client());
  const bool notes_new = server_.events().wants(KeyEvent::kNew);
  if (notes_new && context.command().has(CommandFlag::kWrite)) [[unlikely]]
    server_.events().NoteAbsentKeys(context);
  Tracking& tracking = server_.tracking();
  if (tracking.on()) [[unlikely]]
    tracking.CommandBegins(context.client());
  context.command().handler()(context);
  if (notes_new) [[unlikely]]
    server_.events().ForgetAbsentKeys();
  if (holds) [[unlikely]]
    server_.pubsub().DeliverHeld();
  if (tracking.on()) [[unlikely]]
    tracking.CommandDone(context);
}

// `unsent` bytes of replies were there before. Subcommands ask about keys, which is no use of them
// (OBJECT FREQ).
void Dispatcher::NoteHotKeys(const Client& client, const Command& command,
                             std::span<const std::string_view> arguments,
                             std::span<const std::uint64_t> key_hashes, std::size_t unsent) {
  if (command.parent() != nullptr) return;
  const auto database = static_cast<std::size_t>(client.database);
  // Replies beyond the limit of a client are dropped at once.
  std::size_t bytes = std::max(client.replies().size(), unsent) - unsent;
  for (const std::string_view argument : arguments) bytes += argument.size();
  if (const KeyRange& range = command.key_range(); !key_hashes.empty()) {
    return server_.hot_keys().Add(database, key_hashes.size(), bytes, [&](std::size_t i) {
      return storage::HashedKey{arguments[range.first + i * range.step], key_hashes[i]};
    });
  }
  KeyPositions positions;
  if (!FindKeys(command.spec(), arguments, positions)) return;
  server_.hot_keys().Add(database, positions.keys().size(), bytes, [&](std::size_t i) {
    return server_.databases()[database].Hash(arguments[positions.keys()[i].index]);
  });
}

// A key may be gone or of another type now (SET, BITOP, SUNIONSTORE): who waits for a group of a
// stream is told. Others whose key has not what they wait for go on waiting.
void Dispatcher::SignalWritten(const Client& client, const Command& command,
                               std::span<const std::string_view> arguments) {
  if (!command.has(CommandFlag::kWrite)) return;
  KeyPositions positions;
  if (!FindKeys(command.spec(), arguments, positions)) return;
  for (const KeyPosition& key : positions.keys()) {
    server_.blocked_clients().SignalUnlessStream(static_cast<std::size_t>(client.database),
                                                 arguments[key.index]);
  }
}

[[gnu::always_inline]] inline void Dispatcher::Account(Client& client, const Command& command,
                                                       std::span<std::string_view> arguments,
                                                       MonotonicTime begin) {
  ++server_.stats().commands_processed;
  ++command.stats().calls;
  if (!server_.monitor().empty()) [[unlikely]] {
    server_.monitor().Feed(client, command, arguments);
  }
  // One whose client waits now is accounted for in full when it is served.
  if (client.blocked == nullptr) [[likely]]
    AccountTime(client, command, arguments, begin, 1);
}

void Dispatcher::AccountRun() {
  server_.ReadClock();
  const BriefRun run = std::exchange(run_, BriefRun());
  server_.stats().commands_processed += run.count;
  run.command->stats().calls += run.count;
  AccountTime(*run.client, *run.command, run.arguments, run.begin, run.count);
  // Which has taken memory when it was the first of its kind.
  Eviction& eviction = server_.eviction();
  if (eviction.limited() && eviction.passed()) [[unlikely]]
    eviction.EnforceAfter(run.arguments);
}

void Dispatcher::CountFailure(Client& client, const Command& command) {
  ++command.stats().failed;
  CountError(client);
}

// What is known at the end of a command: later than its beginning when it blocks. `count` of them
// have shared the time; where it is long, that is one of them, which stands for all in the log.
[[gnu::always_inline]] inline void Dispatcher::AccountTime(Client& client, const Command& command,
                                                           std::span<std::string_view> arguments,
                                                           MonotonicTime begin,
                                                           std::uint16_t count) {
  const Config& config = server_.config();
  CommandStats& stats = command.stats();
  const std::int64_t nanoseconds = (server_.monotonic() - begin).count();
  stats.nanoseconds += static_cast<std::uint64_t>(nanoseconds);
  if (config.latency_tracking) stats.latency.Record(nanoseconds / count, count);
  // Shorter than anything that is noted: nearly every command.
  if (nanoseconds < kNotedNanosecondsMin && config.slowlog_log_slower_than >= kNotedMicroseconds)
      [[likely]] {
    return;
  }
  const std::int64_t microseconds = nanoseconds / 1000;
  if (config.latency_monitor_threshold != 0 &&
      microseconds / 1000 >= config.latency_monitor_threshold) [[unlikely]] {
    server_.latency().Add(command.has(CommandFlag::kFast) ? "fast-command" : "command",
                          server_.unix_ms() / 1000, microseconds / 1000);
  }
  if (config.slowlog_log_slower_than >= 0 && microseconds >= config.slowlog_log_slower_than &&
      !command.has(CommandFlag::kSkipSlowlog)) [[unlikely]] {
    server_.slow_log().Add({.arguments = arguments,
                            .unix_seconds = server_.unix_ms() / 1000,
                            .microseconds = microseconds,
                            .peer = client.peer(),
                            .client_name = client.name},
                           static_cast<std::size_t>(config.slowlog_max_len));
  }
}

void Dispatcher::RunServed(Client& client, const Command& command,
                           std::span<std::string_view> arguments, ServedCommand& served) {
  client.reply().set_muted(client.reply_mode == ReplyMode::kOff ||
                           client.reply_mode == ReplyMode::kSkip);
  client.replies().set_memory_max(server_.io().ReplyBytesMax(client));
  // The rights may have changed while it waited.
  if (!client.unrestricted) [[unlikely]] {
    if (const auto refusal = server_.acl().Refusal(client, command, arguments)) {
      Reject(client, &command, *refusal);
      return Finish(client);
    }
  }
  const std::uint64_t errors_before = client.reply().errors_written();
  const MonotonicTime begin = server_.monotonic();
  CommandContext context(server_, client, command, arguments, client.reply(), server_.unix_ms(), {},
                         &served);
  Handle(context);
  server_.ReadClock();
  if (served.waits_on) return;
  if (client.reply().errors_written() != errors_before) CountFailure(client, command);
  AccountTime(client, command, arguments, begin, 1);
  Finish(client);
}

void Dispatcher::EndBlocked(Client& client, const Command& command, bool error) {
  client.reply().set_muted(client.reply_mode == ReplyMode::kOff ||
                           client.reply_mode == ReplyMode::kSkip);
  if (error) {
    ++command.stats().failed;
    client.reply().Error("UNBLOCKED client unblocked via CLIENT UNBLOCK");
    CountError(client);
  } else {
    client.reply().NullArray();
  }
  Finish(client);
}

void Dispatcher::CountError(Client& client) {
  ServerStats& stats = server_.stats();
  ++stats.error_replies;
  const std::string_view code = client.reply().last_error();
  auto found = stats.errors_by_code.find(code);
  if (found == stats.errors_by_code.end()) {
    if (stats.errors_by_code.size() >= kErrorCodesMax) return;
    found = stats.errors_by_code.emplace(std::string(code), 0).first;
  }
  ++found->second;
}

[[gnu::always_inline]] inline void Dispatcher::Finish(Client& client) {
  if (client.reply_mode == ReplyMode::kSkipNext) [[unlikely]] {
    client.reply_mode = ReplyMode::kSkip;
  } else if (client.reply_mode == ReplyMode::kSkip) [[unlikely]] {
    client.reply_mode = ReplyMode::kOn;
  }
  if (!client.replies().empty() || client.close_after_reply) server_.clients().QueueWrite(client);
  server_.io().EnforceOutputLimit(client);
}

}  // namespace aeris
