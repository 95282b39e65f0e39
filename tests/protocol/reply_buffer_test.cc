#include "protocol/reply_buffer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "src/base/random.h"

namespace aeris::protocol {
namespace {

constexpr std::size_t kBlock = BufferPool::kBlockBytes;

// Takes bytes out as a writev(2) would that stops after `bytes_max`.
std::string Send(ReplyBuffer& buffer, std::size_t bytes_max, std::size_t entries_max = 64) {
  std::vector<iovec> entries(entries_max);
  const std::size_t filled = buffer.FillIovec(entries);
  std::string sent;
  for (std::size_t i = 0; i < filled; ++i) {
    EXPECT_GT(entries[i].iov_len, 0U);
    sent.append(static_cast<const char*>(entries[i].iov_base), entries[i].iov_len);
  }
  sent.resize(std::min(sent.size(), bytes_max));
  buffer.Consume(sent.size());
  return sent;
}

std::string SendAll(ReplyBuffer& buffer) {
  std::string all;
  for (std::string part = Send(buffer, ~std::size_t{0}); !part.empty();
       part = Send(buffer, ~std::size_t{0})) {
    all += part;
  }
  return all;
}

// A pinned value that counts its releases.
Pin PinOf(int& releases) {
  return {&releases, [](void* object) { ++*static_cast<int*>(object); }};
}

TEST(ReplyBuffer, HoldsNothingWhenDrained) {
  BufferPool pool;
  ReplyBuffer buffer(pool);
  EXPECT_EQ(buffer.memory(), 0U);
  buffer.Append("+OK\r\n");
  EXPECT_EQ(buffer.size(), 5U);
  EXPECT_EQ(buffer.memory(), kBlock);
  EXPECT_EQ(SendAll(buffer), "+OK\r\n");
  EXPECT_EQ(buffer.memory(), 0U);
  EXPECT_EQ(pool.blocks_used(), 0U);
  EXPECT_EQ(pool.blocks_free(), 1U);
}

TEST(ReplyBuffer, SendsShortRepliesAsOneRange) {
  BufferPool pool;
  ReplyBuffer buffer(pool);
  for (int i = 0; i < 100; ++i) buffer.Append("+OK\r\n");
  std::array<iovec, 4> entries;
  EXPECT_EQ(buffer.FillIovec(entries), 1U);
  EXPECT_EQ(entries[0].iov_len, 500U);
}

TEST(ReplyBuffer, GrowsInBiggerBlocks) {
  BufferPool pool;
  ReplyBuffer buffer(pool);
  std::string expected;
  for (int i = 0; i < 200000; ++i) {
    const std::string part = std::to_string(i) + ",";
    buffer.Append(part);
    expected += part;
  }
  std::array<iovec, 256> entries;
  EXPECT_LE(buffer.FillIovec(entries), 12U);
  EXPECT_LE(buffer.memory(), expected.size() + ReplyBuffer::kChunkBytesMax + 16 * 64);
  buffer.CheckInvariants();
  EXPECT_EQ(SendAll(buffer), expected);
  EXPECT_EQ(buffer.memory(), 0U);
}

TEST(ReplyBuffer, ReservesContiguousRoom) {
  BufferPool pool;
  ReplyBuffer buffer(pool);
  buffer.Append(std::string(kBlock - 10, 'x'));
  char* room = buffer.Reserve(11);
  std::fill_n(room, 11, 'y');
  buffer.Commit(5);
  EXPECT_EQ(SendAll(buffer), std::string(kBlock - 10, 'x') + "yyyyy");
  EXPECT_EQ(pool.blocks_used(), 0U);
}

TEST(ReplyBuffer, RefersToPinnedValues) {
  BufferPool pool;
  ReplyBuffer buffer(pool);
  const std::string value(100000, 'v');
  int releases = 0;
  buffer.Append("$100000\r\n");
  buffer.AppendPinned(value, PinOf(releases));
  buffer.Append("\r\n");
  EXPECT_EQ(pool.blocks_used(), 1U) << "what follows goes on in the same block";
  std::array<iovec, 4> entries;
  ASSERT_EQ(buffer.FillIovec(entries), 3U);
  EXPECT_EQ(entries[1].iov_base, value.data());
  EXPECT_GE(buffer.memory(), value.size() + kBlock);
  buffer.Consume(9 + 99999);
  EXPECT_EQ(releases, 0);
  EXPECT_EQ(buffer.size(), 3U);
  buffer.Consume(1);
  EXPECT_EQ(releases, 1);
  EXPECT_EQ(SendAll(buffer), "\r\n");
  EXPECT_EQ(pool.blocks_used(), 0U);
}

TEST(ReplyBuffer, ReleasesPinsWhenCleared) {
  BufferPool pool;
  int releases = 0;
  {
    ReplyBuffer buffer(pool);
    buffer.AppendPinned("abc", PinOf(releases));
    buffer.Append("x");
    buffer.Clear();
    EXPECT_EQ(releases, 1);
    EXPECT_EQ(buffer.size(), 0U);
    EXPECT_EQ(buffer.memory(), 0U);
    buffer.AppendPinned("", PinOf(releases));
    EXPECT_EQ(releases, 2) << "nothing to keep";
    buffer.AppendPinned("abc", PinOf(releases));
  }
  EXPECT_EQ(releases, 3);
}

TEST(ReplyBuffer, SendsNothingBeyondAnOpenHole) {
  BufferPool pool;
  ReplyBuffer buffer(pool);
  buffer.Append("before");
  const ReplyBuffer::HoleId hole = buffer.OpenHole();
  buffer.Append("after");
  EXPECT_EQ(SendAll(buffer), "before");
  EXPECT_EQ(SendAll(buffer), "");
  EXPECT_EQ(buffer.size(), 5U);
  buffer.FillHole(hole, "*1\r\n");
  EXPECT_EQ(SendAll(buffer), "*1\r\nafter");
  EXPECT_EQ(pool.blocks_used(), 0U);
  EXPECT_LT(buffer.memory(), 256U);
}

TEST(ReplyBuffer, ClosesUpAHoleOfAShortReply) {
  BufferPool pool;
  ReplyBuffer buffer(pool);
  buffer.Append("a");
  const ReplyBuffer::HoleId outer = buffer.OpenHole();
  buffer.Append("b");
  const ReplyBuffer::HoleId inner = buffer.OpenHole();
  buffer.Append("c");
  buffer.FillHole(inner, "[1]");
  buffer.Append("d");
  buffer.FillHole(outer, "[22]");
  std::array<iovec, 8> entries;
  EXPECT_EQ(buffer.FillIovec(entries), 1U);
  EXPECT_EQ(SendAll(buffer), "a[22]b[1]cd");
}

TEST(ReplyBuffer, FillsAHoleThatIsBlocksAway) {
  BufferPool pool;
  ReplyBuffer buffer(pool);
  buffer.Append("a");
  const ReplyBuffer::HoleId hole = buffer.OpenHole();
  const std::string body(5 * kBlock, 'b');
  buffer.Append(body);
  buffer.FillHole(hole, "[1]");
  buffer.CheckInvariants();
  EXPECT_EQ(SendAll(buffer), "a[1]" + body);
  EXPECT_EQ(pool.blocks_used(), 0U);
}

TEST(ReplyBuffer, IgnoresAHoleThatWasCleared) {
  BufferPool pool;
  ReplyBuffer buffer(pool);
  const ReplyBuffer::HoleId hole = buffer.OpenHole();
  buffer.Clear();
  buffer.Append("x");
  const ReplyBuffer::HoleId other = buffer.OpenHole();
  buffer.FillHole(hole, "[old]");
  buffer.FillHole(other, "[new]");
  EXPECT_EQ(SendAll(buffer), "x[new]");
}

// Against a string: appends, in-place writes, pins and nested holes on one side, short sends on the
// other, as a slow reader makes them.
class ReplyBufferModel {
 public:
  explicit ReplyBufferModel(std::uint64_t seed) : random_(seed), pool_(8), buffer_(pool_) {}

