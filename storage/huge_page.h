// HugePage: 2 MiB that the kernel maps as one page, to take the place of as many small ones.
//
// A lookup among millions of entries spends a tenth of its time and more on finding where their
// 4 KiB pages are. Asking the kernel to join them (MADV_COLLAPSE, or its own thread) stops whoever
// touches them meanwhile, for about 1 ms, in a virtual machine up to 7 ms. So the new page is made
// elsewhere, by a thread that nobody waits for, and the owner of the memory copies and remaps by
// itself: 0.2 to 0.4 ms, of which it chooses the time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace aeris::storage {

class HugePage {
 public:
  static constexpr std::size_t kBytes = std::size_t{2} << 20;

  HugePage() = default;
  // Empty when the kernel has none, or is older than Linux 6.1. Milliseconds; from any thread.
  static HugePage Make();
  HugePage(HugePage&& other) noexcept : data_(std::exchange(other.data_, nullptr)) {}
  HugePage& operator=(HugePage&& other) noexcept {
    std::swap(data_, other.data_);
    return *this;
  }
  ~HugePage();
  explicit operator bool() const { return data_ != nullptr; }

  // Copies `block` and appears in its place, so that its addresses hold what they held; empty
  // afterwards. `block` is one of Blocks() in private anonymous memory that nobody else touches
  // meanwhile. False, and `block` as it was, when the kernel has no memory to note the change.
  [[nodiscard]] bool TakePlaceOf(std::span<std::byte> block);

  // What of `memory` huge pages can take the place of: a multiple of kBytes, aligned to it.
  static std::span<std::byte> Blocks(std::span<std::byte> memory) {
    const auto begin = reinterpret_cast<std::uintptr_t>(memory.data());
    const std::size_t skip = (kBytes - begin % kBytes) % kBytes;
    if (memory.size() < skip + kBytes) return {};
    return memory.subspan(skip, (memory.size() - skip) / kBytes * kBytes);
  }

 private:
  explicit HugePage(std::byte* data) : data_(data) {}

  std::byte* data_ = nullptr;
};

}  // namespace aeris::storage
