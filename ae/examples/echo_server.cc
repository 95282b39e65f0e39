// An echo server with a periodic timer: ae-echo-server [port [report interval in ms]]
#include <array>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "ae/listener.h"
#include "ae/poller_factory.h"
#include "ae/signals.h"

using namespace aeris;      // NOLINT(google-build-using-namespace)
using namespace aeris::ae;  // NOLINT(google-build-using-namespace)

// Reads nothing while bytes wait to be sent, so one buffer bounds its memory.
struct Connection final : FileHandler {
  Connection(UniqueFd from, std::map<int, Connection>& others) : fd(std::move(from)), all(others) {}
  void OnReady(Ready) override {
    if (unsent.empty()) {
      const IoResult got = Read(fd.get(), buffer);
      if (got.kind == IoKind::kWouldBlock) return;
      if (got.kind != IoKind::kDone) return End();
      unsent = std::span(buffer).first(got.bytes);
    }
    const IoResult sent = Write(fd.get(), unsent);
    if (sent.kind == IoKind::kFailed) return End();
    unsent = unsent.subspan(sent.bytes);
    if (!event.SetInterest(unsent.empty() ? Ready::kRead : Ready::kWrite)) End();
  }
  void End() { all.erase(fd.get()); }  // destroys this object

  UniqueFd fd;
  std::map<int, Connection>& all;
  FileEvent event;
  std::array<char, 16384> buffer;
  std::span<char> unsent;
};

int main(int argc, char** argv) {
  const int port = argc > 1 ? std::atoi(argv[1]) : 7;
  const std::chrono::milliseconds interval(argc > 2 ? std::atoi(argv[2]) : 1000);
  const SystemClock clock;
  const auto poller = MakePoller("epoll").value();
  EventLoop loop({.poller = *poller, .clock = clock, .fds_max = 1024});
  auto fd = ListenTcp({.address = "127.0.0.1", .port = static_cast<std::uint16_t>(port)}).value();
  std::fprintf(stderr, "port %d\n", LocalPort(fd.get()));
  std::map<int, Connection> all;
  const auto listener = Listener::Create(loop, std::move(fd), {}, [&](UniqueFd client, auto) {
    Connection& added = all.try_emplace(client.get(), std::move(client), all).first->second;
    auto event = loop.Watch(added.fd.get(), Ready::kRead, added);
    if (event) added.event = std::move(*event);
    if (!event) added.End();
  });
  const auto stop = SignalEvent::Create(loop, {{SIGINT, SIGTERM}}, [&](int, int) { loop.Stop(); });
  const TimeEvent report = loop.AddTimeEvent(interval, [&] {
    std::fprintf(stderr, "connections %zu\n", all.size());
    return interval;
  });
  loop.Run();
}
