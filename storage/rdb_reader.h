// RdbReader: takes what RdbWriter wrote from the front of bytes that a stranger sent. Every step
// says whether it was there; lengths are checked against the bytes that are there before anything
// is allocated, and what LZF may expand to is bounded by kTextMax.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace aeris::storage {

class RdbReader {
 public:
  // The largest text: what a client may send in one argument by default.
  static constexpr std::size_t kTextMax = std::size_t{512} << 20;

  explicit RdbReader(std::string_view bytes) : bytes_(bytes) {}

  std::size_t left() const { return bytes_.size(); }
  std::optional<std::string_view> Take(std::uint64_t size);
  std::optional<std::uint8_t> TakeByte();
  // A length that stands for itself.
  std::optional<std::uint64_t> TakeLength();
  // A number of items that each take a byte at least: no more than there are bytes.
  std::optional<std::uint64_t> TakeCount();
  std::optional<std::string> TakeText();
  std::optional<double> TakeDouble();
  // As sorted sets had them before Redis 3.2: text behind a size of one byte.
  std::optional<double> TakeDoubleText();
  std::optional<std::int64_t> TakeMilliseconds();

 private:
  // A length, or the form of an encoded string.
  struct Length {
    bool encoded = false;
    std::uint64_t value = 0;
  };
  std::optional<Length> TakeAnyLength();
  std::optional<Length> TakeWideLength(std::uint8_t first);
  template <typename T>
  std::optional<T> TakeAs();
  template <typename T>
  std::optional<std::string> TakeInteger();
  std::optional<std::string> TakeCompressed();

  std::string_view bytes_;
};

}  // namespace aeris::storage
