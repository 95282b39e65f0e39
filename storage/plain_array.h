// PlainArray: a growing array of trivial values that says when there is no memory for more, which
// std::vector cannot do without exceptions. Up to 2^32 - 1 values.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <type_traits>

#include "src/base/check.h"
#include "storage/allocated_bytes.h"

namespace aeris::storage {

template <typename T>
class PlainArray {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  PlainArray() = default;
  ~PlainArray() { std::free(static_cast<void*>(data_)); }
  PlainArray(const PlainArray&) = delete;
  PlainArray& operator=(const PlainArray&) = delete;

  std::size_t size() const { return size_; }
  std::size_t allocated_bytes() const { return AllocatedBytes(std::size_t{capacity_} * sizeof(T)); }
  T& operator[](std::size_t index) {
    AERIS_DCHECK(index < size_);
    return data_[index];
  }
  const T& operator[](std::size_t index) const {
    AERIS_DCHECK(index < size_);
    return data_[index];
  }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }

  // Makes room for `count` values in all, and for half as many again as there are. False, and
  // nothing done, without memory.
  [[nodiscard]] bool Reserve(std::size_t count) {
    if (count <= capacity_) return true;
    return SetCapacity(std::max<std::size_t>(count, capacity_ + capacity_ / 2));
  }
  // New values are those that `value` has. Cannot fail within what is reserved.
  [[nodiscard]] bool Resize(std::size_t count, T value) {
    if (!Reserve(count)) return false;
    if (count > size_) std::fill(data_ + size_, data_ + count, value);
    size_ = static_cast<std::uint32_t>(count);
    return true;
  }
  // Gives back memory where less than half is in use.
  void Fit() {
    if (size_ < capacity_ / 2) static_cast<void>(SetCapacity(std::max<std::size_t>(size_, 1)));
  }

 private:
  bool SetCapacity(std::size_t capacity) {
    AERIS_CHECK(capacity <= std::numeric_limits<std::uint32_t>::max());
    void* const memory = std::realloc(static_cast<void*>(data_), capacity * sizeof(T));
    if (memory == nullptr) return false;
    data_ = static_cast<T*>(memory);
    capacity_ = static_cast<std::uint32_t>(capacity);
    return true;
  }

  T* data_ = nullptr;
  std::uint32_t size_ = 0;
  std::uint32_t capacity_ = 0;
};

}  // namespace aeris::storage
