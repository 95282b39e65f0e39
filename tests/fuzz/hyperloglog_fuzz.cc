// The properties of HyperLogLogs on any bytes: no read beyond the value, all readers agree on what
// is corrupted, and a raised register is the only one that changes.
//
// Input: how many registers to raise, the byte limit, three bytes for each register, then the value
// behind a header of the sparse encoding, or with its own header when the limit is odd.
#include <cstddef>
#include <cstdint>
#include <string>

#include "tests/storage/hyperloglog_properties.h"

namespace hyperloglog = aeris::storage::hyperloglog;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t raises = data[0] % 16;
  const std::uint64_t bytes_max = std::uint64_t{data[1]} * 16;
  const std::size_t head = 2 + 3 * raises;
  if (size < head) return 0;
  std::string value(data + head, data + size);
  if (data[1] % 2 == 0) {
    value.insert(0, hyperloglog::Empty().substr(0, hyperloglog::kHeaderBytes));
  }
  hyperloglog::CheckReaders(value);
  for (std::size_t i = 0; i < raises; ++i) {
    const std::uint8_t* const at = data + 2 + 3 * i;
    const std::uint32_t index = (std::uint32_t{at[0]} << 8 | at[1]) % hyperloglog::kRegisters;
    const auto rank = static_cast<std::uint8_t>(at[2] % hyperloglog::kRankMax + 1);
    hyperloglog::CheckRaise(value, {index, rank}, bytes_max);
    hyperloglog::CheckReaders(value);
  }
  return 0;
}
