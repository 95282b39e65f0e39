#include "src/base/equal_bytes.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <string_view>

namespace aeris {
namespace {

constexpr std::size_t kSizeMax = 70;

// A copy in a block of exactly that size, where the address sanitizer sees what is read beyond.
class Exact {
 public:
  Exact(std::size_t size, std::size_t offset) : block_(new char[offset + size]), offset_(offset) {
    for (std::size_t i = 0; i < size; ++i) at(i) = static_cast<char>('a' + i % 26);
    size_ = size;
  }
  char& at(std::size_t i) { return block_[offset_ + i]; }
  std::string_view text() const { return {block_.get() + offset_, size_}; }

 private:
  std::unique_ptr<char[]> block_;
  std::size_t offset_;
  std::size_t size_ = 0;
};

TEST(EqualBytesTest, SeesEachByteOfEachSize) {
  for (std::size_t size = 0; size <= kSizeMax; ++size) {
    for (const std::size_t offset : {0u, 1u, 7u}) {
      Exact ours(size, offset);
      const Exact theirs(size, 3);
      ASSERT_TRUE(EqualBytes(ours.text(), theirs.text())) << size;
      for (std::size_t i = 0; i < size; ++i) {
        for (const int bit : {0, 7}) {
          const char before = ours.at(i);
          ours.at(i) = static_cast<char>(before ^ (1 << bit));
          ASSERT_FALSE(EqualBytes(ours.text(), theirs.text())) << size << " " << i;
          ours.at(i) = before;
        }
      }
    }
  }
}

TEST(EqualBytesTest, AShorterTextIsAnother) {
  const Exact text(kSizeMax, 0);
  for (std::size_t size = 0; size < kSizeMax; ++size) {
    ASSERT_FALSE(EqualBytes(text.text().substr(0, size), text.text().substr(0, size + 1)));
    ASSERT_FALSE(EqualBytes(text.text().substr(0, size + 1), text.text().substr(0, size)));
  }
  EXPECT_TRUE(EqualBytes({}, {}));
}

}  // namespace
}  // namespace aeris
