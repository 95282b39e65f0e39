#include "protocol/broadcast_log.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "protocol/reply_buffer.h"

namespace aeris::protocol {
namespace {

using Parts = std::vector<std::string_view>;

// What `buffer` would send, and how many pieces that is.
std::string Unsent(const ReplyBuffer& buffer, std::size_t* pieces = nullptr) {
  std::array<iovec, 64> entries;
  const std::size_t count = buffer.FillIovec(entries);
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) {
    bytes.append(static_cast<const char*>(entries[i].iov_base), entries[i].iov_len);
  }
  if (pieces != nullptr) *pieces = count;
  return bytes;
}

class SharedReplies : public ::testing::Test {
 protected:
  // A message to both clients, or to one.
  void Send(std::string_view text, bool to_b = true) {
    const BroadcastLog::Message message = log.Add(Parts{"message", "c", text});
    a.AppendShared(message.bytes, *message.block);
    if (to_b) b.AppendShared(message.bytes, *message.block);
    a.CheckInvariants();
    b.CheckInvariants();
  }
  static std::string Encoded(std::string_view text) {
    return "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$" + std::to_string(text.size()) + "\r\n" +
           std::string(text) + "\r\n";
  }

  BufferPool pool;
  BroadcastLog log{2};
  ReplyBuffer a{pool};
  ReplyBuffer b{pool};
};

TEST(BroadcastLog, EncodesArraysAndPushes) {
  BroadcastLog arrays(2), pushes(3);
  EXPECT_EQ(arrays.memory(), 0U);
  EXPECT_EQ(arrays.Add(Parts{"message", "", "x\r\ny"}).bytes,
            "*3\r\n$7\r\nmessage\r\n$0\r\n\r\n$4\r\nx\r\ny\r\n");
  EXPECT_EQ(pushes.Add(Parts{"pmessage", "p*", "p1", "x"}).bytes,
            ">4\r\n$8\r\npmessage\r\n$2\r\np*\r\n$2\r\np1\r\n$1\r\nx\r\n");
}

TEST(BroadcastLog, WritesItsBlockAnewWhenNobodyRefersToIt) {
  BroadcastLog log(2);
  const char* const first = log.Add(Parts{"one"}).bytes.data();
  for (int i = 0; i < 10000; ++i) EXPECT_EQ(log.Add(Parts{"more"}).bytes.data(), first);
  EXPECT_EQ(log.memory(), BroadcastLog::kBlockBytes);
}

TEST(BroadcastLog, KeepsNoLargeBlock) {
  BroadcastLog log(2);
  const std::string large(1 << 20, 'x');
  EXPECT_EQ(log.Add(Parts{large}).bytes.size(), large.size() + 4 + 10 + 2);
  log.Add(Parts{"small"});
  EXPECT_EQ(log.memory(), BroadcastLog::kBlockBytes);
}

TEST_F(SharedReplies, AreOneRangeInMemoryThatIsNotTheClients) {
  std::string all;
  for (int i = 0; i < 100; ++i) {
    Send(std::to_string(i));
    all += Encoded(std::to_string(i));
  }
  std::size_t pieces = 0;
  EXPECT_EQ(Unsent(a, &pieces), all);
  EXPECT_EQ(pieces, 1U);
  EXPECT_EQ(Unsent(b), all);
  EXPECT_EQ(pool.blocks_used(), 0U);
  EXPECT_GE(a.memory(), all.size());  // it counts as if it were the client's own
  a.Consume(all.size());
  a.CheckInvariants();
  EXPECT_EQ(Unsent(b), all);
}

TEST_F(SharedReplies, StayAsTheyWereWhileTheyAreUnsent) {
  std::string all;
  const std::string text(1000, 'x');
  for (int i = 0; i < 100; ++i) {
    Send(text, i == 0);
    all += Encoded(text);
  }
  EXPECT_EQ(Unsent(b), Encoded(text));
  EXPECT_EQ(Unsent(a), all);
}

TEST_F(SharedReplies, KeepTheirPlaceAmongOthers) {
  a.Append("+OK\r\n");
  Send("one");
  a.Append(":1\r\n");
  Send("two");
  EXPECT_EQ(Unsent(a), "+OK\r\n" + Encoded("one") + ":1\r\n" + Encoded("two"));
  EXPECT_EQ(Unsent(b), Encoded("one") + Encoded("two"));
  b.Append(":2\r\n");
  EXPECT_EQ(Unsent(b), Encoded("one") + Encoded("two") + ":2\r\n");
}

TEST_F(SharedReplies, GapsMakePiecesUpToABound) {
  std::string all;
  for (int i = 0; i < 200; ++i) {
    Send("to both");
    (void)log.Add(Parts{"message", "elsewhere", "x"});
    all += Encoded("to both");
  }
  std::size_t pieces = 0;
  EXPECT_EQ(Unsent(a, &pieces), all);
  EXPECT_LE(pieces, 20U);
}

// A client that does not read must not keep blocks alive in which it has little.
TEST_F(SharedReplies, AreCopiedForTheSlow) {
  Send("one");
  const std::size_t sent = 5;
  a.Consume(sent);
  b.Consume(b.size());
  a.CopyShared();
  a.CheckInvariants();
  // Nobody refers to the log's block now: it is written anew, and the copy does not change.
  const BroadcastLog::Message next = log.Add(Parts{"message", "c", "two"});
  EXPECT_EQ(Unsent(a), Encoded("one").substr(sent));
  a.AppendShared(next.bytes, *next.block);
  a.CheckInvariants();
  EXPECT_EQ(Unsent(a), Encoded("one").substr(sent) + Encoded("two"));
  a.Consume(a.size());
  a.Clear();
  EXPECT_EQ(a.memory(), 0U);
}

TEST_F(SharedReplies, LargeOnesAreNotCopied) {
  const std::string text(100'000, 'x');
  Send(text);
  std::array<iovec, 4> before, after;
  ASSERT_EQ(a.FillIovec(before), 1U);
  a.CopyShared();
  ASSERT_EQ(a.FillIovec(after), 1U);
  EXPECT_EQ(before[0].iov_base, after[0].iov_base);
  b.Clear();
  (void)log.Add(Parts{"next"});
  EXPECT_EQ(Unsent(a), Encoded(text));
}

TEST_F(SharedReplies, StopAtTheMemoryLimit) {
  a.set_memory_max(1000);
  for (int i = 0; i < 100; ++i) Send("message");
  EXPECT_TRUE(a.over_limit());
  EXPECT_TRUE(a.empty());
  EXPECT_FALSE(b.over_limit());
}

}  // namespace
}  // namespace aeris::protocol
