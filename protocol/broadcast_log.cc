#include "protocol/broadcast_log.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "src/base/check.h"
#include "src/base/number_text.h"

namespace aeris::protocol {
namespace {

// Type byte, number, CRLF.
constexpr std::size_t kHeadBytesMax = 1 + kInt64TextMax + 2;

char* PutHead(char* p, char type, std::size_t count) {
  *p++ = type;
  p += FormatUint64(p, count);
  *p++ = '\r';
  *p++ = '\n';
  return p;
}

char* PutBulk(char* p, std::string_view bytes) {
  p = PutHead(p, '$', bytes.size());
  if (!bytes.empty()) std::memcpy(p, bytes.data(), bytes.size());
  p += bytes.size();
  *p++ = '\r';
  *p++ = '\n';
  return p;
}

}  // namespace

SharedBlock* SharedBlock::Create(std::size_t capacity) {
  void* const memory = std::malloc(sizeof(SharedBlock) + capacity);
  AERIS_CHECK(memory != nullptr);
  return new (memory) SharedBlock(capacity);
}

void SharedBlock::Release() {
  AERIS_DCHECK(references_ > 0);
  if (--references_ == 0) std::free(this);
}

BroadcastLog::~BroadcastLog() {
  if (block_ != nullptr) block_->Release();
}

// Room for one message: in the block that is open, in the same one from its beginning when nobody
// refers to it any more, or in a new one.
char* BroadcastLog::Reserve(std::size_t bytes) {
  const bool usual = block_ != nullptr && block_->capacity() == kBlockBytes;
  if (usual && !block_->shared()) block_->used_ = 0;
  if (!usual || block_->capacity() - block_->used_ < bytes) {
    if (block_ != nullptr) block_->Release();
    block_ = SharedBlock::Create(std::max(bytes, kBlockBytes));
  }
  return block_->bytes() + block_->used_;
}

BroadcastLog::Message BroadcastLog::Add(std::span<const std::string_view> parts) {
  std::size_t bytes_max = kHeadBytesMax;
  for (const std::string_view part : parts) bytes_max += kHeadBytesMax + part.size() + 2;
  char* const begin = Reserve(bytes_max);
  char* p = PutHead(begin, resp_ == 2 ? '*' : '>', parts.size());
  for (const std::string_view part : parts) p = PutBulk(p, part);
  const auto size = static_cast<std::size_t>(p - begin);
  block_->used_ += size;
  return {.bytes = {begin, size}, .block = block_};
}

BroadcastLog::Message BroadcastLog::AddEncoded(std::string_view head, std::string_view rest) {
  const std::size_t size = head.size() + rest.size();
  char* const begin = Reserve(size);
  std::ranges::copy(rest, std::ranges::copy(head, begin).out);
  block_->used_ += size;
  return {.bytes = {begin, size}, .block = block_};
}

}  // namespace aeris::protocol
