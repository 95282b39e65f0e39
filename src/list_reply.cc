#include "src/list_reply.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "src/packed_reply.h"

namespace aeris {
namespace {

using storage::PackedView;

// Heads of packed items (storage/packed_block.h): texts of up to 63 bytes are 10xxxxxx.
constexpr std::uint8_t kTextMask = 0xc0;
constexpr std::uint8_t kText = 0x80;
// "$63\r\n", the text, "\r\n".
constexpr std::size_t kReplyBytesMax = 5 + 63 + 2;
// Copied whole where the block and the reply have so many bytes, whatever the text's size.
constexpr std::size_t kWideCopy = 16;
// Items for which room is reserved at once.
constexpr std::size_t kItemsAtOnce = 32;

char* WriteText(char* to, const char* text, std::size_t size, const char* end) {
  *to++ = '$';
  if (size >= 10) *to++ = static_cast<char>('0' + size / 10);
  *to++ = static_cast<char>('0' + size % 10);
  *to++ = '\r';
  *to++ = '\n';
  if (size <= kWideCopy && end - text >= static_cast<std::ptrdiff_t>(kWideCopy)) {
    std::memcpy(to, text, kWideCopy);
  } else {
    std::memcpy(to, text, size);
  }
  to += size;
  *to++ = '\r';
  *to++ = '\n';
  return to;
}

// Short texts of one block from `at` on, until `count` are written, another kind of item comes or
// the block ends. Returns how many; `at` is where it stopped.
std::size_t WriteRun(protocol::ReplyBuffer& buffer, PackedView view, PackedView::Position& at,
                     std::size_t count) {
  const char* const block = view.bytes().data();
  const char* const end = block + view.bytes().size();  // behind the end mark, which is no text
  std::size_t written = 0;
  while (written < count) {
    const std::size_t items = std::min(count - written, kItemsAtOnce);
    char* const begin = buffer.Reserve(items * kReplyBytesMax + kWideCopy);
    char* to = begin;
    std::size_t i = 0;
    for (; i < items; ++i) {
      const char* const item = block + at;
      const auto head = static_cast<std::uint8_t>(*item);
      if ((head & kTextMask) != kText) break;
      const auto size = static_cast<std::size_t>(head - kText);
      to = WriteText(to, item + 1, size, end);
      at += static_cast<PackedView::Position>(size + 2);
    }
    buffer.Commit(static_cast<std::size_t>(to - begin));
    written += i;
    if (i < items) break;
  }
  return written;
}

}  // namespace

void ReplyItems(protocol::ReplyWriter& reply, storage::ListView::Cursor from, std::size_t count) {
  if (reply.muted()) return;
  for (;;) {
    const PackedView view = from.view();
    const auto block_end = static_cast<PackedView::Position>(view.bytes().size() - 1);
    PackedView::Position at = from.at();
    while (count > 0 && at != block_end) {
      count -= WriteRun(reply.buffer(), view, at, count);
      if (count == 0 || at == block_end) break;
      ReplyItem(reply, view.Get(at));
      at += view.ItemBytes(at);
      --count;
    }
    if (count == 0 || !from.NextBlock()) return;
  }
}

void ReplyItemsBackwards(protocol::ReplyWriter& reply, storage::ListView::Cursor from,
                         std::size_t count) {
  for (; count > 0; --count) {
    ReplyItem(reply, from.item());
    if (count > 1 && !from.Previous()) return;
  }
}

}  // namespace aeris
