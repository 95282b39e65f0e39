#include "src/client_io.h"

#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>

#include "src/base/check.h"
#include "src/blob_argument.h"
#include "src/error_replies.h"
#include "src/pubsub.h"
#include "src/server.h"
#include "src/tls_connection.h"
#include "src/tls_context.h"
#include "src/transaction.h"

namespace aeris {
namespace {

// Bytes read from one client in one turn, unless a big argument is under way, and bytes written to
// one: what bounds the time that others wait for it.
constexpr std::size_t kReadBytesMin = protocol::BufferPool::kBlockBytes / 4;
constexpr std::size_t kReadBytesMax = protocol::BufferPool::kBlockBytes;
constexpr std::size_t kBigArgumentReadBytesMax = 1024 * 1024;
constexpr std::size_t kWriteBytesPerTurn = 1024 * 1024;
constexpr std::size_t kIovecs = 64;

// Messages to a subscriber that may wait for a later turn.
constexpr std::size_t kMessageBytesQueued = protocol::BufferPool::kBlockBytes;

// Unsent replies of a client that has not logged in (CVE-2025-21605).
constexpr std::size_t kUnauthenticatedReplyBytes = 1024;

ae::IoResult Send(Client& client, std::span<const iovec> pieces) {
  if (client.tls) return client.tls->WriteV(pieces);
  if (pieces.size() > 1) return ae::WriteV(client.fd(), pieces);
  return ae::Write(client.fd(), {static_cast<const char*>(pieces[0].iov_base), pieces[0].iov_len});
}

std::string ReasonOf(const Client& client, const ae::IoResult& failure) {
  return client.tls ? client.tls->error() : std::strerror(failure.sys_errno);
}

// The socket has not taken all of the last write; the loop says when it takes more.
bool WaitsForSocket(const Client& client) {
  return ae::Has(client.event().interest(), ae::Ready::kWrite);
}

}  // namespace

ClientIo::ClientIo(Server& server) : server_(server), config_(server.config()) {}

void ClientIo::OnClientReady(Client& client, ae::Ready ready) {
  if (client.tls) [[unlikely]]
    return OnTlsReady(client, ready);
  if (ae::Has(ready, ae::Ready::kWrite) && ae::Has(client.event().interest(), ae::Ready::kWrite)) {
    WriteReplies(client);
  }
  // A hang-up brings both bits, whatever the interest is.
  if (ae::Has(ready, ae::Ready::kRead) && !client.closing && !client.close_after_reply) {
    ReadRequests(client);
  }
}

// Each direction may wait for the other one of the socket.
void ClientIo::OnTlsReady(Client& client, ae::Ready ready) {
  TlsConnection& tls = *client.tls;
  if (tls.shaking()) return server_.tls().handshakes().Queue(client);
  if (tls.CanWrite(ready) && !client.replies().empty()) WriteReplies(client);
  if (client.closing || client.close_after_reply || client.reading_stopped) return;
  if (!tls.CanRead(ready)) return;
  const bool waited = tls.read_wants_write();
  ReadRequests(client);
  if (client.closing) return;
  if (tls.read_wants_write() != waited) Watch(client);
  if (tls.has_more()) server_.tls().ReadAgain(client);
}

void ClientIo::ReadRequests(Client& client) {
  for (bool again = true; again;) {
    const bool began = client.parser().block_missing() > 0;
    if (!ReadBytes(client)) return;
    server_.clients().sizes().Count(client);
    // All of them: what one read brings is little.
    (void)ParseRequests(client, SIZE_MAX);
    EnforceQueryLimit(client);
    // A big argument that has just begun: the rest is there, or on its way. Bytes of requests in
    // the batch must not move.
    again = !began && client.parser().block_missing() > 0 && !client.in_batch && !client.closing;
  }
}

void ClientIo::EnforceQueryLimit(Client& client) {
  std::size_t bytes = client.unparsed_bytes();
  if (client.transaction) bytes += client.transaction->memory();
  if (bytes <= config_.client_query_buffer_limit || client.closing) [[likely]]
    return;
  server_.log().Warning("Closing client that reached max query buffer length: id={} addr={}",
                        client.id(), client.peer());
  ++server_.stats().query_buffer_limit_disconnects;
  server_.clients().CloseSoon(client);
}

bool ClientIo::ReadBytes(Client& client) {
  const std::span<char> block = client.parser().BlockRoom();
  const ae::IoResult result = block.empty() ? ReadToQuery(client) : ReadToBlock(client, block);
  switch (result.kind) {
    case ae::IoKind::kDone:
      break;
    case ae::IoKind::kWouldBlock:
      client.query().ReleaseIfEmpty();
      return false;
    case ae::IoKind::kClosed:
      server_.log().Verbose("Client closed connection id={} addr={}", client.id(), client.peer());
      server_.clients().CloseSoon(client);
      return false;
    case ae::IoKind::kFailed:
      if (result.sys_errno == ENOMEM) {
        RefuseForMemory(client);
        return false;
      }
      server_.log().Verbose("Reading from client: {}", ReasonOf(client, result));
      server_.clients().CloseSoon(client);
      return false;
  }
  client.last_interaction = server_.loop().now();
  server_.stats().net_input_bytes += result.bytes;
  ++server_.stats().reads_processed;
  return true;
}

// The request that is being received cannot grow any more.
void ClientIo::RefuseForMemory(Client& client) {
  AERIS_DCHECK(!client.in_batch);
  server_.log().Warning("No memory for the request of client id={} addr={}, {} bytes so far.",
                        client.id(), client.peer(), client.unparsed_bytes());
  client.parser().Release();
  client.query().Release();
  client.reply().set_muted(false);
  client.reply().Error(err::kOutOfMemory);
  client.close_after_reply = true;
  server_.clients().QueueWrite(client);
}

ae::IoResult ClientIo::ReadToQuery(Client& client) {
  // Bytes of an argument must not overtake those of its block.
  if (client.parser().block_missing() > 0) {
    return {.kind = ae::IoKind::kFailed, .sys_errno = ENOMEM};
  }
  const std::uint64_t expected = client.parser().bulk_bytes_expected();
  std::span<char> room = client.query().Reserve(kReadBytesMin, expected);
  if (room.empty()) return {.kind = ae::IoKind::kFailed, .sys_errno = ENOMEM};
  // The room may be what a big argument has left; small requests do not get all of it in one turn.
  const std::size_t bytes_max = static_cast<std::size_t>(
      std::clamp<std::uint64_t>(expected, kReadBytesMax, kBigArgumentReadBytesMax));
  if (room.size() > bytes_max) room = room.first(bytes_max);
  const ae::IoResult result = client.tls ? client.tls->Read(room) : ae::Read(client.fd(), room);
  if (result.kind == ae::IoKind::kDone) client.query().Commit(result.bytes);
  return result;
}

// To where the value will stay; what follows the argument goes to the query buffer as usual.
ae::IoResult ClientIo::ReadToBlock(Client& client, std::span<char> block) {
  if (block.size() > kBigArgumentReadBytesMax) block = block.first(kBigArgumentReadBytesMax);
  const bool to_the_end = block.size() == client.parser().block_missing();
  std::array<iovec, 2> pieces{{{block.data(), block.size()}, {nullptr, 0}}};
  if (to_the_end) {
    const std::span<char> behind = client.query().Reserve(kReadBytesMin);
    pieces[1] = {behind.data(), std::min(behind.size(), kReadBytesMax)};
  }
  const ae::IoResult result =
      client.tls ? client.tls->ReadV(pieces) : ae::ReadV(client.fd(), pieces);
  if (result.kind != ae::IoKind::kDone) return result;
  const std::size_t to_block = std::min(result.bytes, block.size());
  client.parser().CommitBlock(to_block);
  if (to_the_end) client.query().Commit(result.bytes - to_block);
  return result;
}

void ClientIo::OpenBlock(Client& client, std::string_view bytes) {
  protocol::RequestParser& parser = client.parser();
  const std::size_t taken =
      parser.OpenBlock(std::make_unique<BlobArgument>(server_.stats().argument_bytes), bytes);
  client.query().Erase(client.parsed_bytes + parser.size(), taken);
}

bool ClientIo::ParseRequests(Client& client, std::size_t requests_max) {
  RequestBatch& batch = server_.batch();
  for (;;) {
    // Nothing of this changes before the batch runs.
    if (client.reading_stopped || client.postponed || client.blocked || client.closing ||
        client.close_after_reply) {
      return true;
    }
    const protocol::Limits limits = LimitsFor(client);
    const std::string_view all = client.query().bytes();
    do {
      if (requests_max-- == 0) return false;
      const std::string_view bytes = all.substr(client.parsed_bytes);
      if (bytes.empty()) return true;
      const bool usual = client.authenticated && !client.parser().in_request() &&
                         batch.AddUsual(client, bytes, limits);
      if (!usual && !ParseUnusual(client, bytes, limits)) return true;
    } while (!batch.empty() && !batch.full());
    if (!batch.empty()) batch.Run();
  }
}

// Goes on with a request that is split, inline, big or wrong. False when there is nothing more to
// parse.
bool ClientIo::ParseUnusual(Client& client, std::string_view bytes,
                            const protocol::Limits& limits) {
  RequestBatch& batch = server_.batch();
  protocol::RequestParser& parser = client.parser();
  const protocol::ParseStatus status = parser.Parse(bytes, limits);
  if (status == protocol::ParseStatus::kNeedMore) {
    if (parser.wants_block()) OpenBlock(client, bytes);
    return false;
  }
  if (status == protocol::ParseStatus::kError) {
    client.reading_stopped = true;
    batch.AddFault(client, parser.error());
    return false;
  }
  batch.Add(client, bytes);
  // Some arguments live in the parser; a login changes the limits of what follows it.
  const bool apart = parser.arguments_decoded() || !parser.blocks().empty();
  if (apart || !client.authenticated) batch.Run();
  parser.Reset();
  return true;
}

bool ClientIo::WriteQueued(std::size_t subscribers_max) {
  std::vector<Client*>& queue = server_.clients().write_queue();
  for (Client* client : queue) {
    client->in_write_queue = false;
    if (!client->closing) WriteReplies(*client);
  }
  queue.clear();
  std::deque<Client*>& messages = server_.clients().message_queue();
  for (; !messages.empty() && subscribers_max > 0; --subscribers_max) {
    Client& client = *messages.front();
    messages.pop_front();
    client.in_message_queue = false;
    // They may have gone with a reply meanwhile, or the socket takes nothing.
    if (!client.closing && !client.replies().empty() && !WaitsForSocket(client)) {
      WriteReplies(client);
    }
  }
  return messages.empty();
}

bool ClientIo::WantsMessagesNow(const Client& client) {
  return client.replies().size() >= kMessageBytesQueued && !WaitsForSocket(client);
}

void ClientIo::WriteReplies(Client& client) {
  protocol::ReplyBuffer& replies = client.replies();
  std::size_t written = 0;
  bool blocked = false;
  while (written < kWriteBytesPerTurn && !blocked) {
    std::array<iovec, kIovecs> pieces;
    const std::size_t count = replies.FillIovec(pieces);
    if (count == 0) break;
    const ae::IoResult result = Send(client, {pieces.data(), count});
    if (result.kind == ae::IoKind::kWouldBlock) {
      blocked = true;
    } else if (result.kind != ae::IoKind::kDone) {
      server_.log().Verbose("Error writing to client: {}", ReasonOf(client, result));
      server_.clients().CloseSoon(client);
      return;
    } else {
      replies.Consume(result.bytes);
      written += result.bytes;
    }
  }
  server_.stats().net_output_bytes += written;
  if (written > 0) {
    ++server_.stats().writes_processed;
    client.last_interaction = server_.loop().now();
  }
  const bool drained = replies.empty();
  if (!drained) replies.CopyShared();
  server_.clients().sizes().Count(client);
  if (drained && client.close_after_reply) {
    server_.clients().CloseSoon(client);
    return;
  }
  Watch(client);
}

void ClientIo::Watch(Client& client) {
  // A client that is only waited for to take its last bytes is not read any more.
  ae::Ready interest =
      client.close_after_reply || client.reading_stopped ? ae::Ready::kNone : ae::Ready::kRead;
  if (!client.replies().empty()) interest |= ae::Ready::kWrite;
  if (client.tls) interest = client.tls->Interest(interest);
  if (!client.event().SetInterest(interest)) server_.clients().CloseSoon(client);
}

void ClientIo::CutAboveOutputLimit(Client& client) {
  if (client.replies().over_limit()) [[unlikely]] {
    return CutForOutput(client, client.replies().out_of_memory() ? "no memory" : "hard");
  }
  if (!client.authenticated && client.replies().size() > kUnauthenticatedReplyBytes) [[unlikely]] {
    return CutForOutput(client, "unauthenticated");
  }
  const OutputLimit& limit = OutputLimitOf(client);
  if (limit.none()) return;
  const std::size_t held = client.replies().bytes_against_limit();
  if (limit.hard_bytes != 0 && held > limit.hard_bytes) return CutForOutput(client, "hard");
  if (limit.soft_bytes == 0 || held <= limit.soft_bytes) {
    client.over_soft_limit_since = {};
    return;
  }
  const MonotonicTime now = server_.monotonic();
  if (client.over_soft_limit_since == MonotonicTime{}) client.over_soft_limit_since = now;
  if (now - client.over_soft_limit_since > std::chrono::seconds(limit.soft_seconds)) {
    CutForOutput(client, "soft");
  }
}

bool ClientIo::NeedsOutputCheck(const Client& client) const {
  const OutputLimit& limit = OutputLimitOf(client);
  const std::size_t held = client.replies().bytes_against_limit();
  const auto above = [held](std::uint64_t bytes) { return bytes != 0 && held > bytes; };
  return above(limit.hard_bytes) || above(limit.soft_bytes) || client.replies().over_limit() ||
         client.over_soft_limit_since != MonotonicTime{};
}

void ClientIo::CutForOutput(Client& client, std::string_view which) {
  if (client.closing) return;
  server_.log().Warning(
      "Client id={} addr={} closed for overcoming of output buffer limits ({}, {} bytes unsent).",
      client.id(), client.peer(), which, client.replies().size());
  ++server_.stats().output_buffer_limit_disconnects;
  // What the kernel still holds for a client that does not read is of no use to anybody.
  (void)ae::SetLingerReset(client.fd());
  server_.clients().CloseSoon(client);
}

protocol::Limits ClientIo::LimitsFor(const Client& client) const {
  return {.bulk_bytes_max = static_cast<std::int64_t>(config_.proto_max_bulk_len),
          .args_max = protocol::kArgsMax,
          .authenticated = client.authenticated};
}

}  // namespace aeris
