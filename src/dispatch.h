// Dispatcher: one command of one client. Checks that hold for all commands, the call, and what is
// kept about it.
//
// Nearly all requests of a cache are brief (CommandSpec::brief_args_max) and come from plain
// clients, for which none of those checks has anything to say. What makes a client plain is looked
// at once for a row of such requests, since none of them changes it; and the clock is read once for
// up to kRunMax of one command, which share the time: a reading takes 8 ns, a GET 60. Where the
// slow log wants to know of each, with a threshold below a millisecond, no client is plain.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "src/base/clock.h"
#include "src/command.h"
#include "src/transaction.h"

namespace aeris {

class Client;
class Server;
struct ServedCommand;

class Dispatcher {
 public:
  explicit Dispatcher(Server& server) : server_(server) {}

  enum class Outcome : std::uint8_t {
    kDone,       // a reply was written, or the client is closing
    kPostponed,  // CLIENT PAUSE holds it: run it again later
    kBlocked,    // the client waits for a key; what follows waits until it is served
  };
  // `command` is what arguments[0] names, or arguments[1] of a container; the container itself when
  // that is unknown; null when arguments[0] is. `key_hashes` are those of the
  // arguments at command->key_range().
  Outcome Run(Client& client, const Command* command, std::span<std::string_view> arguments,
              std::span<const std::uint64_t> key_hashes);
  // The batch has ended: what comes next finds another state, or later times.
  void EndBatch() {
    EndRun();
    plain_client_ = nullptr;
  }
  // The client sent what is no request: replies with `text` and closes.
  void RunFault(Client& client, std::string_view text);
  // The command of a blocked client again, a key of it being ready.
  void RunServed(Client& client, const Command& command, std::span<std::string_view> arguments,
                 ServedCommand& served);
  // Ends the wait of a blocked client: with an error, or the null array of a timeout.
  void EndBlocked(Client& client, const Command& command, bool error);

  // MULTI; and its end, whatever was queued, of which the client watches nothing any more.
  void BeginTransaction(Client& client);
  void EndTransaction(Client& client);
  // All that the client has queued, for its EXEC, which is `context`: one reply each. Nothing else
  // runs in between, and the time is the same for all.
  void RunQueued(const CommandContext& context);

 private:
  static constexpr std::uint16_t kRunMax = 16;
  enum class Length : std::uint8_t { kAny, kBrief };

  // Brief requests of one command whose time has not been accounted for.
  struct BriefRun {
    const Command* command = nullptr;  // null: none
    std::uint16_t count = 0;
    MonotonicTime begin{};
    // Of the last one.
    Client* client = nullptr;
    std::span<std::string_view> arguments{};
  };

  bool BecomesPlain(Client& client);
  void RunBrief(Client& client, const Command& command, std::span<std::string_view> arguments,
                std::span<const std::uint64_t> key_hashes);
  Outcome RunAny(Client& client, const Command* command, std::span<std::string_view> arguments,
                 std::span<const std::uint64_t> key_hashes);
  void EndRun() {
    if (run_.command != nullptr) AccountRun();
  }
  void AccountRun();
  Outcome RunInTransaction(Client& client, const Command& command,
                           std::span<std::string_view> arguments,
                           std::span<const std::uint64_t> key_hashes);
  bool RoomInTransaction(const Client& client, const Command& command, CommandFlags flags,
                         std::span<const std::string_view> arguments);
  void Queue(Client& client, const Command& command, std::span<std::string_view> arguments,
             std::span<const std::uint64_t> key_hashes);
  bool RoomElsewhere(Client& client, const QueuedCommand& queued);
  void RunOneQueued(const CommandContext& context, const QueuedCommand& queued);
  // Replies with the error that keeps the command from running, and returns true, if there is one.
  bool Refused(Client& client, const Command* command, std::span<std::string_view> arguments);
  static bool NothingAgainst(const Client& client, const Command* command,
                             std::span<const std::string_view> arguments);
  bool RefusedAsUnknown(Client& client, const Command* command,
                        std::span<std::string_view> arguments);
  void CutHttp(Client& client);
  void Reject(Client& client, const Command* command, std::string_view error);
  void RejectExec(Client& client, const Command& command, std::string_view error);
  bool Paused(CommandFlags flags) const;
  static bool RefusedForMemory(const Command& command, bool in_blocks,
                               std::span<const std::string_view> arguments);
  bool MakeRoomFor(Client& client, const Command& command,
                   std::span<const std::string_view> arguments);
  void CallWithinLimit(Client& client, const Command& command,
                       std::span<std::string_view> arguments,
                       std::span<const std::uint64_t> key_hashes);
  void Call(Client& client, const Command& command, std::span<std::string_view> arguments,
            std::span<const std::uint64_t> key_hashes);
  template <Length kLength>
  void CallHandler(CommandContext& context, std::span<std::string_view> arguments,
                   std::span<const std::uint64_t> key_hashes, bool first_reply);
  void Handle(CommandContext& context);
  void NoteHotKeys(const Client& client, const Command& command,
                   std::span<const std::string_view> arguments,
                   std::span<const std::uint64_t> key_hashes, std::size_t unsent);
  void SignalWritten(const Client& client, const Command& command,
                     std::span<const std::string_view> arguments);
  void Account(Client& client, const Command& command, std::span<std::string_view> arguments,
               MonotonicTime begin);
  void AccountTime(Client& client, const Command& command, std::span<std::string_view> arguments,
                   MonotonicTime begin, std::uint16_t count);
  void CountFailure(Client& client, const Command& command);
  void CountError(Client& client);
  void Finish(Client& client);
  // Clients whose keys became ready.
  void ServeReady();

  Server& server_;
  TransactionPool transactions_;
  BriefRun run_;
  const Client* plain_client_ = nullptr;  // of the last request, if it is plain
  MonotonicTime attack_logged_{};         // zero: never
};

}  // namespace aeris
