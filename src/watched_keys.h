// WatchedKeys: keys that clients watch until EXEC.
#pragma once

#include <cstddef>
#include <string_view>

namespace aeris {

class Server;

class Watch {};

class WatchedKeys {
 public:
  explicit WatchedKeys(Server& server) : server_(server) {}
  // The key was changed, removed, or has expired.
  void Touch(std::size_t /*database*/, std::string_view /*key*/) {}

 private:
  [[maybe_unused]] Server& server_;
};

}  // namespace aeris
