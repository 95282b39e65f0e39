#include "tools/load_generator/fan_out.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/clock.h"
#include "src/base/unique_fd.h"
#include "tools/load_generator/connection.h"
#include "tools/load_generator/load_run.h"

namespace aeris::load {
namespace {

constexpr std::string_view kChannel = "channel";
constexpr std::size_t kReadBytes = 64 * 1024;
constexpr std::size_t kDescriptorsReserved = 64;

std::string Bulk(std::string_view text) { return fmt::format("${}\r\n{}\r\n", text.size(), text); }

void RaiseDescriptorLimit(std::size_t connections) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) Fail("getrlimit", errno);
  const rlim_t wanted = connections + kDescriptorsReserved;
  if (limit.rlim_cur >= wanted) return;
  limit.rlim_cur = wanted;
  limit.rlim_max = std::max(limit.rlim_max, wanted);
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) Fail("setrlimit", errno);
}

// A connection that receives the same bytes so many times.
class Receiver {
 public:
  explicit Receiver(const Options& options) : fd_(ConnectTo(options)) {}

  int fd() const { return fd_.get(); }
  bool done() const { return bytes_left_ == 0; }
  // Whole units that are still to come.
  std::uint64_t units_left() const { return (bytes_left_ + unit_.size() - 1) / unit_.size(); }

  void Expect(std::string_view unit, std::uint64_t count) {
    unit_ = unit;
    bytes_left_ = count * unit.size();
    at_ = 0;
  }

  void Send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0) Fail("send", errno);
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  // One recv(2), with `flags`.
  void Receive(std::span<char> buffer, int flags) {
    const ssize_t got = ::recv(fd_.get(), buffer.data(), buffer.size(), flags);
    if (got == 0) Fail("the server closed a connection");
    if (got < 0 && errno != EAGAIN && errno != EINTR) Fail("recv", errno);
    if (got > 0) Take({buffer.data(), static_cast<std::size_t>(got)});
  }

 private:
  void Take(std::string_view bytes) {
    if (bytes.size() > bytes_left_) Fail("more has come than was sent");
    bytes_left_ -= bytes.size();
    while (!bytes.empty()) {
      const std::string_view rest = unit_.substr(at_, bytes.size());
      if (!bytes.starts_with(rest)) Fail("not the bytes of a message");
      bytes.remove_prefix(rest.size());
      at_ = (at_ + rest.size()) % unit_.size();
    }
  }

  UniqueFd fd_;
  std::string_view unit_ = " ";
  std::uint64_t bytes_left_ = 0;
  std::size_t at_ = 0;  // of the unit
};

class FanOut {
 public:
  explicit FanOut(const Options& options)
      : options_(options), epoll_(::epoll_create1(EPOLL_CLOEXEC)), buffer_(kReadBytes) {
    const std::string text =
        options.value.empty() ? std::string(options.value_bytes, 'v') : options.value;
    message_ = "*3\r\n" + Bulk("message") + Bulk(kChannel) + Bulk(text);
    request_ = "*3\r\n" + Bulk("PUBLISH") + Bulk(kChannel) + Bulk(text);
    reply_ = fmt::format(":{}\r\n", options.connections);
    RaiseDescriptorLimit(options.connections);
    for (std::size_t i = 0; i < options.connections; ++i) AddSubscriber();
    publisher_ = std::make_unique<Receiver>(options);
    publisher_->Expect(reply_, options.requests);
    Register(*publisher_);
  }

  FanOutResult Run() {
    const SystemClock clock;
    const double own_before = CpuSeconds(0);
    const double server_before = ServerSeconds();
    const MonotonicTime begin = clock.Monotonic();
    double seconds = 0;
    while (receiving_ > 0) {
      PublishMore();
      Poll();
      seconds = std::chrono::duration<double>(clock.Monotonic() - begin).count();
      if (seconds >= options_.timeout_seconds) FailTimeout(options_);
    }
    return {.messages = options_.requests,
            .delivered = options_.requests * options_.connections,
            .seconds = seconds,
            .own_cpu_seconds = CpuSeconds(0) - own_before,
            .server_cpu_seconds = ServerSeconds() - server_before};
  }

 private:
  double ServerSeconds() const {
    return options_.server_pid != 0 ? CpuSeconds(options_.server_pid) : 0;
  }

  void AddSubscriber() {
    const std::string confirmed = "*3\r\n" + Bulk("subscribe") + Bulk(kChannel) + ":1\r\n";
    auto subscriber = std::make_unique<Receiver>(options_);
    subscriber->Send("*2\r\n" + Bulk("SUBSCRIBE") + Bulk(kChannel));
    subscriber->Expect(confirmed, 1);
    while (!subscriber->done()) subscriber->Receive(buffer_, 0);
    subscriber->Expect(message_, options_.requests);
    Register(*subscriber);
    subscribers_.push_back(std::move(subscriber));
  }

  void Register(Receiver& receiver) {
    epoll_event event{.events = EPOLLIN, .data = {.ptr = &receiver}};
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, receiver.fd(), &event) != 0) {
      Fail("epoll_ctl", errno);
    }
    ++receiving_;
  }

  // The next batch, when all of the last one has been replied to.
  void PublishMore() {
    const std::uint64_t replied = options_.requests - publisher_->units_left();
    if (published_ > replied || published_ == options_.requests) return;
    const std::uint64_t count =
        std::min<std::uint64_t>(options_.pipeline, options_.requests - published_);
    std::string batch;
    for (std::uint64_t i = 0; i < count; ++i) batch += request_;
    publisher_->Send(batch);
    published_ += count;
  }

  void Poll() {
    std::array<epoll_event, 256> events;
    const int ready = ::epoll_wait(epoll_.get(), events.data(), events.size(), 100);
    if (ready < 0 && errno != EINTR) Fail("epoll_wait", errno);
    for (int i = 0; i < ready; ++i) {
      auto& receiver = *static_cast<Receiver*>(events[static_cast<std::size_t>(i)].data.ptr);
      receiver.Receive(buffer_, MSG_DONTWAIT);
      // Once only: nothing more comes to one that is done.
      if (receiver.done()) --receiving_;
    }
  }

  const Options& options_;
  UniqueFd epoll_;
  std::string message_, request_, reply_;
  std::vector<char> buffer_;
  std::vector<std::unique_ptr<Receiver>> subscribers_;
  std::unique_ptr<Receiver> publisher_;
  std::size_t receiving_ = 0;  // those that are not done
  std::uint64_t published_ = 0;
};

}  // namespace

FanOutResult RunFanOut(const Options& options) { return FanOut(options).Run(); }

}  // namespace aeris::load
