// The properties of the number conversions on any text: nothing is read past its end, an accepted
// integer is spelt as it would be printed, an accepted double is strtod(3)'s and survives printing.
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "src/base/check.h"
#include "src/base/number_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A block of exactly this size, without a terminator.
  const auto block = std::make_unique<char[]>(size);
  if (size > 0) std::memcpy(block.get(), data, size);
  const std::string_view text{block.get(), size};
  const std::string copy(text);

  std::array<char, aeris::kInt64TextMax> digits;
  if (const std::optional<std::int64_t> value = aeris::ParseInt64(text)) {
    AERIS_CHECK(text == std::string_view(digits.data(), aeris::FormatInt64(digits.data(), *value)));
  }
  if (const std::optional<std::uint64_t> value = aeris::ParseUint64(text)) {
    AERIS_CHECK(text ==
                std::string_view(digits.data(), aeris::FormatUint64(digits.data(), *value)));
  }
  if (const std::optional<double> value = aeris::ParseDouble(text)) {
    AERIS_CHECK(!std::isnan(*value));
    AERIS_CHECK(*value == std::strtod(copy.c_str(), nullptr));
    std::array<char, aeris::kDoubleTextMax> printed;
    const std::size_t n = aeris::FormatDouble(printed.data(), *value);
    AERIS_CHECK(aeris::ParseDouble({printed.data(), n}) == *value);
  }
  if (const std::optional<long double> value = aeris::ParseLongDouble(text)) {
    AERIS_CHECK(!std::isnan(*value));
    std::string printed(aeris::kLongDoubleTextMax, '\0');
    printed.resize(aeris::FormatLongDoubleHuman(printed.data(), *value));
    AERIS_CHECK(aeris::ParseLongDouble(printed).has_value());
  }
  return 0;
}
