// Query buffer and parser together, as the server drives them: read what fits, parse every whole
// request, run the batch, give the block back when nothing is left.
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/query_buffer.h"
#include "protocol/request_parser.h"
#include "src/base/random.h"

namespace aeris::protocol {
namespace {

class Connection {
 public:
  explicit Connection(BufferPool& pool) : buffer_(pool) {}

  // One turn: at most `bytes_max` bytes are read from the front of `wire`.
  void Turn(std::string_view& wire, std::size_t bytes_max) {
    const std::span<char> room =
        buffer_.Reserve(BufferPool::kBlockBytes, parser_.bulk_bytes_expected());
    const std::size_t size = std::min({room.size(), wire.size(), bytes_max});
    std::memcpy(room.data(), wire.data(), size);
    buffer_.Commit(size);
    wire.remove_prefix(size);
    capacity_max_ = std::max(capacity_max_, buffer_.capacity());
    ParseBatch();
    if (!parser_.in_request()) buffer_.ReleaseIfEmpty();
  }

  const std::vector<std::vector<std::string>>& requests() const { return requests_; }
  const QueryBuffer& buffer() const { return buffer_; }
  std::size_t capacity_max() const { return capacity_max_; }

 private:
  // The views of all requests are collected before the first is looked at.
  void ParseBatch() {
    std::vector<std::string_view> arguments;
    std::vector<std::size_t> ends;
    while (parser_.Parse(buffer_.bytes(), limits_) == ParseStatus::kRequest) {
      const bool decoded = parser_.arguments_decoded();
      parser_.AppendArguments(buffer_.bytes(), arguments);
      ends.push_back(arguments.size());
      if (decoded) Run(arguments, ends);
      buffer_.Consume(parser_.size());
      parser_.Reset();
    }
    ASSERT_EQ(parser_.fault(), ParseFault::kNone);
    Run(arguments, ends);
  }

  void Run(std::vector<std::string_view>& arguments, std::vector<std::size_t>& ends) {
    std::size_t begin = 0;
    for (const std::size_t end : ends) {
      requests_.emplace_back(arguments.begin() + static_cast<std::ptrdiff_t>(begin),
                             arguments.begin() + static_cast<std::ptrdiff_t>(end));
      begin = end;
    }
    arguments.clear();
    ends.clear();
  }

  QueryBuffer buffer_;
  RequestParser parser_;
  Limits limits_;
  std::size_t capacity_max_ = 0;
  std::vector<std::vector<std::string>> requests_;
};

std::string Multibulk(const std::vector<std::string>& arguments) {
  std::string bytes = "*" + std::to_string(arguments.size()) + "\r\n";
  for (const std::string& argument : arguments) {
    bytes.append("$").append(std::to_string(argument.size())).append("\r\n");
    bytes.append(argument).append("\r\n");
  }
  return bytes;
}

TEST(Pipeline, GivesEveryRequestInOrderHoweverItArrives) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    std::string bytes;
    std::vector<std::vector<std::string>> expected;
    for (int i = 0; i < 300; ++i) {
      const std::string value(random.Below(random.Below(30) == 0 ? 120000 : 60),
                              static_cast<char>('a' + i % 26));
      switch (random.Below(6)) {
        case 0:
          bytes.append("GET key").append(std::to_string(i)).append("\n");
          expected.push_back({"GET", "key" + std::to_string(i)});
          break;
        case 1:
          bytes.append("ECHO \"x\\x41\" '").append(std::to_string(i)).append("'\r\n");
          expected.push_back({"ECHO", "xA", std::to_string(i)});
          break;
        case 2:
          bytes.append("*0\r\n");
          expected.emplace_back();
          break;
        default:
          expected.push_back({"SET", std::to_string(i), value});
          bytes += Multibulk(expected.back());
      }
    }
    BufferPool pool;
    Connection connection(pool);
    std::string_view wire = bytes;
    const std::uint64_t read_max = std::uint64_t{1} << (4 + random.Below(14));
    while (!wire.empty()) connection.Turn(wire, 1 + random.Below(read_max));
    ASSERT_EQ(connection.requests(), expected);
    EXPECT_EQ(connection.buffer().capacity(), 0U);
    EXPECT_EQ(pool.blocks_used(), 0U);
  }
}

TEST(Pipeline, ABigValueTakesItsOwnSizeAndLittleMore) {
  constexpr std::size_t kSize = 3 * 1024 * 1024;
  BufferPool pool;
  Connection connection(pool);
  const std::string bytes = Multibulk({"SET", "k", std::string(kSize, 'v')});
  std::string_view wire = bytes;
  while (!wire.empty()) connection.Turn(wire, 65536);
  ASSERT_EQ(connection.requests().size(), 1U);
  EXPECT_EQ(connection.capacity_max(), bytes.size());
  EXPECT_EQ(connection.buffer().capacity(), 0U);
}

TEST(Pipeline, HalfARequestCostsOnlyWhatArrived) {
  BufferPool pool;
  Connection connection(pool);
  const std::string bytes = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870912\r\n" + std::string(100, 'v');
  std::string_view wire = bytes;
  connection.Turn(wire, bytes.size());
  EXPECT_TRUE(connection.requests().empty());
  EXPECT_EQ(connection.capacity_max(), BufferPool::kBlockBytes);
}

}  // namespace
}  // namespace aeris::protocol
