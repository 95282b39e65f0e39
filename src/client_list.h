// One client as CLIENT LIST and CLIENT INFO show it: a line of "name=value" fields in the order of
// Redis 7.0, then lib-name and lib-ver of 7.2. Tools read these lines.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "src/base/clock.h"

namespace aeris {

class Client;

// What CLIENT LIST TYPE and CLIENT KILL TYPE sort clients by.
enum class ClientType : std::uint8_t { kNormal, kMaster, kReplica, kPubsub };
// "normal", "master", "replica" or "slave", "pubsub", in any case.
std::optional<ClientType> ParseClientType(std::string_view name);
ClientType TypeOf(const Client& client);

// The letters of the field `flags`: O monitor, P subscriber, b blocked: waits for a key or the end
// of a pause, c closes after its reply, U unix socket, e not evicted, T does not touch keys; N none
// of them.
std::string ClientFlags(const Client& client);

// Appends the line, its "\n" included. One system call, for the field `laddr`.
//
// Our replies are one chain of blocks; its first 16 KiB appear as what Redis keeps in a fixed
// buffer (rbs, rbp, obl), and what lies beyond as its list (oll). The block goes back when it is
// sent, so its peak, rbp, is its size, rbs. omem is what client-output-buffer-limit compares.
// argv-mem is what the parser holds: arguments themselves stay in the query buffer. Fields of
// features that are not there have Redis's value for "none".
void AppendClientLine(std::string& out, const Client& client, MonotonicTime now);

}  // namespace aeris
