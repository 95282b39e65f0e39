#include "storage/crc64.h"

#include <array>
#include <cstddef>
#include <cstring>

namespace aeris::storage {
namespace {

// ad93d23594c935a9 with its bits in reverse order.
constexpr std::uint64_t kReflectedPolynomial = 0x95ac9329ac4bc9b5;
constexpr std::size_t kLanes = 8;

using Tables = std::array<std::array<std::uint64_t, 256>, kLanes>;

// tables[n][b] is the effect of byte b followed by n zero bytes.
constexpr Tables MakeTables() {
  Tables tables{};
  for (std::uint64_t byte = 0; byte < 256; ++byte) {
    std::uint64_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? kReflectedPolynomial : 0);
    tables[0][byte] = crc;
  }
  for (std::size_t lane = 1; lane < kLanes; ++lane) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint64_t before = tables[lane - 1][byte];
      tables[lane][byte] = before >> 8 ^ tables[0][before & 0xff];
    }
  }
  return tables;
}

constexpr Tables kTables = MakeTables();

}  // namespace

std::uint64_t Crc64(std::uint64_t crc, std::string_view bytes) {
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= kLanes; at += kLanes, left -= kLanes) {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof word);
    crc ^= word;
    std::uint64_t next = 0;
    for (std::size_t i = 0; i < kLanes; ++i) next ^= kTables[kLanes - 1 - i][crc >> (8 * i) & 0xff];
    crc = next;
  }
  for (; left > 0; ++at, --left) {
    crc = crc >> 8 ^ kTables[0][(crc ^ static_cast<std::uint8_t>(*at)) & 0xff];
  }
  return crc;
}

}  // namespace aeris::storage
