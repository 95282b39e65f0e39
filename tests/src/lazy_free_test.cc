#include "src/lazy_free.h"

#include <gtest/gtest.h>

#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/test_server.h"

namespace aeris {
namespace {

using testing::Request;
using testing::TestClient;
using testing::TestServer;

// Says where it was destroyed, and may hold the thread up.
class Value final : public storage::Collection {
 public:
  struct Options {
    std::size_t bytes = 0;
    std::size_t effort = 0;
    std::vector<std::thread::id>* gone = nullptr;
    std::latch* wait_for = nullptr;
  };
  explicit Value(const Options& options)
      : Collection(storage::ValueType::kSet), options_(options) {}
  ~Value() override {
    if (options_.wait_for != nullptr) options_.wait_for->wait();
    if (options_.gone != nullptr) options_.gone->push_back(std::this_thread::get_id());
  }

  storage::Encoding encoding() const override { return storage::Encoding::kHashtable; }
  std::size_t size() const override { return 1; }
  std::size_t memory_bytes() const override { return options_.bytes; }
  std::size_t mapped_bytes() const override { return options_.bytes / 2; }
  std::size_t FreeEffort() const override { return options_.effort; }
  std::unique_ptr<Collection> Clone() const override { return nullptr; }
  void CheckInvariants() const override {}

 private:
  Options options_;
};

// The helper thread may take its time.
void WaitUntilFreed(TestServer& server) {
  while (server->stats().lazyfree_pending != 0) {
    std::this_thread::yield();
    server.Settle();
  }
}

TEST(LazyFree, ManyThatWaitAreDestroyedByTheLoopInSteps) {
  constexpr std::size_t kBytes = LazyFree::kWaitingBytesMax / 4;
  TestServer server;
  LazyFree& lazy_free = server->lazy_free();
  std::latch go(1);
  std::vector<std::thread::id> gone;
  const auto dispose = [&](std::size_t effort) {
    lazy_free.Dispose(
        std::make_unique<Value>(Value::Options{.bytes = kBytes, .effort = effort, .gone = &gone}));
  };
  // The thread is busy with this one for long.
  lazy_free.Dispose(std::make_unique<Value>(Value::Options{.bytes = kBytes, .wait_for = &go}));
  lazy_free.BeginTurn();
  for (int i = 0; i < 4; ++i) dispose(100);
  EXPECT_EQ(gone.size(), 0U);
  EXPECT_GT(lazy_free.waiting_bytes(), LazyFree::kWaitingBytesMax);
  const std::size_t waiting = lazy_free.waiting_bytes();
  // What is beyond is destroyed here, as much as a step takes.
  dispose(LazyFree::kWorkPerTurn / 2);
  dispose(LazyFree::kWorkPerTurn / 2);
  EXPECT_EQ(gone, std::vector(2, std::this_thread::get_id()));
  EXPECT_EQ(lazy_free.waiting_bytes(), waiting);
  dispose(100);
  EXPECT_EQ(gone.size(), 2U);
  lazy_free.BeginTurn();
  dispose(100);
  EXPECT_EQ(gone.size(), 3U);
  // And what is too large for one goes to the thread.
  dispose(LazyFree::kWorkPerTurn + 1);
  EXPECT_EQ(gone.size(), 3U);
  EXPECT_EQ(lazy_free.waiting_bytes(), waiting + 2 * kBytes);
  go.count_down();
  WaitUntilFreed(server);
  EXPECT_EQ(lazy_free.waiting_bytes(), 0U);
  EXPECT_EQ(lazy_free.pending_bytes(), 0U);
  EXPECT_EQ(gone.size(), 9U);
  dispose(100);
  WaitUntilFreed(server);
  EXPECT_NE(gone.back(), std::this_thread::get_id());
}

// As DEL frees it, when the reply that held it has been sent.
TEST(LazyFree, ALargeStringThatAReplyHeldIsFreedByTheThread) {
  TestServer server;
  TestClient client(server);
  TestClient reader(server);
  for (const std::size_t size : {std::size_t{100'000}, std::size_t{8} << 20}) {
    const std::string value(size, 'v');
    client.Talk(Request({"SET", "key", value}));
    reader.Send(Request({"GET", "key"}));
    server.Turn();
    server.Turn();
    EXPECT_EQ(client.Talk(Request({"DEL", "key"})), ":1\r\n");
    WaitUntilFreed(server);
    const std::uint64_t before = server->stats().lazyfreed_objects;
    EXPECT_EQ(reader.Receive(), "$" + std::to_string(size) + "\r\n" + value + "\r\n");
    WaitUntilFreed(server);
    const bool large = size >= std::size_t{1} << 20;
    EXPECT_EQ(server->stats().lazyfreed_objects - before, large ? 1U : 0U);
  }
}

}  // namespace
}  // namespace aeris
