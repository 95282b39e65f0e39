#include "storage/crc64.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace aeris::storage {
namespace {

TEST(Crc64, GivesCheckValueOfItsPolynomial) {
  EXPECT_EQ(Crc64(0, "123456789"), 0xe9c6d914c4b8d9cau);
  EXPECT_EQ(Crc64(0, ""), 0u);
}

// One bit at a time, from the definition.
std::uint64_t PlainCrc64(std::string_view bytes) {
  std::uint64_t crc = 0;
  for (const char byte : bytes) {
    crc ^= static_cast<std::uint8_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x95ac9329ac4bc9b5 : 0);
  }
  return crc;
}

TEST(Crc64, IsTheSameForEverySplitAndLength) {
  std::mt19937_64 engine(3);
  std::string bytes(100, '\0');
  for (char& byte : bytes) byte = static_cast<char>(engine() & 0xff);
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    const std::string_view head = std::string_view(bytes).substr(0, size);
    const std::uint64_t expected = PlainCrc64(head);
    for (std::size_t split = 0; split <= size; ++split) {
      ASSERT_EQ(Crc64(Crc64(0, head.substr(0, split)), head.substr(split)), expected);
    }
  }
}

}  // namespace
}  // namespace aeris::storage
