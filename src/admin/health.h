// Health: whether the server is alive, and whether traffic should be sent to it.
#pragma once

#include <string>
#include <vector>

#include "src/admin/http_reply.h"

namespace aeris {

class Server;

// Why clients should go elsewhere for now, one sentence each; none: it is ready. Not ready is a
// server that refuses what a cache is for:
//   - memory is above a limit and no key may be removed, so writes are refused,
//   - CLIENT PAUSE holds clients,
//   - maxclients are connected, so new ones are refused.
// O(databases).
std::vector<std::string> ReasonsAgainstReadiness(Server& server);

// GET /healthz: 200. That it is answered says that the loop turns.
HttpReply HealthReply();
// GET /readyz: 200, or 503 with the reasons, one a line.
HttpReply ReadinessReply(Server& server);

}  // namespace aeris
