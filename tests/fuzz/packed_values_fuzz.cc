// What Valid() takes of packed blocks, intsets and a stream's blocks can be read from end to end.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "storage/intset.h"
#include "storage/packed_block.h"
#include "storage/stream_block.h"

using aeris::storage::IntsetView;
using aeris::storage::PackedView;

namespace {

// Of its own size, so that a sanitizer sees every byte beyond it.
void ReadBlock(std::string_view bytes) {
  const PackedView block(bytes);
  std::size_t forwards = 0, backwards = 0, text_bytes = 0;
  for (auto at = block.First(); at != PackedView::kEnd; at = block.Next(at)) {
    text_bytes += block.Get(at).String().size();
    ++forwards;
  }
  for (auto at = block.Last(); at != PackedView::kEnd; at = block.Previous(at)) ++backwards;
  if (forwards != backwards || forwards != block.size()) std::abort();
  if (text_bytes > 20 * bytes.size()) std::abort();
}

void ReadIntset(std::string_view bytes) {
  const IntsetView set(bytes);
  for (std::size_t i = 0; i < set.size(); ++i) {
    if (!set.Contains(set[i])) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string input(reinterpret_cast<const char*>(data), size);
  std::string bytes = input.substr(1);
  // A listpack's own size is hardly ever right by chance.
  const auto total = static_cast<std::uint32_t>(bytes.size());
  if ((input[0] & 1) != 0 && bytes.size() >= sizeof total) {
    bytes.replace(0, sizeof total, reinterpret_cast<const char*>(&total), sizeof total);
  }
  if (PackedView::Valid(bytes)) ReadBlock(bytes);
  if (IntsetView::Valid(bytes)) ReadIntset(bytes);
  static_cast<void>(aeris::storage::ValidStreamBlock(bytes, {1, 1}));
  return 0;
}
