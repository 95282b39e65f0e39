#include "storage/stream_block.h"

#include <algorithm>
#include <optional>

#include "src/base/check.h"

namespace aeris::storage {
namespace {

using Position = PackedView::Position;

constexpr std::int64_t kDeleted = 1;
constexpr std::int64_t kSameFields = 2;

constexpr Position kLiveAt = PackedView::kHeadBytes;
// Items of an entry beside its fields: flags, ms, seq, and the number of fields when it has its own
// names. Their count, which ends it, does not count itself.
constexpr std::size_t kEntryItems = 3;
constexpr std::size_t kOwnFieldsItems = kEntryItems + 1;
constexpr std::size_t kIntegerBytesMax = PackedView::kItemBytesMax;

std::uint64_t IntegerAt(PackedView view, Position at) {
  return static_cast<std::uint64_t>(view.Get(at).integer);
}

// Differences of ids wrap round, as Redis stores them.
std::int64_t Difference(std::uint64_t a, std::uint64_t b) {
  return static_cast<std::int64_t>(a - b);
}

}  // namespace

// --- Reading

StreamBlockView::StreamBlockView(std::string_view bytes, StreamId first)
    : view_(bytes), first_(first) {
  Position at = kLiveAt;
  live_ = IntegerAt(view_, at);
  at = Over(at);
  deleted_ = IntegerAt(view_, at);
  at = Over(at);
  fields_ = IntegerAt(view_, at);
  names_ = Over(at);
  begin_ = Over(names_, fields_ + 1);
}

// The usual items are short.
Position StreamBlockView::Over(Position at) const {
  const auto head = static_cast<std::uint8_t>(view_.bytes()[at]);
  if (head < 0x80) return at + 2;
  if (head < 0xc0) return at + 2 + (head & 0x3f);
  return at + view_.ItemBytes(at);
}

Position StreamBlockView::Over(Position at, std::size_t items) const {
  for (; items > 0; --items) at = Over(at);
  return at;
}

StreamBlockEntry StreamBlockView::Read(Position at) const {
  StreamBlockEntry entry;
  entry.at = at;
  const auto flags = static_cast<std::int64_t>(IntegerAt(view_, at));
  entry.deleted = (flags & kDeleted) != 0;
  entry.same_fields = (flags & kSameFields) != 0;
  at = Over(at);
  entry.id.ms = first_.ms + IntegerAt(view_, at);
  at = Over(at);
  entry.id.seq = first_.seq + IntegerAt(view_, at);
  at = Over(at);
  if (entry.same_fields) {
    entry.fields = fields_;
    entry.names = names_;
  } else {
    entry.fields = IntegerAt(view_, at);
    at = Over(at);
    entry.names = at;
  }
  entry.values = at;
  return entry;
}

Position StreamBlockView::After(const StreamBlockEntry& entry) const {
  return Over(entry.values, entry.same_fields ? entry.fields + 1 : 2 * entry.fields + 1);
}

Position StreamBlockView::Before(Position at) const {
  at = at == end() ? view_.Last() : view_.Previous(at);
  for (std::uint64_t items = IntegerAt(view_, at); items > 0; --items) at = view_.Previous(at);
  return at;
}

StreamId LastIdOf(std::string_view bytes, StreamId first) {
  const StreamBlockView view(bytes, first);
  return view.Read(view.Before(view.end())).id;
}

// --- Changing

void StreamBlockEditor::Start(std::span<const std::string_view> pairs) {
  const std::size_t fields = pairs.size() / 2;
  std::size_t bytes_max = 4 * kIntegerBytesMax;
  for (std::size_t i = 0; i < pairs.size(); i += 2) {
    bytes_max += pairs[i].size() + PackedView::kItemBytesMax;
  }
  block_.AppendWith(bytes_max, fields + 4, [&](char* to) {
    to = PackedView::WriteItem(to, std::int64_t{0});
    to = PackedView::WriteItem(to, std::int64_t{0});
    to = PackedView::WriteItem(to, static_cast<std::int64_t>(fields));
    for (std::size_t i = 0; i < pairs.size(); i += 2) to = PackedView::WriteItem(to, pairs[i]);
    return PackedView::WriteItem(to, std::int64_t{0});
  });
}

std::size_t StreamBlockEditor::EntryBytesMax(std::span<const std::string_view> pairs) {
  std::size_t bytes = (kOwnFieldsItems + 1) * kIntegerBytesMax;
  for (const std::string_view text : pairs) bytes += text.size() + PackedView::kItemBytesMax;
  return bytes;
}

std::size_t StreamBlockEditor::NewBlockBytesMax(std::span<const std::string_view> pairs) {
  // Its names stand in the master entry alone, their items' heads are counted in addition.
  return PackedView::kEmptyBytes + 4 * kIntegerBytesMax + EntryBytesMax(pairs) +
         pairs.size() / 2 * PackedView::kItemBytesMax;
}

bool StreamBlockEditor::HasFieldsOf(const StreamBlockView& view,
                                    std::span<const std::string_view> pairs) const {
  if (view.fields_ != pairs.size() / 2) return false;
  Position name = view.names_;
  for (std::size_t i = 0; i < pairs.size(); i += 2) {
    if (!view.view_.Is(name, pairs[i])) return false;
    name = view.Over(name);
  }
  return true;
}

bool StreamBlockEditor::Append(StreamId id, std::span<const std::string_view> pairs,
                               std::size_t bytes_usual) {
  const StreamBlockView view(block_.bytes(), first_);
  const bool same = HasFieldsOf(view, pairs);
  const std::size_t live = view.live() + 1;
  const std::size_t deleted = view.deleted();
  const std::size_t fields = pairs.size() / 2;
  const std::size_t items = same ? kEntryItems + fields : kOwnFieldsItems + 2 * fields;
  const std::size_t bytes_max = EntryBytesMax(pairs);

  const std::size_t bytes = block_.bytes().size();
  if (bytes + bytes_max > block_.capacity_bytes()) {
    const std::size_t more = bytes < bytes_usual ? std::min(2 * bytes, bytes_usual) : bytes / 4 * 5;
    block_.Reserve(std::max(bytes + bytes_max, more));
  }
  block_.AppendWith(bytes_max, items + 1, [&](char* to) {
    to = PackedView::WriteItem(to, same ? kSameFields : 0);
    to = PackedView::WriteItem(to, Difference(id.ms, first_.ms));
    to = PackedView::WriteItem(to, Difference(id.seq, first_.seq));
    if (!same) to = PackedView::WriteItem(to, static_cast<std::int64_t>(fields));
    for (std::size_t i = 0; i < pairs.size(); i += 2) {
      if (!same) to = PackedView::WriteItem(to, pairs[i]);
      to = PackedView::WriteItem(to, pairs[i + 1]);
    }
    return PackedView::WriteItem(to, static_cast<std::int64_t>(items));
  });
  return SetCounts(live, deleted);
}

bool StreamBlockEditor::SetCounts(std::size_t live, std::size_t deleted) {
  // One byte while it is below 128.
  const auto set = [&](Position at, std::size_t count) {
    if (count < 128 && static_cast<std::uint8_t>(block_.raw()[at]) < 128) {
      block_.raw()[at] = static_cast<char>(count);
    } else {
      block_.Replace(at, static_cast<std::int64_t>(count));
    }
  };
  const std::size_t bytes = block_.bytes().size();
  set(kLiveAt, live);
  set(kLiveAt + block_.view().ItemBytes(kLiveAt), deleted);
  return block_.bytes().size() != bytes;
}

Position StreamBlockEditor::MarkDeleted(const StreamBlockEntry& entry) {
  const StreamBlockView view(block_.bytes(), first_);
  AERIS_DCHECK(!entry.deleted);
  block_.raw()[entry.at] = static_cast<char>((entry.same_fields ? kSameFields : 0) | kDeleted);
  const std::size_t bytes = block_.bytes().size();
  SetCounts(view.live() - 1, view.deleted() + 1);
  return static_cast<Position>(block_.bytes().size() - bytes);
}

void StreamBlockEditor::DropDeletedAbove(StreamId id) {
  while (true) {
    const StreamBlockView view(block_.bytes(), first_);
    const Position at = view.Before(view.end());
    const StreamBlockEntry entry = view.Read(at);
    if (entry.id <= id) return;
    AERIS_CHECK(entry.deleted);
    const std::size_t fields = entry.same_fields ? entry.fields : 2 * entry.fields + 1;
    block_.Erase(at, kEntryItems + fields + 1);
    SetCounts(view.live(), view.deleted() - 1);
  }
}

// --- Checking what came from outside

namespace {

// Reads the items of a listpack that is valid one after the other; every step may find its end.
class ItemReader {
 public:
  explicit ItemReader(std::string_view bytes) : view_(bytes), at_(view_.First()) {}

