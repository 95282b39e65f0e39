#include "protocol/query_buffer.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "protocol/limits.h"
#include "src/base/check.h"

namespace aeris::protocol {
namespace {

constexpr std::size_t kBlock = BufferPool::kBlockBytes;

}  // namespace

std::span<char> QueryBuffer::Reserve(std::size_t bytes_min, std::uint64_t bytes_expected) {
  AERIS_DCHECK(bytes_min > 0);
  if (start_ == end_) start_ = end_ = 0;
  std::size_t bytes = bytes_min;
  if (bytes_expected != 0 && size() + bytes_expected >= kBigBulkBytes) {
    bytes = static_cast<std::size_t>(std::min<std::uint64_t>(bytes_min, bytes_expected));
  }
  if (size() + bytes > capacity_) {
    if (!MoveTo(GrownCapacity(bytes, bytes_expected))) return {};
  } else if (start_ > 0 && (bytes_free() < bytes || size() <= start_)) {
    // Consumed bytes are in the way. The move is paid for by them, or, when they are few, happens
    // once for the request that fills the block.
    std::memmove(data_, data_ + start_, size());
    end_ -= start_;
    start_ = 0;
  }
  return {data_ + end_, capacity_ - end_};
}

std::size_t QueryBuffer::GrownCapacity(std::size_t bytes, std::uint64_t bytes_expected) const {
  const std::size_t needed = size() + bytes;
  if (needed <= kBlock) return kBlock;
  // To the end of the argument under way, if that is no more than twice what is here: a header that
  // promises half a gigabyte costs what has arrived behind it.
  const std::uint64_t doubled = std::max<std::uint64_t>(needed, 2 * std::uint64_t{size()});
  if (bytes_expected <= bytes) return static_cast<std::size_t>(doubled);
  return static_cast<std::size_t>(std::min(size() + bytes_expected, doubled));
}

// False, and nothing done, without memory.
bool QueryBuffer::MoveTo(std::size_t capacity) {
  const std::size_t bytes = size();
  // realloc(3) moves big blocks by remapping them, without a copy.
  if (capacity_ > kBlock && capacity > kBlock && start_ == 0) {
    auto* grown = static_cast<char*>(std::realloc(data_, capacity));
    if (grown == nullptr) return false;
    data_ = grown;
    capacity_ = capacity;
    return true;
  }
  char* block = capacity == kBlock ? pool_.Take() : static_cast<char*>(std::malloc(capacity));
  if (block == nullptr) return false;
  if (bytes > 0) std::memcpy(block, data_ + start_, bytes);
  FreeBlock(data_, capacity_);
  data_ = block;
  capacity_ = capacity;
  start_ = 0;
  end_ = bytes;
  return true;
}

void QueryBuffer::FreeBlock(char* block, std::size_t capacity) {
  if (block == nullptr) return;
  if (capacity == kBlock) {
    pool_.Give(block);
  } else {
    std::free(block);
  }
}

void QueryBuffer::Commit(std::size_t bytes) {
  AERIS_DCHECK(bytes <= bytes_free());
  end_ += bytes;
}

void QueryBuffer::Consume(std::size_t bytes) {
  AERIS_DCHECK(bytes <= size());
  start_ += bytes;
}

void QueryBuffer::Erase(std::size_t offset, std::size_t bytes) {
  AERIS_DCHECK(offset <= size() && bytes <= size() - offset);
  char* const at = data_ + start_ + offset;
  std::memmove(at, at + bytes, size() - offset - bytes);
  end_ -= bytes;
}

bool QueryBuffer::Insert(std::size_t offset, std::string_view bytes) {
  AERIS_DCHECK(offset <= size());
  if (bytes.empty()) return true;
  if (Reserve(bytes.size()).empty()) return false;
  char* const at = data_ + start_ + offset;
  std::memmove(at + bytes.size(), at, size() - offset);
  std::memcpy(at, bytes.data(), bytes.size());
  end_ += bytes.size();
  return true;
}

void QueryBuffer::ReleaseIfEmpty() {
  if (empty()) Release();
}

void QueryBuffer::Shrink() {
  ReleaseIfEmpty();
  if (capacity_ > kBlock && capacity_ / 4 > size()) {
    // Without memory it stays as large as it is.
    static_cast<void>(MoveTo(std::max(kBlock, size())));
  }
}

void QueryBuffer::Release() {
  FreeBlock(data_, capacity_);
  data_ = nullptr;
  capacity_ = 0;
  start_ = 0;
  end_ = 0;
}

}  // namespace aeris::protocol
