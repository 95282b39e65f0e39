#include "storage/stream_payload.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

namespace aeris::storage {
namespace {

constexpr std::array<std::string_view, 2> kPair = {"field", "value"};

// `stream` as servers before Redis 7.0 wrote it, with a group at each of `positions`, named after
// its place among them.
std::string FirstVersion(const Stream& stream, std::initializer_list<StreamId> positions) {
  RdbWriter out;
  out.Length(stream.blocks().size());
  for (const auto& [first, block] : stream.blocks()) {
    const std::uint64_t key[] = {std::byteswap(first.ms), std::byteswap(first.seq)};
    out.Text(std::string(reinterpret_cast<const char*>(key), sizeof key));
    out.Text(block.bytes());
  }
  out.Length(stream.size());
  out.Length(stream.last_id().ms);
  out.Length(stream.last_id().seq);
  out.Length(positions.size());
  char name = '0';
  for (const StreamId position : positions) {
    out.Text(std::string(1, name++));
    out.Length(position.ms);
    out.Length(position.seq);
    out.Length(0);  // pending entries
    out.Length(0);  // consumers
  }
  return std::move(out).Take();
}

std::unique_ptr<Collection> Read(std::string_view bytes) {
  RdbReader in(bytes);
  auto read = ReadStream(in, rdb::Type::kStream);
  EXPECT_EQ(in.left(), 0u);
  return read;
}

// What redis-server 7.0.15 shows in XINFO STREAM FULL behind RESTORE of such a payload.
TEST(StreamPayloadTest, FirstVersionGetsItsCountersFromItsEntries) {
  Stream written;
  for (std::uint64_t ms = 1; ms <= 6; ++ms) {
    ASSERT_EQ(written.Append({ms, 0}, kPair, {}), Stream::AppendResult::kAdded);
  }
  ASSERT_TRUE(written.Delete({1, 0}));
  ASSERT_TRUE(written.Delete({2, 0}));
  const auto read = Read(FirstVersion(written, {{0, 0}, {2, 0}, {3, 0}, {4, 0}, {6, 0}, {7, 0}}));
  ASSERT_NE(read, nullptr);
  auto& stream = static_cast<Stream&>(*read);
  EXPECT_EQ(stream.size(), 4u);
  EXPECT_EQ(stream.entries_added(), 4u);
  EXPECT_EQ(stream.max_deleted_id(), kStreamIdMin);
  const std::int64_t entries_read[] = {0, 0, 1, kEntriesUnknown, 4, kEntriesUnknown};
  for (std::size_t i = 0; i < std::size(entries_read); ++i) {
    const StreamGroup* group = stream.FindGroup(std::to_string(i));
    ASSERT_NE(group, nullptr) << i;
    EXPECT_EQ(group->entries_read, entries_read[i]) << i;
  }
}

TEST(StreamPayloadTest, FirstVersionWithoutEntriesHasNothingRead) {
  Stream written;
  ASSERT_EQ(written.Append({5, 0}, kPair, {}), Stream::AppendResult::kAdded);
  ASSERT_TRUE(written.Delete({5, 0}));
  const auto read = Read(FirstVersion(written, {{0, 0}, {5, 0}}));
  ASSERT_NE(read, nullptr);
  auto& stream = static_cast<Stream&>(*read);
  EXPECT_EQ(stream.last_id(), (StreamId{5, 0}));
  for (const char* name : {"0", "1"}) EXPECT_EQ(stream.FindGroup(name)->entries_read, 0) << name;
}

}  // namespace
}  // namespace aeris::storage
