#include "protocol/buffer_pool.h"

#include <algorithm>
#include <cstdlib>

#include "src/base/check.h"

namespace aeris::protocol {

BufferPool::~BufferPool() {
  AERIS_DCHECK(blocks_used_ == 0);
  for (char* block : free_) std::free(block);
}

char* BufferPool::Take() {
  ++blocks_used_;
  if (free_.empty()) {
    blocks_unneeded_ = 0;
    auto* block = static_cast<char*>(std::malloc(kBlockBytes));
    AERIS_CHECK(block != nullptr);
    return block;
  }
  char* block = free_.back();
  free_.pop_back();
  blocks_unneeded_ = std::min(blocks_unneeded_, free_.size());
  return block;
}

void BufferPool::Give(char* block) {
  AERIS_DCHECK(blocks_used_ > 0);
  --blocks_used_;
  if (free_.size() < blocks_free_max_) {
    free_.push_back(block);
  } else {
    std::free(block);
  }
}

void BufferPool::Shrink() {
  // Take() uses the back, so the front is what has been cold the longest.
  const auto count = static_cast<std::ptrdiff_t>((blocks_unneeded_ + 1) / 2);
  std::for_each(free_.begin(), free_.begin() + count, [](char* block) { std::free(block); });
  free_.erase(free_.begin(), free_.begin() + count);
  blocks_unneeded_ = free_.size();
}

}  // namespace aeris::protocol
