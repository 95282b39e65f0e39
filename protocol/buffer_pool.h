// BufferPool: blocks of 16 KiB for query and reply buffers. A client holds blocks only while bytes
// are under way, so the number in use follows the traffic of one turn and not the number of
// clients.
//
// Holds:   blocks_free() <= the bound given; every block taken comes back before the pool dies.
// Cost:    Take and Give O(1), a malloc or free only when the free list is empty or full.
// Memory:  blocks in use plus at most the bound; Shrink() gives back what traffic needs no more.
// Thread:  one; the reply and query buffers of a loop share its pool.
#pragma once

#include <cstddef>
#include <vector>

namespace aeris::protocol {

class BufferPool {
 public:
  static constexpr std::size_t kBlockBytes = 16 * 1024;
  static constexpr std::size_t kFreeBlocksMaxDefault = 256;  // 4 MiB

  explicit BufferPool(std::size_t blocks_free_max = kFreeBlocksMaxDefault)
      : blocks_free_max_(blocks_free_max) {}
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;
  ~BufferPool();

  // A block of kBlockBytes, aligned for anything; its bytes are undefined.
  [[nodiscard]] char* Take();
  void Give(char* block);
  // Frees half, rounded up, of the free blocks that nobody has needed since the last call:
  // periodic work. What a burst left is gone after a few calls, what traffic goes on using stays.
  void Shrink();

  std::size_t blocks_free() const { return free_.size(); }
  std::size_t blocks_used() const { return blocks_used_; }
  std::size_t memory() const { return (free_.size() + blocks_used_) * kBlockBytes; }

 private:
  std::vector<char*> free_;
  std::size_t blocks_used_ = 0;
  std::size_t blocks_unneeded_ = 0;  // the fewest that were free since the last Shrink()
  std::size_t blocks_free_max_;
};

}  // namespace aeris::protocol
