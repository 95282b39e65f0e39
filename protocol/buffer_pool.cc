#include "protocol/buffer_pool.h"

#include <cstdlib>

#include "src/base/check.h"

namespace aeris::protocol {

BufferPool::~BufferPool() {
  AERIS_DCHECK(blocks_used_ == 0);
  Trim();
}

char* BufferPool::Take() {
  ++blocks_used_;
  if (free_.empty()) {
    auto* block = static_cast<char*>(std::malloc(kBlockBytes));
    AERIS_CHECK(block != nullptr);
    return block;
  }
  char* block = free_.back();
  free_.pop_back();
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

void BufferPool::Trim(std::size_t blocks_kept) {
  while (free_.size() > blocks_kept) {
    std::free(free_.back());
    free_.pop_back();
  }
}

}  // namespace aeris::protocol
