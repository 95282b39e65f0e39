// QueryBuffer: bytes of one client that have been read and not yet parsed. Knows no socket.
//
//   data_            start_               end_                  capacity_
//     | consumed       | bytes()            | free: Reserve()      |
//
// Holds:   one contiguous block: none when released, 16 KiB from the pool, or more from the heap.
// Growth:  to at most twice what has arrived, whatever a header promises; and to the end of a big
//          argument and not beyond, when the caller says how much is missing. Bytes move only
//          inside Reserve(), Erase() and Insert(), so views into bytes() hold until the next of
//          these, Release() or ReleaseIfEmpty().
// Cost:    O(1) per byte, growth included.
// Memory:  40 bytes for a client without unparsed bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "protocol/buffer_pool.h"

namespace aeris::protocol {

class QueryBuffer {
 public:
  // `pool` outlives the buffer.
  explicit QueryBuffer(BufferPool& pool) : pool_(pool) {}
  QueryBuffer(const QueryBuffer&) = delete;
  QueryBuffer& operator=(const QueryBuffer&) = delete;
  ~QueryBuffer() { Release(); }

  // Room for at least `bytes_min` bytes (at least 1) behind bytes(); all of it may be filled.
  // `bytes_expected` is RequestParser::bulk_bytes_expected(). When it says that a big argument is
  // under way (kBigBulkBytes), room for its end is enough, even where that is less than
  // `bytes_min`. Empty, and nothing done, without memory.
  [[nodiscard]] std::span<char> Reserve(std::size_t bytes_min, std::uint64_t bytes_expected = 0);
  // The first `bytes` of what Reserve() gave have been filled.
  void Commit(std::size_t bytes);

  std::string_view bytes() const { return {data_ + start_, end_ - start_}; }
  std::size_t size() const { return end_ - start_; }
  bool empty() const { return start_ == end_; }
  // Bytes held, for CLIENT LIST and limits; 0 when released.
  std::size_t capacity() const { return capacity_; }
  std::size_t bytes_free() const { return capacity_ - end_; }

  // Drops the first `bytes` of bytes(). Moves nothing.
  void Consume(std::size_t bytes);
  // Takes `bytes` out of bytes() at `offset`, or puts some in. Moves what stands behind.
  // Putting them in takes memory: false, and nothing done, without.
  void Erase(std::size_t offset, std::size_t bytes);
  [[nodiscard]] bool Insert(std::size_t offset, std::string_view bytes);
  // Gives the block back when there is nothing in it: the end of a turn.
  void ReleaseIfEmpty();
  // Likewise; and a block from the heap more than four times as big as what it holds is exchanged
  // for one that fits: periodic work on idle clients.
  void Shrink();
  // Drops all bytes and the block.
  void Release();

 private:
  std::size_t GrownCapacity(std::size_t bytes, std::uint64_t bytes_expected) const;
  [[nodiscard]] bool MoveTo(std::size_t capacity);
  void FreeBlock(char* block, std::size_t capacity);

  BufferPool& pool_;
  char* data_ = nullptr;
  std::size_t capacity_ = 0;
  std::size_t start_ = 0;
  std::size_t end_ = 0;
};
static_assert(sizeof(QueryBuffer) == 40, "every idle client has one");

}  // namespace aeris::protocol
