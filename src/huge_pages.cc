#include "src/huge_pages.h"

#include <sched.h>
#include <time.h>

#include <optional>
#include <utility>

#include "src/databases.h"
#include "src/memory_info.h"
#include "storage/huge_page.h"

namespace aeris {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

// One takes its place in 0.2 to 0.4 ms.
constexpr milliseconds kEvery{50};
// After one that the kernel did not make: it has none, or does not know how.
constexpr milliseconds kAgainAfter{10'000};

struct Made {
  storage::HugePage page;
  std::int64_t thread_net_bytes = 0;
};

// Of the calling thread.
nanoseconds CpuTime() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + nanoseconds(time.tv_nsec);
}

// That the process may run on now; many when the kernel does not say.
int Cores() {
  cpu_set_t cores;
  return sched_getaffinity(0, sizeof(cores), &cores) == 0 ? CPU_COUNT(&cores) : CPU_SETSIZE;
}

}  // namespace

std::expected<void, Error> HugePages::Start(ae::EventLoop& loop) {
  auto worker = ae::Worker::Create(loop, "hugepages", ae::Worker::Priority::kIdle);
  if (!worker) return std::unexpected(worker.error());
  worker_ = std::move(*worker);
  steps_ = loop.AddTimeEvent(kEvery, [this] { return std::optional(Step()); });
  return {};
}

void HugePages::Stop() {
  steps_ = {};
  worker_.reset();
}

// A page is made by the thread, and takes its place in a later turn: what wanted it may have
// changed its mind by then.
milliseconds HugePages::Step() {
  const bool has_time = LoopHasTime();
  if (making_) return kEvery;
  if (!std::exchange(possible_, true)) return kAgainAfter;
  if (!has_time || databases_.ThatWantsHugePage() == nullptr) return kEvery;
  making_ = true;
  // Of the job and of its completion, which runs after it.
  auto made = std::make_shared<Made>();
  worker_->Submit(
      [made] {
        made->page = storage::HugePage::Make();
        made->thread_net_bytes = ThreadAllocation().net_bytes();
      },
      [this, made] {
        making_ = false;
        thread_net_bytes_ = made->thread_net_bytes;
        possible_ = static_cast<bool>(made->page);
        storage::Keyspace* const keyspace = databases_.ThatWantsHugePage();
        if (!possible_ || keyspace == nullptr) return;
        possible_ = keyspace->TakeHugePage(std::move(made->page));
      });
  return kEvery;
}

bool HugePages::LoopHasTime() {
  const nanoseconds cpu_time = CpuTime();
  const MonotonicTime now = std::chrono::steady_clock::now();
  const nanoseconds busy = cpu_time - std::exchange(cpu_time_, cpu_time);
  const nanoseconds passed = now - std::exchange(time_, now);
  return MayTakeTime(busy, passed, Cores());
}

}  // namespace aeris
