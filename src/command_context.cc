#include "src/command_context.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "protocol/reply_buffer.h"
#include "src/base/memory_probe.h"
#include "src/base/number_text.h"
#include "src/blob_argument.h"
#include "src/client.h"
#include "src/command_table.h"
#include "src/error_replies.h"
#include "src/server.h"
#include "src/text.h"

namespace aeris {
namespace {

// From here on a value is sent from where it is stored instead of being copied.
constexpr std::size_t kPinnedBytesMin = 32 * 1024;

}  // namespace

CommandContext::CommandContext(Server& server, Client& client, const Command& command,
                               std::span<std::string_view> arguments, protocol::ReplyWriter& reply,
                               UnixMs now, std::span<const std::uint64_t> key_hashes,
                               ServedCommand* served)
    : server_(server),
      client_(client),
      command_(command),
      arguments_(arguments),
      reply_(reply),
      keyspace_(server.databases()[static_cast<std::size_t>(client.database)]),
      events_(server.events()),
      now_(now),
      key_hashes_(key_hashes),
      served_(served) {}

int CommandContext::database() const { return client_.database; }

bool CommandContext::CouldHold(std::uint64_t bytes) const {
  return server_.eviction().CouldHold(static_cast<std::size_t>(client_.database), bytes);
}

bool CommandContext::RoomIn(std::size_t database, std::uint64_t bytes) const {
  if (server_.eviction().MakeRoomIn(database, bytes)) return true;
  ReplyOutOfMemory();
  return false;
}

bool CommandContext::ArgIs(std::size_t index, std::string_view lower_case) const {
  return EqualsIgnoringCase(arguments_[index], lower_case);
}

storage::LooseBlob* CommandContext::LooseArg(std::size_t index) const {
  for (const auto& argument : client_.parser().blocks()) {
    // The parser may be at a later request already.
    if (argument.index != index || argument.data != arguments_[index].data()) continue;
    return &static_cast<BlobArgument&>(*argument.block).blob();
  }
  return nullptr;
}

storage::HashedKey CommandContext::Key(std::size_t index) const { return KeyOfRange(index); }

// A call of its own for most; what every GET passes through is inlined.
[[gnu::always_inline]] inline storage::HashedKey CommandContext::KeyOfRange(
    std::size_t index) const {
  const KeyRange& range = command_.key_range();
  if (index == range.first && !key_hashes_.empty()) [[likely]]
    return {arguments_[index], key_hashes_[0]};
  const std::size_t beyond = index - range.first;
  // One key after the other: no division.
  const std::size_t position = range.step == 1 ? beyond : beyond / range.step;
  if (index >= range.first && position < key_hashes_.size() && position * range.step == beyond) {
    return {arguments_[index], key_hashes_[position]};
  }
  return keyspace_.Hash(arguments_[index]);
}

void CommandContext::PrefetchAhead(std::size_t index) const {
  constexpr std::size_t kEntriesAhead = 16;
  constexpr std::size_t kBucketsAhead = 2 * kEntriesAhead;
  // The batch has asked for the first ones.
  if (key_hashes_.size() <= RequestBatch::kKeysMax) return;
  const KeyRange& range = command_.key_range();
  const std::size_t position = (index - range.first) / range.step;
  const auto wanted = [&](std::size_t ahead) {
    return position + ahead >= RequestBatch::kKeysMax && position + ahead < key_hashes_.size();
  };
  if (wanted(kBucketsAhead)) keyspace_.PrefetchBucket(key_hashes_[position + kBucketsAhead]);
  if (wanted(kEntriesAhead)) keyspace_.PrefetchEntry(key_hashes_[position + kEntriesAhead]);
}

[[gnu::always_inline]] inline storage::EntryView CommandContext::Read(std::size_t index) const {
  const storage::EntryView entry = keyspace_.Find(
      KeyOfRange(index), now_, client_.no_touch ? storage::kNoTouch : storage::kForRead);
  if (!entry) NotifyMissed(index);
  return entry;
}

storage::EntryView CommandContext::FindForRead(std::size_t index) const { return Read(index); }

storage::EntryView CommandContext::FindForWrite(std::size_t index) const {
  return keyspace_.Find(Key(index), now_, storage::kForWrite);
}

bool CommandContext::FindForRead(std::size_t index, storage::ValueType type,
                                 storage::EntryView& entry) const {
  entry = Read(index);
  if (!entry || entry.type() == type) [[likely]]
    return true;
  reply_.Error(err::kWrongType);
  return false;
}

bool CommandContext::FindForWrite(std::size_t index, storage::ValueType type,
                                  storage::EntryView& entry) const {
  entry = FindForWrite(index);
  if (!entry || entry.type() == type) [[likely]]
    return true;
  reply_.Error(err::kWrongType);
  return false;
}

std::optional<std::int64_t> CommandContext::IntegerArg(std::size_t index) const {
  const std::optional<std::int64_t> value = ParseInt64(arguments_[index]);
  if (!value) reply_.Error(err::kNotInteger);
  return value;
}

std::optional<std::int64_t> CommandContext::IntegerArg(std::size_t index, std::int64_t min,
                                                       std::int64_t max,
                                                       std::string_view error) const {
  const std::optional<std::int64_t> value = ParseInt64(arguments_[index]);
  if (value && *value >= min && *value <= max) return value;
  reply_.Error(error);
  return std::nullopt;
}

void CommandContext::ReplyString(storage::EntryView entry) const {
  if (entry.is_integer()) return reply_.BulkInteger(entry.integer());
  const std::string_view text = entry.text();
  if (text.size() < kPinnedBytesMin) [[likely]]
    return reply_.Bulk(text);
  ReplyBlob(storage::PinnedText(entry));
}

void CommandContext::ReplyBlob(storage::BlobRef blob) const {
  const std::string_view text = blob.text();
  if (text.size() < kPinnedBytesMin) return reply_.Bulk(text);
  // The reply holds a reference to the block until it is sent, whatever happens to the key.
  struct Held {
    storage::BlobRef blob;
    storage::Disposal& disposal;
  };
  const auto release = [](void* object) {
    const std::unique_ptr<Held> held(static_cast<Held*>(object));
    storage::DropBlob(std::move(held->blob), &held->disposal);
  };
  auto held = std::make_unique<Held>(Held{std::move(blob), server_.lazy_free()});
  reply_.BulkPinned(text, {held.release(), release});
}

bool CommandContext::Stored(storage::StoreResult result) const {
  if (result != storage::StoreResult::kNoMemory) [[likely]]
    return true;
  ReplyOutOfMemory();
  return false;
}

void CommandContext::ReplyOutOfMemory() const { reply_.Error(err::kOutOfMemory); }

bool CommandContext::MemoryFor(std::size_t bytes) const {
  constexpr std::size_t kUnaskedMax = std::size_t{1} << 20;
  if (bytes <= kUnaskedMax || CanAllocate(bytes)) [[likely]]
    return true;
  ReplyOutOfMemory();
  return false;
}

void CommandContext::ReplyWrongArity() const {
  reply_.Error(fmt::format("ERR wrong number of arguments for '{}' command", command_.full_name()));
}

void CommandContext::Redact(std::size_t index) const { arguments_[index] = "(redacted)"; }

void CommandContext::Changed(std::uint64_t keys) const { server_.stats().changes += keys; }

void CommandContext::NotifyIfGone(std::size_t index) const {
  if (!events_.wants(KeyEvent::kGeneric)) [[likely]]
    return;
  if (!keyspace_.Find(Key(index), now_, storage::kPeek)) Notify(KeyEvent::kGeneric, "del", index);
}

void CommandContext::BlockOn(std::span<const std::size_t> keys, const BlockedWait& wait) const {
  if (served_ != nullptr) {
    served_->waits_on = true;
  } else if (client_.deny_blocking) {
    wait.null_when_denied ? reply_.Null() : reply_.NullArray();
  } else {
    server_.blocked_clients().Block(*this, keys, wait);
  }
}

void CommandContext::SignalReady(std::size_t database, std::string_view key) const {
  BlockedClients& blocked = server_.blocked_clients();
  if (!blocked.empty()) [[unlikely]]
    blocked.Signal(database, key);
}

void CommandContext::SignalDatabase(std::size_t database) const {
  BlockedClients& blocked = server_.blocked_clients();
  if (!blocked.empty()) [[unlikely]]
    blocked.SignalDatabase(database);
}

}  // namespace aeris
