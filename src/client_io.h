// ClientIo: bytes between sockets and clients. Reads what is there, parses whole requests into the
// batch, writes replies once per turn, and keeps both directions within their limits.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "ae/socket.h"
#include "protocol/buffer_pool.h"
#include "protocol/limits.h"
#include "src/client.h"
#include "src/config.h"

namespace aeris {

class Server;

class ClientIo final : public ClientEvents {
 public:
  explicit ClientIo(Server& server);

  void OnClientReady(Client& client, ae::Ready ready) override;
  // Parses what client.query() holds; whole requests go to the batch, which runs when it is full.
  // False when it stopped at `requests_max`, and more may be there.
  bool ParseRequests(Client& client, std::size_t requests_max);
  // Writes the replies of this turn, one write(2) per client where the socket takes it, and
  // messages to at most so many subscribers. False when messages are left for the next turn.
  bool WriteQueued(std::size_t subscribers_max);
  // Messages to a subscriber have become so many that they should not wait any longer.
  static bool WantsMessagesNow(const Client& client);
  void WriteMessages(Client& client) { WriteReplies(client); }
  // Cuts a client whose requests that have been received and not run, those of a transaction among
  // them, are over client-query-buffer-limit.
  void EnforceQueryLimit(Client& client);
  const OutputLimit& OutputLimitOf(const Client& client) const {
    return config_.output_limit(client.subscriptions ? OutputLimitClass::kPubsub
                                                     : OutputLimitClass::kNormal);
  }
  // Cuts a client whose unsent replies are over its limit: at once beyond the hard one, after its
  // seconds beyond the soft one. After every command, so one without limits costs three loads.
  [[gnu::always_inline]] inline void EnforceOutputLimit(Client& client) {
    const bool limited = !OutputLimitOf(client).none() || !client.authenticated;
    if (limited || client.replies().over_limit()) [[unlikely]]
      CutAboveOutputLimit(client);
  }
  // Whether EnforceOutputLimit() may have something to do.
  bool NeedsOutputCheck(const Client& client) const;
  // Bytes of unsent replies at which a command is stopped in the middle of its reply.
  std::size_t ReplyBytesMax(const Client& client) const {
    const std::uint64_t hard = OutputLimitOf(client).hard_bytes;
    return hard == 0 ? SIZE_MAX : std::max<std::size_t>(hard, protocol::BufferPool::kBlockBytes);
  }

 private:
  void OnTlsReady(Client& client, ae::Ready ready);
  void ReadRequests(Client& client);
  // One read(2). False when nothing came; the client may be closing then.
  bool ReadBytes(Client& client);
  void RefuseForMemory(Client& client);
  ae::IoResult ReadToBlock(Client& client, std::span<char> block);
  ae::IoResult ReadToQuery(Client& client);
  bool ParseUnusual(Client& client, std::string_view bytes, const protocol::Limits& limits);
  void OpenBlock(Client& client, std::string_view bytes);
  void WriteReplies(Client& client);
  // For what there is to do with it now.
  void Watch(Client& client);
  protocol::Limits LimitsFor(const Client& client) const;
  void CutAboveOutputLimit(Client& client);
  void CutForOutput(Client& client, std::string_view which);

  Server& server_;
  const Config& config_;
};

}  // namespace aeris
