#include "storage/value_payload.h"

#include <string_view>
#include <unordered_set>
#include <utility>

#include "storage/intset.h"
#include "storage/packed_block.h"
#include "storage/rdb_format.h"

namespace aeris::storage {

using rdb::Type;

namespace {

void WriteType(RdbWriter& out, Type type) { out.Byte(static_cast<std::uint8_t>(type)); }

// --- Writing

void WriteString(RdbWriter& out, EntryView entry) {
  WriteType(out, Type::kString);
  if (entry.is_integer()) return out.Integer(entry.integer());
  out.Text(entry.text());
}

void WriteSet(RdbWriter& out, EntryView entry) {
  if (entry.packed() && entry.form() == PackedForm::kIntset) {
    WriteType(out, Type::kIntset);
    return out.Text(entry.block());
  }
  const SetView set(entry);
  WriteType(out, Type::kSet);
  out.Length(set.size());
  set.ForEach([&](std::string_view member) { out.Text(member); });
}

// --- Reading

using Items = std::vector<std::string>;

// `count` texts, at least one.
bool ReadTexts(RdbReader& in, std::uint64_t count, Items& items) {
  if (count == 0) return false;
  for (std::uint64_t i = 0; i < count; ++i) {
    auto text = in.TakeText();
    if (!text) return false;
    items.push_back(*std::move(text));
  }
  return true;
}

bool ReadTexts(RdbReader& in, Items& items) {
  const auto count = in.TakeCount();
  return count && ReadTexts(in, *count, items);
}

// The items of a block, at least one.
bool ReadBlock(std::string_view bytes, Items& items) {
  if (!PackedView::Valid(bytes)) return false;
  const PackedView block(bytes);
  for (auto at = block.First(); at != PackedView::kEnd; at = block.Next(at)) {
    items.push_back(block.Get(at).String());
  }
  return !block.empty();
}

bool ReadBlock(RdbReader& in, Items& items) {
  const auto bytes = in.TakeText();
  return bytes && ReadBlock(*bytes, items);
}

bool ReadIntset(RdbReader& in, Items& items) {
  const auto bytes = in.TakeText();
  if (!bytes || !IntsetView::Valid(*bytes)) return false;
  const IntsetView set(*bytes);
  for (std::size_t i = 0; i < set.size(); ++i) items.push_back(std::to_string(set[i]));
  return true;
}

// Whether the items at every `step`th place are all different.
bool AllDifferent(const Items& items, std::size_t step) {
  std::unordered_set<std::string_view> seen;
  seen.reserve(items.size() / step);
  for (std::size_t i = 0; i < items.size(); i += step) {
    if (!seen.insert(items[i]).second) return false;
  }
  return true;
}

bool ReadBody(RdbReader& in, Type type, PayloadValue& value) {
  switch (type) {
    case Type::kString: {
      auto text = in.TakeText();
      if (!text) return false;
      value.text = *std::move(text);
      return true;
    }
    case Type::kSet:
      value.type = ValueType::kSet;
      return ReadTexts(in, value.items) && AllDifferent(value.items, 1);
    case Type::kSetListpack:
      value.type = ValueType::kSet;
      return ReadBlock(in, value.items) && AllDifferent(value.items, 1);
    case Type::kIntset:
      value.type = ValueType::kSet;
      return ReadIntset(in, value.items);
    default:
      return false;
  }
}

// --- Storing

StoreResult StoreSet(Keyspace& keyspace, const HashedKey& key, const Items& items,
                     const SetLimits& limits, UnixMs now) {
  SetEditor set = SetEditor::New(keyspace, key, limits, now);
  for (const std::string& member : items) {
    if (set.Add(member) == StoreResult::kNoMemory) return StoreResult::kNoMemory;
  }
  return set.Commit();
}

StoreResult StoreCollection(Keyspace& keyspace, const HashedKey& key, const PayloadValue& value,
                            const ValueLimits& limits, UnixMs now) {
  switch (value.type) {
    case ValueType::kSet:
      return StoreSet(keyspace, key, value.items, limits.set, now);
    default:
      return StoreResult::kNoKey;
  }
}

}  // namespace

std::uint16_t WriteValue(RdbWriter& out, EntryView entry, UnixMs /*now*/) {
  switch (entry.type()) {
    case ValueType::kString:
      WriteString(out, entry);
      break;
    case ValueType::kSet:
      WriteSet(out, entry);
      break;
    default:
      break;
  }
  return rdb::kVersion;
}

std::optional<PayloadValue> ReadValue(RdbReader& in) {
  const auto type = in.TakeByte();
  PayloadValue value;
  if (!type || !ReadBody(in, static_cast<Type>(*type), value)) return std::nullopt;
  return value;
}

StoreResult StoreValue(Keyspace& keyspace, const HashedKey& key, PayloadValue value,
                       UnixMs deadline, const ValueLimits& limits, UnixMs now) {
  if (value.type == ValueType::kString) {
    return keyspace.SetString(key, value.text, now, {.deadline = deadline});
  }
  const StoreResult stored = StoreCollection(keyspace, key, value, limits, now);
  if (stored != StoreResult::kStored || deadline == kNoDeadline) return stored;
  return keyspace.SetDeadline(key, deadline, now);
}

}  // namespace aeris::storage
