// One run of the comparison of pollers: an echo server on ae/ over one back end, with idle and
// active connections. Prints one line of CSV; tools/poller_comparison runs them all.
//
//   poller-comparison <epoll|poll|select> <idle connections> <active connections> <rounds>
//
// The server is a child process, so that each side has all its descriptors for itself and the CPU
// time of the server is its own. In a round every active connection sends 64 bytes, then every
// answer is read; a latency is the time from a connection's send to its answer. The idle ones are
// connected first and last, half and half, so that the active ones stand in the middle of the
// numbers that poll and select walk through.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ae/listener.h"
#include "ae/poller_factory.h"
#include "ae/socket.h"

namespace aeris {
namespace {

constexpr std::size_t kMessageBytes = 64;

[[noreturn]] void Fail(std::string_view what) {
  std::fprintf(stderr, "poller-comparison: %.*s: %s\n", static_cast<int>(what.size()), what.data(),
               std::strerror(errno));
  std::exit(1);
}

struct EchoConnection final : ae::FileHandler {
  explicit EchoConnection(UniqueFd from) : fd(std::move(from)) {}
  void OnReady(ae::Ready) override {
    std::array<char, 4096> bytes;
    const ae::IoResult got = ae::Read(fd.get(), bytes);
    if (got.kind == ae::IoKind::kWouldBlock) return;
    if (got.kind != ae::IoKind::kDone) return event.Reset();
    if (ae::Write(fd.get(), std::span(bytes).first(got.bytes)).bytes != got.bytes) event.Reset();
  }
  UniqueFd fd;
  ae::FileEvent event;
};

// Serves until it is killed.
[[noreturn]] void Serve(std::string_view poller_name, UniqueFd listen_fd) {
  const SystemClock clock;
  auto poller = ae::MakePoller(poller_name);
  if (!poller) Fail(poller.error().message);
  ae::EventLoop loop({.poller = **poller, .clock = clock, .fds_max = 100'000});
  std::vector<std::unique_ptr<EchoConnection>> connections;
  auto listener =
      ae::Listener::Create(loop, std::move(listen_fd), {}, [&](UniqueFd fd, std::string) {
        auto connection = std::make_unique<EchoConnection>(std::move(fd));
        auto event = loop.Watch(connection->fd.get(), ae::Ready::kRead, *connection);
        if (!event) Fail(event.error().message);
        connection->event = std::move(*event);
        connections.push_back(std::move(connection));
      });
  if (!listener) Fail(listener.error().message);
  for (;;) loop.RunOnce(ae::kForever);
}

UniqueFd Connect(std::uint16_t port) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) Fail("socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    Fail("connect");
  }
  // No thousands of ports in TIME_WAIT for the next run.
  if (!ae::SetTcpNoDelay(fd.get()) || !ae::SetLingerReset(fd.get())) Fail("setsockopt");
  return fd;
}

void Send(const UniqueFd& fd) {
  const std::array<char, kMessageBytes> message{};
  if (::send(fd.get(), message.data(), message.size(), 0) != static_cast<ssize_t>(message.size())) {
    Fail("send");
  }
}

void Receive(const UniqueFd& fd) {
  std::array<char, kMessageBytes> answer;
  if (::recv(fd.get(), answer.data(), answer.size(), MSG_WAITALL) !=
      static_cast<ssize_t>(answer.size())) {
    Fail("recv");
  }
}

// Connects in steps, each proven to be accepted by an answer, so that the backlog never overflows.
void ConnectMany(std::uint16_t port, std::size_t count, std::vector<UniqueFd>& connections) {
  for (std::size_t i = 0; i < count; ++i) {
    connections.push_back(Connect(port));
    if (i % 100 == 99 || i + 1 == count) {
      Send(connections.back());
      Receive(connections.back());
    }
  }
}

double CpuMicros(pid_t pid) {
  clockid_t clock_id{};
  timespec time{};
  if (::clock_getcpuclockid(pid, &clock_id) != 0 || ::clock_gettime(clock_id, &time) != 0) {
    Fail("CPU time of the server");
  }
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

void RunRounds(const std::vector<UniqueFd>& active, std::size_t rounds,
               std::vector<double>& latencies) {
  using Clock = std::chrono::steady_clock;
  std::vector<Clock::time_point> sent(active.size());
  for (std::size_t round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < active.size(); ++i) {
      sent[i] = Clock::now();
      Send(active[i]);
    }
    for (std::size_t i = 0; i < active.size(); ++i) {
      Receive(active[i]);
      latencies.push_back(
          std::chrono::duration<double, std::micro>(Clock::now() - sent[i]).count());
    }
  }
}

double Percentile(std::vector<double>& values, double fraction) {
  const auto index = static_cast<std::size_t>(fraction * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(index),
                   values.end());
  return values[index];
}

void RaiseDescriptorLimit(std::size_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) Fail("getrlimit");
  if (limit.rlim_cur >= wanted) return;
  limit.rlim_cur = wanted;
  limit.rlim_max = std::max<rlim_t>(limit.rlim_max, wanted);
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) Fail("setrlimit");
}

int Main(char** argv) {
  const std::string poller_name = argv[1];
  const auto idle_count = static_cast<std::size_t>(std::atoll(argv[2]));
  const auto active_count = static_cast<std::size_t>(std::atoll(argv[3]));
  const auto rounds = static_cast<std::size_t>(std::atoll(argv[4]));
  RaiseDescriptorLimit(idle_count + active_count + 100);

  auto listen_fd = ae::ListenTcp({.address = "127.0.0.1"});
  if (!listen_fd) Fail(listen_fd.error().message);
  const std::uint16_t port = ae::LocalPort(listen_fd->get());
  const pid_t server = ::fork();
  if (server < 0) Fail("fork");
  if (server == 0) Serve(poller_name, std::move(*listen_fd));
  listen_fd->Reset();

  std::vector<UniqueFd> idle;
  std::vector<UniqueFd> active;
  ConnectMany(port, idle_count / 2, idle);
  ConnectMany(port, active_count, active);
  ConnectMany(port, idle_count - idle_count / 2, idle);

  std::vector<double> latencies;
  latencies.reserve((rounds + rounds / 10) * active_count);
  RunRounds(active, rounds / 10, latencies);  // warms up
  latencies.clear();
  const double cpu_before = CpuMicros(server);
  RunRounds(active, rounds, latencies);
  const double cpu_micros = CpuMicros(server) - cpu_before;

  std::printf("%s,%zu,%zu,%zu,%.2f,%.2f,%.3f\n", poller_name.c_str(), idle_count, active_count,
              latencies.size(), Percentile(latencies, 0.5), Percentile(latencies, 0.99),
              cpu_micros / static_cast<double>(latencies.size()));
  idle.clear();
  active.clear();
  ::kill(server, SIGKILL);
  ::waitpid(server, nullptr, 0);
  return 0;
}

}  // namespace
}  // namespace aeris

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: poller-comparison <epoll|poll|select> <idle> <active> <rounds>\n");
    return 2;
  }
  return aeris::Main(argv);
}