  void Step() {
    switch (random_.Below(10)) {
      case 0:
      case 1:
        AppendText(Text(random_.Below(20) == 0 ? 100000 : 200));
        break;
      case 2:
        WriteInPlace();
        break;
      case 3:
        AppendPinned();
        break;
      case 4:
        OpenHole();
        break;
      case 5:
      case 6:
        FillHole();
        break;
      case 7:
        Clear();
        break;
      default:
        SendSome();
        break;
    }
    buffer_.CheckInvariants();
    ASSERT_EQ(buffer_.size(), Model().size());
  }

  void Finish() {
    while (!holes_.empty()) FillHole();
    while (buffer_.size() > 0) SendSome();
    EXPECT_EQ(pool_.blocks_used(), 0U);
    EXPECT_EQ(pins_live_, 0);
    buffer_.CheckInvariants();
  }

  std::uint64_t bytes_sent() const { return bytes_sent_; }

 private:
  struct Part {
    std::string text;
    bool open_hole = false;
  };

  std::string Text(std::uint64_t size_max) {
    std::string text(random_.Below(size_max), '\0');
    for (char& c : text) c = static_cast<char>('a' + random_.Below(26));
    return text;
  }

  void AppendText(std::string text) {
    buffer_.Append(text);
    parts_.push_back({.text = std::move(text)});
  }