  bool done() const { return at_ == PackedView::kEnd; }
  std::optional<std::int64_t> Integer() {
    if (done()) return std::nullopt;
    const PackedItem item = view_.Get(at_);
    at_ = view_.Next(at_);
    if (!item.is_integer) return std::nullopt;
    return item.integer;
  }
  // Flags are changed in place: they have to have the form of one byte.
  std::optional<std::int64_t> Flags() {
    if (done() || static_cast<std::uint8_t>(view_.bytes()[at_]) > (kDeleted | kSameFields)) {
      return std::nullopt;
    }
    return Integer();
  }
  // An integer that counts items which are there: at least 1, at most as many as bytes.
  std::optional<std::size_t> Count() {
    const auto count = Integer();
    if (!count || *count < 1) return std::nullopt;
    const auto size = static_cast<std::uint64_t>(*count);
    if (size > view_.bytes().size()) return std::nullopt;
    return size;
  }
  bool Skip(std::size_t items) {
    for (; items > 0 && !done(); --items) at_ = view_.Next(at_);
    return items == 0;
  }

 private:
  PackedView view_;
  Position at_;
};

}  // namespace

bool ValidStreamBlock(std::string_view bytes, StreamId first) {
  if (!PackedView::Valid(bytes)) return false;
  ItemReader reader(bytes);
  const auto live = reader.Integer();
  const auto deleted = reader.Integer();
  const auto fields = live && deleted ? reader.Count() : std::nullopt;
  if (!fields || !reader.Skip(*fields) || reader.Integer() != 0) return false;
  std::int64_t live_found = 0;
  std::int64_t deleted_found = 0;
  std::optional<StreamId> last;
  while (!reader.done()) {
    const auto flags = reader.Flags();
    const auto ms = flags ? reader.Integer() : std::nullopt;
    const auto seq = ms ? reader.Integer() : std::nullopt;
    if (!seq) return false;
    const StreamId id{first.ms + static_cast<std::uint64_t>(*ms),
                      first.seq + static_cast<std::uint64_t>(*seq)};
    if (last ? id <= *last : id < first) return false;
    last = id;
    const bool same = (*flags & kSameFields) != 0;
    const auto own = same ? fields : reader.Count();
    if (!own) return false;
    const std::size_t texts = same ? *own : 2 * *own;
    if (!reader.Skip(texts)) return false;
    const std::size_t items = (same ? kEntryItems : kOwnFieldsItems) + texts;
    if (reader.Integer() != static_cast<std::int64_t>(items)) return false;
    ++((*flags & kDeleted) != 0 ? deleted_found : live_found);
  }
  return last && live == live_found && deleted == deleted_found;
}

}  // namespace aeris::storage
