// BlobArgument: the block of a big argument, laid out as a blob of storage/, so that a command that
// stores the argument takes the block over. `bytes_in_all` counts what such blocks take of the
// allocator while they are arguments.
#pragma once

#include <cstddef>
#include <utility>

#include "protocol/argument_block.h"
#include "storage/blob.h"

namespace aeris {

class BlobArgument final : public protocol::ArgumentBlock {
 public:
  explicit BlobArgument(std::size_t& bytes_in_all) : bytes_in_all_(bytes_in_all) {}
  ~BlobArgument() override { bytes_in_all_ -= bytes_; }
  BlobArgument(const BlobArgument&) = delete;
  BlobArgument& operator=(const BlobArgument&) = delete;

  char* Grow(std::size_t capacity) override {
    char* const at = blob_.Grow(capacity);
    if (at != nullptr) Count();
    return at;
  }
  std::size_t allocated_bytes() const override { return bytes_; }
  storage::LooseBlob& blob() { return blob_; }
  // After a command that may have taken the block over: then it is an argument no longer.
  void Count() {
    const std::size_t bytes = blob_.allocated_bytes();
    bytes_in_all_ += bytes - std::exchange(bytes_, bytes);
  }

 private:
  storage::LooseBlob blob_;
  std::size_t& bytes_in_all_;
  std::size_t bytes_ = 0;
};

}  // namespace aeris
