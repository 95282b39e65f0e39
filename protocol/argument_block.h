// ArgumentBlock: the memory that one big argument is read into, given by the caller, who may keep
// it when the request has run: so a large value is read to where it will be stored.
#pragma once

#include <cstddef>

namespace aeris::protocol {

class ArgumentBlock {
 public:
  virtual ~ArgumentBlock() = default;
  // Makes room for `capacity` bytes, more than before; keeps those that are there. Returns where
  // they are from now on, null without memory, and then nothing changed.
  [[nodiscard]] virtual char* Grow(std::size_t capacity) = 0;
  // What it takes of the allocator; 0 when its memory was taken over.
  virtual std::size_t allocated_bytes() const = 0;
};

}  // namespace aeris::protocol
