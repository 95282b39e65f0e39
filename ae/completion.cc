#include "ae/completion.h"

#include <sched.h>
#include <signal.h>

#include <cstddef>
#include <cstdlib>
#include <utility>

#include "src/base/check.h"

namespace aeris::ae {
namespace {

// Completions a turn, so that a thousand finished jobs do not hold up the clients.
constexpr std::size_t kDonesPerTurnMax = 256;

}  // namespace

std::expected<std::unique_ptr<Worker>, Error> Worker::Create(EventLoop& loop, std::string name,
                                                             Priority priority) {
  std::unique_ptr<Worker> worker(new Worker);
  auto wakeup = Wakeup::Create(loop, [raw = worker.get()] { raw->RunDones(kDonesPerTurnMax); });
  if (!wakeup) return std::unexpected(std::move(wakeup.error()));
  worker->wakeup_ = std::move(*wakeup);

  // The new thread inherits the mask: signals are for the loop's thread.
  sigset_t all;
  sigset_t old;
  sigfillset(&all);
  AERIS_CHECK(pthread_sigmask(SIG_SETMASK, &all, &old) == 0);
  const int failure = pthread_create(&worker->thread_, nullptr, &Worker::ThreadMain, worker.get());
  AERIS_CHECK(pthread_sigmask(SIG_SETMASK, &old, nullptr) == 0);
  if (failure != 0) {
    return std::unexpected(Error::System("cannot start the thread '" + name + "'", failure));
  }
  worker->started_ = true;
  worker->has_heap_.wait(false, std::memory_order_acquire);
  if (name.size() > 15) name.resize(15);
  // Never to take the core from the thread that wakes it: that would stop the loop, in the middle
  // of the command that gave the job, for what the job takes. May fail unseen.
  const sched_param no_priority{};
  pthread_setschedparam(worker->thread_, priority == Priority::kIdle ? SCHED_IDLE : SCHED_BATCH,
                        &no_priority);
  pthread_setname_np(worker->thread_, name.c_str());  // for ps and debuggers; may fail unseen
  return worker;
}

Worker::~Worker() {
  if (!started_) return;
  Push({});
  AERIS_CHECK(pthread_join(thread_, nullptr) == 0);
  while (RunDones(kDonesPerTurnMax)) {
  }
}

void Worker::Submit(std::move_only_function<void()> work,
                    std::move_only_function<void()> done_on_loop) {
  AERIS_DCHECK(work != nullptr);
  submitted_.fetch_add(1, std::memory_order_relaxed);
  Push({std::move(work), std::move(done_on_loop)});
}

void Worker::Push(Job job) {
  jobs_.Push(std::move(job));
  queued_.fetch_add(1, std::memory_order_release);
  queued_.notify_one();
}

void* Worker::ThreadMain(void* worker_of_thread) {
  auto* const worker = static_cast<Worker*>(worker_of_thread);
  // A thread's first allocation makes its cache and its arena, for which jemalloc takes it that
  // there is memory. The first job may be to free what has filled all of it.
  void* memory = std::malloc(1);
  // Or the compiler would leave out both calls.
  asm volatile("" : "+r"(memory));
  std::free(memory);
  worker->has_heap_.store(true, std::memory_order_release);
  worker->has_heap_.notify_one();
  worker->RunJobs();
  return nullptr;
}

// `seen` is read before the queue is: a job pushed after an empty Pop has changed queued_, so the
// wait returns at once.
void Worker::RunJobs() {
  for (;;) {
    const std::uint32_t seen = queued_.load(std::memory_order_acquire);
    std::optional<Job> job = jobs_.Pop();
    if (!job) {
      queued_.wait(seen, std::memory_order_acquire);
      continue;
    }
    if (!job->work) return;
    job->work();
    job->work = nullptr;  // what it holds is freed here, not on the loop
    finished_.fetch_add(1, std::memory_order_release);
    if (!job->done) continue;
    dones_.Push(std::move(job->done));
    wakeup_->Ring();
  }
}

bool Worker::RunDones(std::size_t count_max) {
  for (std::size_t i = 0; i < count_max; ++i) {
    std::optional<std::move_only_function<void()>> done = dones_.Pop();
    if (!done) return false;
    (*done)();
  }
  wakeup_->Ring();
  return true;
}

}  // namespace aeris::ae
