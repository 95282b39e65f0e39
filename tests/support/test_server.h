// A whole server inside the test: real sockets, a clock that stands still, turns when the test says
// so. Clients are raw sockets, so a test decides which bytes arrive together.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "src/base/check.h"
#include "src/config_table.h"
#include "src/server.h"
#include "tests/support/manual_clock.h"

namespace aeris::testing {

class TestServer {
 public:
  explicit TestServer(const std::function<void(Config&)>& configure = nullptr) {
    std::string folder = "/tmp/aeris-server-test-XXXXXX";
    AERIS_CHECK(mkdtemp(folder.data()) != nullptr);
    folder_ = folder;
    config_.port = 0;
    config_.unixsocket = folder + "/socket";
    config_.event_poller = EventPoller::kPoll;
    config_.enable_debug_command = Permission::kYes;
    if (configure) configure(config_);
    Log::Options quiet;
    quiet.standard_output = false;
    AERIS_CHECK(log_.Open(quiet).has_value());
    auto server = Server::Create(
        {.config = table_, .log = log_, .clock = clock_, .config_file = "", .executable = ""});
    AERIS_CHECK(server.has_value());
    server_ = std::move(*server);
    Settle();
  }
  ~TestServer() {
    server_.reset();
    std::filesystem::remove_all(folder_);
  }

  Server& operator*() { return *server_; }
  Server* operator->() { return server_.get(); }
  Config& config() { return config_; }
  ManualClock& clock() { return clock_; }
  const std::string& socket_path() const { return config_.unixsocket; }

  std::size_t Turn() { return server_->RunTurn(std::chrono::milliseconds(0)); }
  // Turns until nothing is left to do. A reply is written in the turn after its request was read,
  // so one idle turn is not the end.
  void Settle() {
    for (int idle = 0; idle < 2;) idle = Turn() == 0 ? idle + 1 : 0;
  }
  void Advance(std::chrono::milliseconds by) {
    clock_.Advance(by);
    Settle();
  }

 private:
  std::string folder_;
  ManualClock clock_;
  Log log_;
  Config config_;
  ConfigTable table_{config_};
  std::unique_ptr<Server> server_;
};

class TestClient {
 public:
  explicit TestClient(TestServer& server) : server_(server) {
    fd_ = UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    AERIS_CHECK(server.socket_path().size() < sizeof address.sun_path);
    server.socket_path().copy(address.sun_path, server.socket_path().size());
    AERIS_CHECK(::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) ==
                0);
    id_ = server->clients().next_id();
    server.Settle();
  }

  // Of the server, if it has accepted the connection.
  std::uint64_t id() const { return id_; }
  // The server's side; null when it is closed.
  Client* peer() { return server_->clients().Find(id_); }

  // Gives bytes to the kernel; the server reads them in its next turns. What does not fit is given
  // after turns. False when the server has closed the connection.
  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN) return false;
      if (sent < 0) {
        server_.Settle();
      } else {
        bytes.remove_prefix(static_cast<std::size_t>(sent));
      }
    }
    return true;
  }
  void Close() { fd_ = UniqueFd(); }
  void ShutDownWriting() { ::shutdown(fd_.get(), SHUT_WR); }

  // All that the server sends until it has nothing to do.
  std::string Receive() {
    std::string received;
    for (bool more = true; more;) {
      server_.Settle();
      more = false;
      for (ssize_t got; (got = ::recv(fd_.get(), bytes_.data(), bytes_.size(), 0)) != 0;) {
        if (got < 0) {
          if (errno != EAGAIN) closed_ = true;
          break;
        }
        received.append(bytes_.data(), static_cast<std::size_t>(got));
        more = true;
      }
      if (!more && !closed_) closed_ = ::recv(fd_.get(), bytes_.data(), 1, MSG_PEEK) == 0;
    }
    return received;
  }
  // At most `bytes_max` bytes of what is there.
  std::string ReceiveSome(std::size_t bytes_max) {
    std::string received(bytes_max, ' ');
    std::size_t size = 0;
    while (size < bytes_max) {
      const ssize_t got = ::recv(fd_.get(), received.data() + size, bytes_max - size, 0);
      if (got <= 0) break;
      size += static_cast<std::size_t>(got);
    }
    received.resize(size);
    return received;
  }
  // The same without an allocation: how many bytes were put into `bytes`.
  std::size_t ReceiveSome(std::span<char> bytes) {
    const ssize_t got = ::recv(fd_.get(), bytes.data(), bytes.size(), 0);
    return got < 0 ? 0 : static_cast<std::size_t>(got);
  }
  std::string Talk(std::string_view bytes) {
    Send(bytes);
    return Receive();
  }
  // The server has closed the connection, and Receive() has come to its end.
  bool closed() const { return closed_; }

 private:
  TestServer& server_;
  UniqueFd fd_;
  std::uint64_t id_;
  bool closed_ = false;
  std::array<char, 65536> bytes_;
};

inline std::string Bulk(std::string_view text) {
  return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
}

inline std::string Repeat(std::string_view text, std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

// A multibulk request.
inline std::string Request(std::initializer_list<std::string_view> arguments) {
  std::string bytes = "*" + std::to_string(arguments.size()) + "\r\n";
  for (const std::string_view argument : arguments) {
    bytes += "$" + std::to_string(argument.size()) + "\r\n";
    bytes += argument;
    bytes += "\r\n";
  }
  return bytes;
}

}  // namespace aeris::testing