  void WriteInPlace() {
    const std::string text = Text(300) + '.';
    char* room = buffer_.Reserve(text.size() + random_.Below(300));
    std::copy(text.begin(), text.end(), room);
    buffer_.Commit(text.size());
    parts_.push_back({.text = text});
  }

  struct Value {
    std::string text;
    int* live;
  };

  void AppendPinned() {
    auto value = std::make_unique<Value>(Value{Text(5000), &pins_live_});
    ++pins_live_;
    parts_.push_back({.text = value->text});
    const std::string_view text = value->text;
    buffer_.AppendPinned(text, Pin(value.release(), [](void* object) {
                           const std::unique_ptr<Value> owned(static_cast<Value*>(object));
                           --*owned->live;
                           // What is sent after this would show.
                           std::fill(owned->text.begin(), owned->text.end(), '!');
                         }));
  }

  void OpenHole() {
    if (holes_.size() > 4) return;
    holes_.push_back(buffer_.OpenHole());
    parts_.push_back({.text = "", .open_hole = true});
  }

  void FillHole() {
    if (holes_.empty()) return;
    const std::string text = Text(ReplyBuffer::kHoleBytes - 1) + '.';
    buffer_.FillHole(holes_.back(), text);
    holes_.pop_back();
    const auto part =
        std::find_if(parts_.rbegin(), parts_.rend(), [](const Part& p) { return p.open_hole; });
    *part = {.text = text};
  }

  void Clear() {
    if (random_.Below(20) != 0) return;
    buffer_.Clear();
    parts_.clear();
    holes_.clear();
    EXPECT_EQ(pins_live_, 0);
    EXPECT_EQ(pool_.blocks_used(), 0U);
  }

  void SendSome() {
    const std::string sent = Send(buffer_, 1 + random_.Below(random_.Below(4) == 0 ? 200000 : 5000),
                                  1 + random_.Below(8));
    std::string sendable;
    for (const Part& part : parts_) {
      if (part.open_hole) break;
      sendable += part.text;
    }
    ASSERT_EQ(sent, sendable.substr(0, sent.size()));
    ASSERT_EQ(sent.empty(), sendable.empty());
    bytes_sent_ += sent.size();
    std::size_t left = sent.size();
    while (!parts_.empty() && !parts_.front().open_hole && parts_.front().text.size() <= left) {
      left -= parts_.front().text.size();
      parts_.pop_front();
    }
    if (left > 0) parts_.front().text.erase(0, left);
  }

  std::string Model() const {
    std::string all;
    for (const Part& part : parts_) all += part.text;
    return all;
  }

