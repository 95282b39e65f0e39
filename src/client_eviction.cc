#include "src/client_eviction.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "src/client_list.h"
#include "src/server.h"

namespace aeris {

std::size_t ClientMemoryLimit(const Config& config) {
  constexpr std::size_t kLimitMin = std::size_t{128} << 10;
  if (config.maxmemory_clients > 0) {
    return std::max(kLimitMin, static_cast<std::size_t>(config.maxmemory_clients));
  }
  if (config.maxmemory_clients == 0 || config.maxmemory == 0) return 0;
  const double share = static_cast<double>(-config.maxmemory_clients) / 100;
  return std::max(kLimitMin,
                  static_cast<std::size_t>(static_cast<double>(config.maxmemory) * share));
}

void ClientEviction::OnConfigChange() {
  limit_ = ClientMemoryLimit(server_.config());
  ClientSizes& sizes = server_.clients().sizes();
  if (limited() == sizes.on()) return;
  if (limited()) {
    sizes.Start();
    server_.clients().ForEach([&](Client& client) { sizes.Count(client); });
  } else {
    server_.clients().ForEach([&](Client& client) { sizes.Remove(client); });
    sizes.Stop();
  }
}

void ClientEviction::Enforce() {
  const ClientSizes& sizes = server_.clients().sizes();
  while (limited() && sizes.bytes() > limit_) {
    Client* const client = sizes.Largest();
    if (client == nullptr) return;  // the others said NO-EVICT
    std::string line;
    AppendClientLine(line, *client, server_.monotonic());
    server_.log().Notice("Evicting client: {}", std::string_view(line).substr(0, line.size() - 1));
    ++server_.stats().evicted_clients;
    server_.clients().CloseSoon(*client);
    // What it can do without at once; the client itself is freed between two turns.
    client->replies().Clear();
  }
}

}  // namespace aeris
