#include "storage/blob.h"

#include <malloc.h>

#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "src/base/check.h"
#include "storage/allocated_bytes.h"

namespace aeris::storage {

void Blob::Drop(Blob* blob) {
  // The only reference needs no read-modify-write.
  if (blob->references_.load(std::memory_order_acquire) == 1 ||
      blob->references_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    blob->~Blob();
    std::free(blob);
  }
}

LooseBlob::~LooseBlob() {
  if (blob_ != nullptr) Blob::Drop(blob_);
}

char* LooseBlob::Grow(std::size_t capacity) {
  void* const memory = std::realloc(static_cast<void*>(blob_), sizeof(Blob) + capacity);
  if (memory == nullptr) return nullptr;
  blob_ = blob_ == nullptr ? new (memory) Blob : static_cast<Blob*>(memory);
  blob_->capacity_ = capacity;
  return blob_->bytes();
}

std::size_t LooseBlob::allocated_bytes() const { return malloc_usable_size(blob_); }

BlobStore::~BlobStore() {
  while (first_ != nullptr) {
    Blob* const next = first_->next_;
    Blob::Drop(first_);
    first_ = next;
  }
}

Blob* BlobStore::Create(std::string_view text, std::size_t size) {
  AERIS_DCHECK(text.size() <= size);
  // Fresh large allocations are zero pages already; calloc knows, memset would touch them all.
  Blob* const blob = NewBlob(size, size, text.size() < size);
  if (blob == nullptr) return nullptr;
  if (!text.empty()) std::memcpy(blob->bytes(), text.data(), text.size());
  Link(blob);
  return blob;
}

Blob* BlobStore::Adopt(LooseBlob& loose, std::size_t size) {
  AERIS_DCHECK(loose.blob_ != nullptr && size <= loose.blob_->capacity_);
  if (!Allowed(sizeof(Blob) + loose.blob_->capacity_)) return nullptr;
  Blob* const blob = std::exchange(loose.blob_, nullptr);
  blob->size_ = size;
  Link(blob);
  return blob;
}

void BlobStore::Loosen(Blob* blob, LooseBlob& loose) {
  AERIS_DCHECK(loose.blob_ == nullptr && !blob->shared());
  Unlink(blob);
  loose.blob_ = blob;
}

void BlobStore::MoveTo(BlobStore& other, Blob* blob) {
  Unlink(blob);
  other.Link(blob);
}

void BlobStore::Free(Blob* blob) {
  Unlink(blob);
  Blob::Drop(blob);
}

std::size_t BlobRef::memory_bytes() const {
  return blob_ == nullptr ? 0 : BlobStore::BytesOf(blob_);
}

BlobRef BlobStore::Release(Blob* blob) {
  Unlink(blob);
  return BlobRef(blob, BlobRef::Taken());
}

bool BlobStore::Assign(Blob* blob, std::string_view text) {
  const bool suits =
      text.size() <= blob->capacity_ && blob->capacity_ - text.size() <= blob->capacity_ / 8;
  if (!suits || blob->shared()) return false;
  std::memmove(blob->bytes(), text.data(), text.size());
  blob->size_ = text.size();
  return true;
}

Blob* BlobStore::Resize(Blob* blob, std::size_t size) {
  const std::size_t old_size = blob->size_;
  if (blob->shared()) {
    Blob* const copy = Create(blob->text().substr(0, size), size);
    if (copy != nullptr) Free(blob);
    return copy;
  }
  // A cut that leaves less than a quarter in use gives the memory back.
  const bool wasteful = size < blob->capacity_ / 4 && size < old_size;
  if (size > blob->capacity_) {
    Blob* larger = Reallocate(blob, GrownCapacity(size));
    if (larger == nullptr) larger = Reallocate(blob, size);
    if (larger == nullptr) return nullptr;
    blob = larger;
  } else if (wasteful) {
    // One that cannot be moved to less memory serves as it is.
    if (Blob* const smaller = Reallocate(blob, size); smaller != nullptr) blob = smaller;
  }
  blob->size_ = size;
  if (size > old_size) std::memset(blob->bytes() + old_size, 0, size - old_size);
  return blob;
}

// Null, and nothing done, without memory.
Blob* BlobStore::Reallocate(Blob* blob, std::size_t capacity) {
  Unlink(blob);
  const std::size_t bytes = sizeof(Blob) + capacity;
  void* const memory = Allowed(bytes) ? std::realloc(static_cast<void*>(blob), bytes) : nullptr;
  if (memory == nullptr) {
    Link(blob);
    return nullptr;
  }
  blob = static_cast<Blob*>(memory);
  blob->capacity_ = capacity;
  Link(blob);
  return blob;
}

std::size_t BlobStore::BytesOf(const Blob* blob) {
  return AllocatedBytes(sizeof(Blob) + blob->capacity_);
}

Blob* BlobStore::NewBlob(std::size_t size, std::size_t capacity, bool zero) {
  const std::size_t bytes = sizeof(Blob) + capacity;
  if (!Allowed(bytes)) return nullptr;
  void* const memory = zero ? std::calloc(1, bytes) : std::malloc(bytes);
  if (memory == nullptr) return nullptr;
  auto* const blob = new (memory) Blob;
  blob->size_ = size;
  blob->capacity_ = capacity;
  return blob;
}

void BlobStore::Link(Blob* blob) {
  blob->previous_ = nullptr;
  blob->next_ = first_;
  if (first_ != nullptr) first_->previous_ = blob;
  first_ = blob;
  ++count_;
  bytes_ += BytesOf(blob);
}

void BlobStore::Unlink(Blob* blob) {
  if (blob->next_ != nullptr) blob->next_->previous_ = blob->previous_;
  if (blob->previous_ != nullptr) {
    blob->previous_->next_ = blob->next_;
  } else {
    AERIS_DCHECK(first_ == blob);
    first_ = blob->next_;
  }
  --count_;
  bytes_ -= BytesOf(blob);
}

void BlobStore::CheckInvariants() const {
  std::size_t count = 0, bytes = 0;
  const Blob* previous = nullptr;
  for (const Blob* blob = first_; blob != nullptr; blob = blob->next_) {
    AERIS_CHECK(blob->previous_ == previous);
    AERIS_CHECK(blob->size_ <= blob->capacity_);
    ++count;
    bytes += BytesOf(blob);
    previous = blob;
  }
  AERIS_CHECK(count == count_);
  AERIS_CHECK(bytes == bytes_);
}

}  // namespace aeris::storage
