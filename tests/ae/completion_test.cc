#include "ae/completion.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <atomic>
#include <functional>
#include <memory>
#include <numeric>
#include <thread>
#include <utility>
#include <vector>

#include "ae/poller_factory.h"

namespace aeris::ae {
namespace {

using std::chrono::milliseconds;

class WorkerTest : public ::testing::Test {
 protected:
  std::unique_ptr<Worker> Make() { return std::move(*Worker::Create(loop_, "test worker")); }

  SystemClock clock_;
  std::unique_ptr<Poller> poller_ = std::move(*MakePoller("epoll"));
  EventLoop loop_{{.poller = *poller_, .clock = clock_, .fds_max = 1000}};
};

// Holds the helper thread until the test opens it.
struct Gate {
  void Open() {
    open = true;
    open.notify_all();
  }
  void Pass() { open.wait(false); }
  std::atomic<bool> open = false;
};

TEST_F(WorkerTest, RunsWorkOnItsThreadAndCompletionOnTheLoops) {
  const auto worker = Make();
  std::thread::id work_thread;
  std::thread::id done_thread;
  worker->Submit([&] { work_thread = std::this_thread::get_id(); },
                 [&] { done_thread = std::this_thread::get_id(); });
  while (done_thread == std::thread::id()) loop_.RunOnce(kForever);
  EXPECT_EQ(done_thread, std::this_thread::get_id());
  EXPECT_NE(work_thread, std::this_thread::get_id());
  EXPECT_EQ(worker->pending(), 0U);
}

// The scheduler's policy for the thread of `worker`.
int PolicyOf(Worker& worker) {
  std::atomic<int> policy = -1;
  worker.Submit([&] { policy = sched_getscheduler(0); });
  while (worker.pending() != 0) std::this_thread::yield();
  return policy;
}

TEST_F(WorkerTest, DoesNotDisplaceTheLoop) {
  EXPECT_EQ(PolicyOf(*Make()), SCHED_BATCH);
  const auto idle = std::move(*Worker::Create(loop_, "idle", Worker::Priority::kIdle));
  EXPECT_EQ(PolicyOf(*idle), SCHED_IDLE);
  EXPECT_EQ(sched_getscheduler(0), SCHED_OTHER);
}

TEST_F(WorkerTest, KeepsTheOrderOfJobsAndCompletions) {
  constexpr int kJobs = 2000;
  const auto worker = Make();
  std::vector<int> worked;
  std::vector<int> done;
  for (int i = 0; i < kJobs; ++i) {
    worker->Submit([&, i] { worked.push_back(i); }, [&, i] { done.push_back(i); });
  }
  while (done.size() < kJobs) loop_.RunOnce(kForever);
  std::vector<int> expected(kJobs);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(worked, expected);
  EXPECT_EQ(done, expected);
}

TEST_F(WorkerTest, CountsWhatIsNotFinished) {
  Gate gate;
  const auto worker = Make();
  bool done = false;
  worker->Submit([&] { gate.Pass(); });
  worker->Submit([] {});
  worker->Submit([] {}, [&] { done = true; });
  EXPECT_EQ(worker->pending(), 3U);
  gate.Open();
  while (!done) loop_.RunOnce(kForever);
  EXPECT_EQ(worker->pending(), 0U);
}

// Large values are freed by destroying the closure that holds them.
TEST_F(WorkerTest, DestroysWhatAJobHoldsOnItsThread) {
  const auto worker = Make();
  std::thread::id freed_by;
  const auto note = [&freed_by](int* value) {
    freed_by = std::this_thread::get_id();
    std::default_delete<int>()(value);
  };
  bool done = false;
  worker->Submit(
      [held = std::unique_ptr<int, decltype(note)>(std::make_unique<int>(1).release(), note)] {},
      [&] { done = true; });
  while (!done) loop_.RunOnce(kForever);
  EXPECT_NE(freed_by, std::thread::id());
  EXPECT_NE(freed_by, std::this_thread::get_id());
}

TEST_F(WorkerTest, FinishesWhatWasQueuedWhenDestroyed) {
  int worked = 0;
  int done = 0;
  {
    Gate gate;
    const auto worker = Make();
    worker->Submit([&] { gate.Pass(); });
    for (int i = 0; i < 1000; ++i) worker->Submit([&] { ++worked; }, [&] { ++done; });
    gate.Open();
  }
  EXPECT_EQ(worked, 1000);
  EXPECT_EQ(done, 1000);
}

TEST_F(WorkerTest, TakesAJobFromACompletion) {
  const auto worker = Make();
  int rounds = 0;
  std::function<void()> again = [&] {
    if (++rounds < 50) worker->Submit([] {}, [&] { again(); });
  };
  again();
  while (rounds < 50) loop_.RunOnce(kForever);
  EXPECT_EQ(rounds, 50);
}

// A crowd of completions is spread over turns, so that clients get theirs in between.
TEST_F(WorkerTest, BoundsTheCompletionsOfOneTurn) {
  const auto worker = Make();
  std::size_t done = 0;
  Gate finished;
  for (int i = 0; i < 1000; ++i) worker->Submit([] {}, [&] { ++done; });
  worker->Submit([&] { finished.Open(); });
  finished.Pass();
  loop_.RunOnce(kForever);
  EXPECT_GT(done, 0U);
  EXPECT_LT(done, 1000U);
  while (done < 1000) loop_.RunOnce(kForever);
}

TEST_F(WorkerTest, StartsAndStopsWithoutWork) {
  const auto worker = Make();
  EXPECT_EQ(worker->pending(), 0U);
}

TEST(SpscQueue, PassesEveryValueInOrderBetweenTwoThreads) {
  constexpr int kValues = 20000;
  SpscQueue<std::unique_ptr<int>> queue;
  std::thread producer([&] {
    for (int i = 0; i < kValues; ++i) queue.Push(std::make_unique<int>(i));
  });
  for (int expected = 0; expected < kValues;) {
    if (auto value = queue.Pop()) {
      ASSERT_EQ(**value, expected);
      ++expected;
    } else {
      std::this_thread::yield();
    }
  }
  producer.join();
  EXPECT_FALSE(queue.Pop().has_value());
}

TEST(SpscQueue, FreesWhatIsLeft) {
  const auto held = std::make_shared<int>(1);
  {
    SpscQueue<std::shared_ptr<int>> queue;
    for (int i = 0; i < 5; ++i) queue.Push(held);
    EXPECT_TRUE(queue.Pop().has_value());
    EXPECT_EQ(held.use_count(), 5);
  }
  EXPECT_EQ(held.use_count(), 1);
}

}  // namespace
}  // namespace aeris::ae
