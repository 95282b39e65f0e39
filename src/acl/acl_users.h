// AclUsers: the users of the server.
#pragma once

namespace aeris {

class Server;

class AclUsers {
 public:
  explicit AclUsers(Server& server) : server_(server) {}

 private:
  [[maybe_unused]] Server& server_;
};

}  // namespace aeris
