// Tracking: client-side caching. Which client has read which key, and whom to tell when it changes.
#pragma once

#include <cstddef>
#include <string_view>

namespace aeris {

class Server;

class ClientTracking {};

class Tracking {
 public:
  explicit Tracking(Server& server) : server_(server) {}
  // The key was changed, removed, or has expired.
  void Invalidate(std::size_t /*database*/, std::string_view /*key*/) {}

 private:
  [[maybe_unused]] Server& server_;
};

}  // namespace aeris
