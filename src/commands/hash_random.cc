#include "src/commands/hash_random.h"

#include <algorithm>
#include <optional>
#include <unordered_set>
#include <vector>

#include "src/base/random.h"
#include "src/commands/hash_arguments.h"
#include "src/commands/random_draws.h"
#include "src/packed_reply.h"
#include "src/server.h"
#include "storage/hash_value.h"

namespace aeris {
namespace {

using storage::EntryView;
using storage::HashField;
using storage::HashView;
using Handle = HashView::Handle;

// Memory for what Handles() gives. False after the OOM reply.
bool MemoryForHandles(const CommandContext& context, const HashView& hash) {
  return context.MemoryFor(hash.size() * sizeof(Handle));
}

// Any field, also when most of them have expired.
std::optional<Handle> AnyField(const HashView& hash, Random& random) {
  if (const auto handle = hash.RandomHandle(random)) return handle;
  const std::vector<Handle> live = hash.Handles();
  if (live.empty()) return std::nullopt;
  return live[random.Below(live.size())];
}

class FieldsReply {
 public:
  FieldsReply(const CommandContext& context, const HashView& hash, bool with_values)
      : context_(context), hash_(hash), with_values_(with_values) {}

  // Before so many fields.
  void Head(std::size_t count) const {
    context_.reply().Array(with_values_ && !nested() ? 2 * count : count);
  }
  void Field(Handle handle) const {
    const HashField field = hash_.At(handle);
    if (nested()) context_.reply().Array(2);
    ReplyItem(context_.reply(), field.name);
    if (with_values_) ReplyFieldValue(context_, field);
  }

 private:
  bool nested() const { return with_values_ && context_.reply().resp() > 2; }

  const CommandContext& context_;
  const HashView& hash_;
  bool with_values_;
};

// So many fields, each chosen anew. Written as they are chosen: the count is the client's.
void ReplyRepeated(CommandContext& context, const HashView& hash, const FieldsReply& reply,
                   std::uint64_t count) {
  Random& random = context.server().random();
  // Where a choice takes long, among these.
  std::vector<Handle> live;
  const bool may_need_all = !hash.cheap_to_pick() || !hash.exact();
  if (may_need_all && !MemoryForHandles(context, hash)) return;
  const auto choose = [&]() -> std::optional<Handle> {
    if (live.empty() && hash.cheap_to_pick()) {
      if (const auto handle = hash.RandomHandle(random)) return handle;
    }
    if (live.empty()) live = hash.Handles();
    if (live.empty()) return std::nullopt;
    return live[random.Below(live.size())];
  };
  std::optional<Handle> chosen = choose();
  if (!chosen) return context.reply().EmptyArray();
  reply.Head(count);
  DrawRepeatedly(context, count, [&] {
    reply.Field(*chosen);
    chosen = choose();
  });
}

// `count` of the fields, drawn until they differ. False, and no reply, when too many have expired.
bool ReplyDrawn(CommandContext& context, const HashView& hash, const FieldsReply& reply,
                std::size_t count) {
  constexpr std::size_t kDrawsPerField = 4;
  constexpr std::size_t kDrawsMin = 64;
  std::unordered_set<Handle> drawn;
  drawn.reserve(count);
  for (std::size_t draws = 0; drawn.size() < count; ++draws) {
    if (draws > kDrawsMin + kDrawsPerField * count) return false;
    if (const auto handle = hash.RandomHandle(context.server().random())) drawn.insert(*handle);
  }
  reply.Head(count);
  for (const Handle handle : drawn) reply.Field(handle);
  return true;
}

// All fields, or `count` of them in their order.
void ReplySelected(CommandContext& context, const HashView& hash, const FieldsReply& reply,
                   std::uint64_t count) {
  if (!MemoryForHandles(context, hash)) return;
  const std::vector<Handle> live = hash.Handles();
  std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(count, live.size()));
  reply.Head(wanted);
  for (std::size_t i = 0; i < live.size() && wanted > 0; ++i) {
    if (context.server().random().Below(live.size() - i) >= wanted) continue;
    reply.Field(live[i]);
    --wanted;
  }
}

void ReplyDifferent(CommandContext& context, const HashView& hash, const FieldsReply& reply,
                    std::uint64_t count) {
  constexpr std::size_t kDrawnShare = 3;
  constexpr std::size_t kDrawnBytes = 6 * sizeof(Handle);  // in a table: a node and its buckets
  const bool few = count < hash.size() / kDrawnShare;
  if (few && !context.MemoryFor(kDrawnBytes * static_cast<std::size_t>(count))) return;
  if (few && hash.cheap_to_pick() &&
      ReplyDrawn(context, hash, reply, static_cast<std::size_t>(count))) {
    return;
  }
  ReplySelected(context, hash, reply, count);
}

}  // namespace

void HRandField(CommandContext& context) {
  if (context.argc() == 2) {
    EntryView entry;
    if (!context.FindForRead(1, storage::ValueType::kHash, entry)) return;
    if (!entry) return context.reply().Null();
    const HashView hash(entry, context.now());
    if (!hash.exact() && !MemoryForHandles(context, hash)) return;
    const auto handle = AnyField(hash, context.server().random());
    if (!handle) return context.reply().Null();
    return ReplyItem(context.reply(), hash.At(*handle).name);
  }
  const auto form = DrawFormArgs(context, "withvalues");
  if (!form) return;
  EntryView entry;
  if (!context.FindForRead(1, storage::ValueType::kHash, entry)) return;
  if (!entry || form->count == 0) return context.reply().EmptyArray();
  const HashView hash(entry, context.now());
  const FieldsReply reply(context, hash, form->whole);
  if (form->repeated) {
    ReplyRepeated(context, hash, reply, form->count);
  } else {
    ReplyDifferent(context, hash, reply, form->count);
  }
}

}  // namespace aeris
