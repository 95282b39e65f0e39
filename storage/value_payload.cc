#include "storage/value_payload.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "storage/intset.h"
#include "storage/packed_block.h"
#include "storage/rdb_format.h"
#include "storage/stream_payload.h"

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

void WriteList(RdbWriter& out, EntryView entry) {
  const auto write_block = [&](PackedView block) {
    out.Length(static_cast<std::uint64_t>(rdb::NodeForm::kPacked));
    out.Text(block.bytes());
  };
  WriteType(out, Type::kListListpacks);
  const ListView list(entry);
  std::uint64_t blocks = 1;
  for (auto at = list.At(0); at.NextBlock();) ++blocks;
  out.Length(blocks);
  auto at = list.At(0);
  do {
    write_block(at.view());
  } while (at.NextBlock());
}

void WriteHash(RdbWriter& out, EntryView entry, UnixMs now) {
  if (entry.packed()) {
    WriteType(out, Type::kHashListpack);
    return out.Text(entry.block());
  }
  const HashView hash(entry, now);
  std::uint64_t fields = 0;
  UnixMs earliest = kNoDeadline;
  hash.ForEach([&](const HashField& field) {
    ++fields;
    const UnixMs deadline = field.deadline();
    if (deadline == kNoDeadline) return;
    earliest = earliest == kNoDeadline ? deadline : std::min(earliest, deadline);
  });
  const bool dated = earliest != kNoDeadline;
  WriteType(out, dated ? Type::kHashDeadlines : Type::kHash);
  if (dated) out.Milliseconds(earliest);
  out.Length(fields);
  hash.ForEach([&](const HashField& field) {
    IntegerText scratch;
    // 0 is no deadline.
    if (dated) {
      const UnixMs deadline = field.deadline();
      out.Length(deadline == kNoDeadline ? 0 : static_cast<std::uint64_t>(deadline - earliest) + 1);
    }
    out.Text(field.name.Text(scratch));
    out.Text(field.value.Text(scratch));
  });
}

// The highest score first, as Redis writes them.
void WriteZset(RdbWriter& out, EntryView entry) {
  if (entry.packed()) {
    WriteType(out, Type::kZsetListpack);
    return out.Text(entry.block());
  }
  const ZsetView zset(entry);
  WriteType(out, Type::kZset);
  out.Length(zset.size());
  zset.Walk(zset.size() - 1, zset.size(), true, [&](std::string_view member, double score) {
    out.Text(member);
    out.Double(score);
  });
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

// The nodes of a list; empty ones are passed over.
bool ReadNodes(RdbReader& in, Items& items) {
  const auto nodes = in.TakeCount();
  if (!nodes) return false;
  for (std::uint64_t i = 0; i < *nodes; ++i) {
    const auto form = in.TakeLength();
    auto node = form ? in.TakeText() : std::nullopt;
    if (!node) return false;
    switch (static_cast<rdb::NodeForm>(*form)) {
      case rdb::NodeForm::kPlain:
        items.push_back(*std::move(node));
        break;
      case rdb::NodeForm::kPacked:
        if (!PackedView::Valid(*node)) return false;
        if (!PackedView(*node).empty()) ReadBlock(*node, items);
        break;
      default:
        return false;
    }
  }
  return !items.empty();
}

// Fields and values in turn, no field twice.
bool AreFields(const Items& items) { return items.size() % 2 == 0 && AllDifferent(items, 2); }

bool ReadHash(RdbReader& in, Items& items) {
  const auto fields = in.TakeCount();
  return fields && ReadTexts(in, 2 * *fields, items) && AreFields(items);
}

bool ReadHashWithDeadlines(RdbReader& in, PayloadValue& value) {
  const auto earliest = in.TakeMilliseconds();
  const auto fields = earliest ? in.TakeCount() : std::nullopt;
  if (!fields || *earliest < 0) return false;
  for (std::uint64_t i = 0; i < *fields; ++i) {
    constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<UnixMs>::max());
    const auto beyond = in.TakeLength();
    if (!beyond || *beyond > kMax - static_cast<std::uint64_t>(*earliest)) return false;
    value.deadlines.push_back(*beyond == 0 ? kNoDeadline
                                           : *earliest + static_cast<UnixMs>(*beyond) - 1);
    if (!ReadTexts(in, 2, value.items)) return false;
  }
  return *fields != 0 && AreFields(value.items);
}

using Elements = std::vector<ScoredMember>;

bool AreElements(const Elements& elements) {
  std::unordered_set<std::string_view> seen;
  seen.reserve(elements.size());
  for (const ScoredMember& element : elements) {
    if (std::isnan(element.score) || !seen.insert(element.member).second) return false;
  }
  return !elements.empty();
}

bool ReadElements(RdbReader& in, bool scores_as_text, Elements& elements) {
  const auto count = in.TakeCount();
  if (!count) return false;
  for (std::uint64_t i = 0; i < *count; ++i) {
    auto member = in.TakeText();
    if (!member) return false;
    const auto score = scores_as_text ? in.TakeDoubleText() : in.TakeDouble();
    if (!score) return false;
    elements.push_back({*std::move(member), *score});
  }
  return AreElements(elements);
}

