// What a command gathers before it can reply, or before it changes anything: containers that cannot
// fail, of elements whose sizes nobody knows before they are looked at.
#pragma once

#include <algorithm>
#include <cstddef>

#include "src/command_context.h"

namespace aeris {

// Asks for memory while the container grows, a few times in all: a bound from the whole collection
// would refuse ten elements of a large one.
class GatheredMemory {
 public:
  explicit GatheredMemory(const CommandContext& context) : context_(context) {}

  // What a std::string of so many characters takes beside itself, rounded up as the allocator does.
  static std::size_t TextBytes(std::size_t size) {
    constexpr std::size_t kInPlaceMax = 15;
    return size <= kInPlaceMax ? 0 : size + size / 4 + 16;
  }

  // Before `bytes` more are gathered: whether they are there. False after the OOM reply, which is
  // written once: nothing is gathered from then on.
  [[nodiscard]] bool Take(std::size_t bytes) {
    if (refused_) [[unlikely]]
      return false;
    taken_ += bytes;
    if (taken_ <= granted_) [[likely]]
      return true;
    granted_ = std::max(2 * granted_, taken_);
    // A vector that doubles holds the old elements beside the new ones.
    refused_ = !context_.MemoryFor(3 * granted_);
    return !refused_;
  }
  bool refused() const { return refused_; }
  std::size_t taken() const { return taken_; }

 private:
  const CommandContext& context_;
  std::size_t granted_ = std::size_t{256} << 10;  // with its copies below what MemoryFor() asks for
  std::size_t taken_ = 0;
  bool refused_ = false;
};

}  // namespace aeris
