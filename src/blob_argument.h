// BlobArgument: the block of a big argument, laid out as a blob of storage/, so that a command that
// stores the argument takes the block over.
#pragma once

#include <cstddef>

#include "protocol/argument_block.h"
#include "storage/blob.h"

namespace aeris {

class BlobArgument final : public protocol::ArgumentBlock {
 public:
  char* Grow(std::size_t capacity) override { return blob_.Grow(capacity); }
  storage::LooseBlob& blob() { return blob_; }

 private:
  storage::LooseBlob blob_;
};

}  // namespace aeris
