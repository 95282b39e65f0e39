// Intset: a small set of integers as a sorted array, Redis's bytes, so that DUMP copies them:
//
//   [ bytes per integer 4: 2, 4 or 8 ][ integers 4 ][ integer ] ... little endian, ascending
//
// Lookup by bisection; all integers are as wide as the widest needs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace aeris::storage {

class IntsetView {
 public:
  static constexpr std::size_t kHeadBytes = 8;

  // Bytes from outside must be Valid().
  explicit IntsetView(std::string_view bytes) : bytes_(bytes) {}

  std::string_view bytes() const { return bytes_; }
  std::size_t size() const { return Load<std::uint32_t>(4); }
  unsigned width() const { return Load<std::uint32_t>(0); }  // bytes per integer
  std::int64_t operator[](std::size_t index) const;
  // The first integer that is not less than `value`; size() if there is none.
  std::size_t LowerBound(std::int64_t value) const;
  bool Contains(std::int64_t value) const;

  static bool Valid(std::string_view bytes);

 private:
  template <typename T>
  T Load(std::size_t at) const {
    T value;
    std::memcpy(&value, bytes_.data() + at, sizeof value);
    return value;
  }
  std::string_view bytes_;
};

// The bytes of an empty one, which is never stored.
std::string EmptyIntset();
// Adds an integer to an intset's bytes, or takes it out; false when it is there already, or is not.
// O(n) for the bytes behind it, and for all of them when they have to become wider.
bool IntsetInsert(std::string& bytes, std::int64_t value);
bool IntsetErase(std::string& bytes, std::int64_t value);

}  // namespace aeris::storage
