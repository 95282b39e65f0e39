// Blob: bytes too large for the arena (values above kInlineValueMax, keys above kInlineKeyMax), in
// an allocation of their own, and BlobRef, by which a reply keeps them alive after the key is gone.
//
//   [ references | list links | size | capacity ][ bytes ... capacity ]
//
// The entry's reference is a plain pointer that BlobStore owns; every BlobRef counts one more.
// A blob that is referenced elsewhere is never changed: BlobStore copies it instead.
// The count is atomic, since a keyspace may be destroyed on another thread while a reply of the
// main thread still holds a value; it is touched only when a large value is pinned or freed.
// Memory: 40 bytes and the allocator's rounding per blob, 8 bytes in the entry.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace aeris::storage {

class BlobStore;
class LooseBlob;

class Blob {
 public:
  std::string_view text() const { return {bytes(), size_}; }
  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }
  bool shared() const { return references_.load(std::memory_order_acquire) != 1; }

 private:
  friend class BlobRef;
  friend class BlobStore;
  friend class LooseBlob;

  Blob() = default;
  char* bytes() { return reinterpret_cast<char*>(this + 1); }
  const char* bytes() const { return reinterpret_cast<const char*>(this + 1); }
  void Retain() { references_.fetch_add(1, std::memory_order_relaxed); }
  static void Drop(Blob* blob);

  std::atomic<std::uint32_t> references_{1};
  Blob* previous_ = nullptr;  // in the store's list
  Blob* next_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};
static_assert(sizeof(Blob) == 40);

// Keeps one blob alive. Its bytes stay as they were when the handle was made, on any thread.
class BlobRef {
 public:
  BlobRef() = default;
  explicit BlobRef(Blob* blob) : blob_(blob) {
    if (blob_ != nullptr) blob_->Retain();
  }
  BlobRef(BlobRef&& other) noexcept : blob_(std::exchange(other.blob_, nullptr)) {}
  BlobRef& operator=(BlobRef&& other) noexcept {
    if (this != &other) {
      Reset();
      blob_ = std::exchange(other.blob_, nullptr);
    }
    return *this;
  }
  ~BlobRef() { Reset(); }

  explicit operator bool() const { return blob_ != nullptr; }
  std::string_view text() const { return blob_ == nullptr ? std::string_view{} : blob_->text(); }
  void Reset() {
    if (blob_ != nullptr) Blob::Drop(std::exchange(blob_, nullptr));
  }
  std::size_t memory_bytes() const;  // as the allocator rounds them
  std::size_t capacity() const { return blob_ == nullptr ? 0 : blob_->capacity(); }
  // Nothing else refers to the blob: it is freed when this goes.
  bool last() const { return blob_ != nullptr && !blob_->shared(); }

 private:
  friend class BlobStore;
  struct Taken {};
  // Takes over a reference that is there already.
  BlobRef(Blob* blob, Taken) : blob_(blob) {}

  Blob* blob_ = nullptr;
};

// A blob in the making: its bytes are filled in before it belongs to a store, so that a value that
// arrives in pieces is received where it will stay.
class LooseBlob {
 public:
  LooseBlob() = default;
  LooseBlob(const LooseBlob&) = delete;
  LooseBlob& operator=(const LooseBlob&) = delete;
  ~LooseBlob();

  // Makes room for `capacity` bytes and keeps those that are there. Returns where they are from now
  // on; null, and nothing done, without memory.
  [[nodiscard]] char* Grow(std::size_t capacity);
  // Of the allocator; 0 before the first Grow(), and when a store has taken the blob over.
  std::size_t allocated_bytes() const;

 private:
  friend class BlobStore;
  Blob* blob_ = nullptr;
};

// The blobs of one keyspace, and their account.
class BlobStore {
 public:
  // Blobs that would bring bytes() above `bytes_max` are not to be had, as if memory had ended.
  explicit BlobStore(std::size_t bytes_max = ~std::size_t{0}) : bytes_max_(bytes_max) {}
  ~BlobStore();  // O(blobs)
  BlobStore(const BlobStore&) = delete;
  BlobStore& operator=(const BlobStore&) = delete;

  // A blob of `size` bytes that starts with `text` (which is not longer); the rest is zero. Null
  // without memory.
  [[nodiscard]] Blob* Create(std::string_view text, std::size_t size);
  // The same of the first `size` bytes of `loose`, which is empty afterwards, without a copy.
  [[nodiscard]] Blob* Adopt(LooseBlob& loose, std::size_t size);
  // Undoes Adopt().
  void Loosen(Blob* blob, LooseBlob& loose);
  void Free(Blob* blob);
  // The same, but the blob lives on until the reference goes, on whatever thread.
  [[nodiscard]] BlobRef Release(Blob* blob);
  // Gives a blob of this store to another one.
  void MoveTo(BlobStore& other, Blob* blob);
  // Replaces the text in place. False, and nothing done, when the blob is referenced elsewhere or
  // its capacity does not suit. `text` may lie inside the blob.
  [[nodiscard]] bool Assign(Blob* blob, std::string_view text);
  // Cuts, or grows with zero bytes and slack: twice the size up to 1 MiB, 1 MiB more above; without
  // memory for slack, without. Returns the blob that the entry must hold from now on; null, and
  // nothing done, without memory.
  [[nodiscard]] Blob* Resize(Blob* blob, std::size_t size);
  static std::span<char> Bytes(Blob* blob) { return {blob->bytes(), blob->size_}; }

  std::size_t bytes() const { return bytes_; }  // as the allocator rounds them
  std::size_t count() const { return count_; }
  static std::size_t BytesOf(const Blob* blob);

  void CheckInvariants() const;

 private:
  Blob* NewBlob(std::size_t size, std::size_t capacity, bool zero);
  Blob* Reallocate(Blob* blob, std::size_t capacity);
  bool Allowed(std::size_t bytes) const {
    return bytes <= bytes_max_ && bytes_ <= bytes_max_ - bytes;
  }
  void Link(Blob* blob);
  void Unlink(Blob* blob);

  std::size_t bytes_max_;
  Blob* first_ = nullptr;
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
};

// The capacity to take for a string that grew to `size` bytes.
constexpr std::size_t GrownCapacity(std::size_t size) {
  constexpr std::size_t kDoubleBelow = std::size_t{1} << 20;
  return size < kDoubleBelow ? 2 * size : size + kDoubleBelow;
}

}  // namespace aeris::storage
