// MemoryAccount: used memory at any moment, for the price of a few additions.
//
// The allocator's own account takes microseconds to read, so it is read ten times a second. In
// between, what keyspaces hold is counted to the byte as it changes; buffers of clients and all
// else stay as they were. Big arguments that are being received do not count before they are
// stored: no key goes for one that may be refused.
#pragma once

#include <algorithm>
#include <cstddef>

#include "src/databases.h"
#include "src/memory_info.h"

namespace aeris {

class MemoryAccount {
 public:
  MemoryAccount(const Databases& databases, const std::size_t& argument_bytes)
      : databases_(databases), argument_bytes_(argument_bytes) {}

  // Reads the allocator's account. Not while what keyspaces have given away is still to be freed:
  // they do not count it any more.
  void Sample() {
    const std::size_t all = AllocatedBytes() + databases_.memory().mapped;
    sampled_ = all - std::min(all, argument_bytes_);
    keyspaces_then_ = databases_.used_bytes();
  }
  std::size_t used() const {
    const std::size_t now = databases_.used_bytes();
    if (now >= keyspaces_then_) return sampled_ + (now - keyspaces_then_);
    return sampled_ - std::min(sampled_, keyspaces_then_ - now);
  }

 private:
  const Databases& databases_;
  const std::size_t& argument_bytes_;
  std::size_t sampled_ = 0;
  std::size_t keyspaces_then_ = 0;
};

}  // namespace aeris