bool ReadPackedElements(RdbReader& in, Elements& elements) {
  Items items;
  if (!ReadBlock(in, items) || items.size() % 2 != 0) return false;
  for (std::size_t i = 0; i < items.size(); i += 2) {
    const auto score = ParseDouble(items[i + 1]);
    if (!score) return false;
    elements.push_back({std::move(items[i]), *score});
  }
  return AreElements(elements);
}

bool ReadBody(RdbReader& in, Type type, PayloadValue& value) {
  switch (type) {
    case Type::kList:
      value.type = ValueType::kList;
      return ReadTexts(in, value.items);
    case Type::kListListpacks:
      value.type = ValueType::kList;
      return ReadNodes(in, value.items);
    case Type::kHash:
      value.type = ValueType::kHash;
      return ReadHash(in, value.items);
    case Type::kHashListpack:
      value.type = ValueType::kHash;
      return ReadBlock(in, value.items) && AreFields(value.items);
    case Type::kHashDeadlines:
      value.type = ValueType::kHash;
      return ReadHashWithDeadlines(in, value);
    case Type::kZset:
    case Type::kZsetText:
      value.type = ValueType::kZset;
      return ReadElements(in, type == Type::kZsetText, value.elements);
    case Type::kZsetListpack:
      value.type = ValueType::kZset;
      return ReadPackedElements(in, value.elements);
    case Type::kStream:
    case Type::kStream2:
    case Type::kStream3:
      value.type = ValueType::kStream;
      value.stream = ReadStream(in, type);
      return value.stream != nullptr;
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

StoreResult StoreSet(Keyspace& keyspace, const HashedKey& key, const Items& items, UnixMs deadline,
                     const SetLimits& limits, UnixMs now) {
  SetEditor set = SetEditor::New(keyspace, key, limits, now, deadline);
  for (const std::string& member : items) {
    if (set.Add(member) == StoreResult::kNoMemory) return StoreResult::kNoMemory;
  }
  return set.Commit();
}

StoreResult StoreList(Keyspace& keyspace, const HashedKey& key, const Items& items, UnixMs deadline,
                      const ListLimits& limits, UnixMs now) {
  ListEditor list = ListEditor::New(keyspace, key, limits, now, deadline);
  for (const std::string& item : items) list.Push(ListEnd::kTail, item);
  return list.Commit();
}

StoreResult StoreHash(Keyspace& keyspace, const HashedKey& key, const PayloadValue& value,
                      UnixMs deadline, const HashLimits& limits, UnixMs now) {
  HashEditor hash = HashEditor::New(keyspace, key, limits, now, deadline);
  for (std::size_t i = 0; i < value.items.size(); i += 2) {
    const std::string& field = value.items[i];
    if (hash.Set(field, value.items[i + 1], false) == HashEditor::Put::kNoMemory) {
      return StoreResult::kNoMemory;
    }
    const UnixMs due = value.deadlines.empty() ? kNoDeadline : value.deadlines[i / 2];
    if (due == kNoDeadline) continue;
    if (hash.SetDeadline(field, due, DeadlineCondition::kAlways) == HashEditor::Dated::kNoMemory) {
      return StoreResult::kNoMemory;
    }
  }
  return hash.Commit();
}

}  // namespace

std::uint16_t WriteValue(RdbWriter& out, EntryView entry, UnixMs now) {
  switch (entry.type()) {
    case ValueType::kString:
      WriteString(out, entry);
      break;
    case ValueType::kList:
      WriteList(out, entry);
      break;
    case ValueType::kSet:
      WriteSet(out, entry);
      break;
    case ValueType::kHash:
      WriteHash(out, entry, now);
      break;
    case ValueType::kZset:
      WriteZset(out, entry);
      break;
    case ValueType::kStream:
      WriteStream(out, static_cast<const Stream&>(*entry.structure()));
      break;
  }
  const bool dated = out.written()[0] == static_cast<char>(Type::kHashDeadlines);
  return dated ? rdb::kVersionDeadlines : rdb::kVersion;
}

std::optional<PayloadValue> ReadValue(RdbReader& in) {
  const auto type = in.TakeByte();
  PayloadValue value;
  if (!type || !ReadBody(in, static_cast<Type>(*type), value)) return std::nullopt;
  return value;
}

StoreResult StoreValue(Keyspace& keyspace, const HashedKey& key, PayloadValue value,
                       UnixMs deadline, const ValueLimits& limits, UnixMs now) {
  switch (value.type) {
    case ValueType::kString:
      return keyspace.SetString(key, value.text, now, {.deadline = deadline});
    case ValueType::kList:
      return StoreList(keyspace, key, value.items, deadline, limits.list, now);
    case ValueType::kHash:
      return StoreHash(keyspace, key, value, deadline, limits.hash, now);
    case ValueType::kZset:
      return StoreZset(keyspace, key, value.elements, limits.zset, now, deadline);
    case ValueType::kStream:
      return keyspace.SetObject(key, value.stream, deadline, now);
    case ValueType::kSet:
      return StoreSet(keyspace, key, value.items, deadline, limits.set, now);
  }
  return StoreResult::kNoKey;
}

}  // namespace aeris::storage
