// What the loop itself costs per event, and a whole turn over each poller.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "ae/event_loop.h"
#include "ae/poller_factory.h"
#include "src/base/random.h"
#include "tests/ae/socket_pair.h"

namespace aeris::ae {
namespace {

constexpr int kFds = 10'000;
constexpr std::uint64_t kSeed = 1;

// Reports the same descriptors in every wait, at no cost but the copy.
class RepeatingPoller final : public Poller {
 public:
  explicit RepeatingPoller(std::vector<Fired> fired) : fired_(std::move(fired)) {}
  std::expected<void, Error> Add(int, Ready) override { return {}; }
  std::expected<void, Error> Change(int, Ready) override { return {}; }
  void Remove(int) override {}
  void Wait(std::chrono::milliseconds, std::vector<Fired>& fired) override { fired = fired_; }
  std::string_view name() const override { return "repeating"; }

 private:
  std::vector<Fired> fired_;
};

std::vector<Fired> DrawFired(std::int64_t count) {
  Random random(kSeed);
  std::vector<Fired> fired;
  for (std::int64_t i = 0; i < count; ++i) {
    fired.push_back({static_cast<int>(random.Below(kFds)), Ready::kRead});
  }
  return fired;
}

struct Counter final : FileHandler {
  void OnReady(Ready) override { ++count; }
  std::size_t count = 0;
};

void DispatchByTable(benchmark::State& state) {
  const SystemClock clock;
  RepeatingPoller poller(DrawFired(state.range(0)));
  EventLoop loop({.poller = poller, .clock = clock, .fds_max = kFds});
  std::vector<Counter> handlers(kFds);
  std::vector<FileEvent> events;
  for (int fd = 0; fd < kFds; ++fd) {
    events.push_back(
        std::move(*loop.Watch(fd, Ready::kRead, handlers[static_cast<std::size_t>(fd)])));
  }
  for (auto _ : state) loop.RunOnce(std::chrono::milliseconds(0));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(DispatchByTable)->Arg(1)->Arg(10)->Arg(1000);

// The usual alternative: handlers as functions in a hash table. Without the safety of the loop.
void DispatchByHash(benchmark::State& state) {
  const SystemClock clock;
  RepeatingPoller poller(DrawFired(state.range(0)));
  std::vector<Counter> handlers(kFds);
  std::unordered_map<int, std::function<void(Ready)>> by_fd;
  for (int fd = 0; fd < kFds; ++fd) {
    Counter* const handler = &handlers[static_cast<std::size_t>(fd)];
    by_fd[fd] = [handler](Ready ready) { handler->OnReady(ready); };
  }
  std::vector<Fired> fired;
  for (auto _ : state) {
    poller.Wait(kForever, fired);
    benchmark::DoNotOptimize(clock.Monotonic());
    for (const Fired& one : fired) by_fd.find(one.fd)->second(one.ready);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(DispatchByHash)->Arg(1)->Arg(10)->Arg(1000);

// A real turn: one byte is ready on one of 100 connections, read by its handler.
void Turn(benchmark::State& state, const char* name) {
  const SystemClock clock;
  const auto poller = MakePoller(name).value();
  EventLoop loop({.poller = *poller, .clock = clock, .fds_max = kFds});
  struct Reader final : FileHandler {
    void OnReady(Ready) override {
      char byte = 0;
      benchmark::DoNotOptimize(::read(pair.first.get(), &byte, 1));
    }
    testing::FdPair pair = testing::MakeSocketPair();
    FileEvent event;
  };
  std::vector<Reader> readers(100);
  for (Reader& reader : readers) {
    reader.event = *loop.Watch(reader.pair.first.get(), Ready::kRead, reader);
  }
  Random random(kSeed);
  for (auto _ : state) {
    testing::Put(readers[random.Below(readers.size())].pair.second, "x");
    loop.RunOnce(kForever);
  }
}
BENCHMARK_CAPTURE(Turn, epoll, "epoll");
BENCHMARK_CAPTURE(Turn, poll, "poll");
BENCHMARK_CAPTURE(Turn, select, "select");

void ArmAndCancelTimer(benchmark::State& state) {
  const SystemClock clock;
  RepeatingPoller poller({});
  EventLoop loop({.poller = poller, .clock = clock, .fds_max = kFds});
  for (auto _ : state) {
    const TimeEvent timer =
        loop.AddTimeEvent(std::chrono::seconds(10), [] { return std::nullopt; });
  }
}
BENCHMARK(ArmAndCancelTimer);

}  // namespace
}  // namespace aeris::ae