  Random random_;
  BufferPool pool_;
  int pins_live_ = 0;
  std::uint64_t bytes_sent_ = 0;
  std::deque<Part> parts_;
  std::vector<ReplyBuffer::HoleId> holes_;
  ReplyBuffer buffer_;  // destroyed first: its pins count into pins_live_
};

TEST(ReplyBuffer, DropsWhatIsOverItsLimitInTheMiddleOfAReply) {
  constexpr std::size_t kMax = 1'000'000;
  const std::string small(100, 'x');
  const std::string big(300'000, 'y');
  BufferPool pool;
  int releases = 0;
  ReplyBuffer buffer(pool);
  buffer.set_memory_max(kMax);
  std::size_t pinned = 0;
  const ReplyBuffer::HoleId hole = buffer.OpenHole();
  for (int i = 0; i < 30'000; ++i) {
    buffer.Append(small);
    if (i % 500 == 0) buffer.Append(big);
    if (i % 700 == 0) {
      ++pinned;
      buffer.AppendPinned(big, PinOf(releases));
    }
    const ReplyBuffer::HoleId inner = buffer.OpenHole();
    buffer.Append(":1\r\n");
    buffer.FillHole(inner, "*1\r\n");
    buffer.CheckInvariants();
    ASSERT_LE(buffer.memory(), 2 * kMax) << i;
  }
  buffer.FillHole(hole, "*1\r\n");
  EXPECT_TRUE(buffer.over_limit());
  buffer.Clear();
  buffer.CheckInvariants();
  EXPECT_EQ(static_cast<std::size_t>(releases), pinned);
}

TEST(ReplyBuffer, CountsWhatUnsentRepliesTakeBeyondOneBlock) {
  BufferPool pool;
  ReplyBuffer buffer(pool);
  const std::string text(100, 'x');
  for (std::size_t size = text.size(); size < 1'000'000; size += text.size()) {
    buffer.Append(text);
    const std::size_t counted = size <= BufferPool::kBlockBytes ? 0 : size;
    ASSERT_GE(buffer.bytes_against_limit(), counted) << size;
    ASSERT_LE(buffer.bytes_against_limit(), counted == 0 ? 0 : counted + 2048) << size;
  }
}

TEST(ReplyBuffer, ItsLimitIsOfWhatIsUnsentNotOfBlocks) {
  BufferPool pool;
  int releases = 0;
  ReplyBuffer buffer(pool);
  buffer.set_memory_max(100'000);
  // The block that holds the last of it has room for as much again.
  for (int i = 0; i < 660; ++i) buffer.Append(std::string(100, 'x'));
  ASSERT_GT(buffer.memory(), 100'000U);
  const std::string value(30'000, 'y');
  buffer.AppendPinned(value, PinOf(releases));
  EXPECT_FALSE(buffer.over_limit());
  buffer.AppendPinned(value, PinOf(releases));
  EXPECT_TRUE(buffer.over_limit());
}

TEST(ReplyBuffer, KeepsWhatIsWithinItsLimit) {
  BufferPool pool;
  ReplyBuffer buffer(pool);
  buffer.set_memory_max(1'000'000);
  const std::string text(900'000, 'x');
  buffer.Append(text);
  EXPECT_FALSE(buffer.over_limit());
  EXPECT_EQ(SendAll(buffer), text);
  buffer.Append(text);
  EXPECT_FALSE(buffer.over_limit());
  buffer.Append(text);
  EXPECT_TRUE(buffer.over_limit());
  EXPECT_EQ(SendAll(buffer), "");
}

TEST(ReplyBuffer, AgreesWithAStringUnderRandomUse) {
  std::uint64_t bytes_sent = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    ReplyBufferModel model(seed);
    for (int i = 0; i < 1000; ++i) {
      model.Step();
      if (HasFatalFailure()) return;
    }
    model.Finish();
    bytes_sent += model.bytes_sent();
  }
  EXPECT_GT(bytes_sent, 1000000U);
}

}  // namespace
}  // namespace aeris::protocol
