// What holds for the bytes of any payload, whoever sent them: the unit test asks it of damaged
// ones, the fuzz target of everything.
#pragma once

#include <algorithm>
#include <compare>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "src/base/check.h"
#include "storage/crc64.h"
#include "storage/dump_payload.h"
#include "storage/intset.h"
#include "storage/packed_block.h"
#include "storage/rdb_format.h"
#include "storage/rdb_writer.h"
#include "storage/stream_payload.h"
#include "storage/value_payload.h"

namespace aeris::storage::payload {

// A payload around `body`, correctly signed.
inline std::string Signed(std::string_view body, std::uint16_t version = rdb::kVersion) {
  std::string payload(body);
  payload.append(reinterpret_cast<const char*>(&version), sizeof version);
  const std::uint64_t crc = Crc64(0, payload);
  payload.append(reinterpret_cast<const char*>(&crc), sizeof crc);
  return payload;
}

// Parsed from a block of exactly its size, so that AddressSanitizer sees a read past its end.
inline std::expected<PayloadValue, PayloadFault> Parse(std::string_view payload) {
  const auto block = std::make_unique<char[]>(payload.size());
  payload.copy(block.get(), payload.size());
  return ParseDumpPayload({block.get(), payload.size()});
}

// What a client can read of a value, in an order of its own where the type has none.
struct Content {
  ValueType type = ValueType::kString;
  std::string text{};  // of a string; of a stream, the bytes that describe all of it
  std::vector<std::tuple<std::string, std::string, UnixMs, double>> elements{};

  bool operator==(const Content&) const = default;
};

// Fields that have expired are not there.
inline Content ContentOf(const PayloadValue& value, UnixMs now) {
  Content content{.type = value.type, .text = value.text};
  const std::size_t step = value.type == ValueType::kHash ? 2 : 1;
  for (std::size_t i = 0; i < value.items.size(); i += step) {
    const UnixMs deadline = value.deadlines.empty() ? kNoDeadline : value.deadlines[i / step];
    if (deadline != kNoDeadline && deadline <= now) continue;
    content.elements.emplace_back(value.items[i], step == 2 ? value.items[i + 1] : std::string(),
                                  deadline, 0.0);
  }
  for (const ScoredMember& each : value.elements) {
    content.elements.emplace_back(each.member, std::string(), kNoDeadline, each.score);
  }
  if (value.type != ValueType::kList) std::ranges::sort(content.elements);
  if (value.stream != nullptr) {
    RdbWriter out;
    WriteStream(out, static_cast<const Stream&>(*value.stream));
    content.text = std::move(out).Take();
  }
  return content;
}

inline void CheckStored(Keyspace& keyspace, EntryView entry) {
  keyspace.CheckInvariants();
  if (!entry || !entry.packed()) return;
  AERIS_CHECK(entry.form() == PackedForm::kIntset ? IntsetView::Valid(entry.block())
                                                  : PackedView::Valid(entry.block()));
  AERIS_CHECK(entry.element_count() != 0);
}

// Whether the payload is taken. Then the keyspace, which must be empty and stays so, can hold what
// is in it, and another payload of that has the same content.
inline bool CheckPayload(std::string_view payload, Keyspace& keyspace, const ValueLimits& limits,
                         UnixMs now) {
  auto value = Parse(payload);
  if (!value) return false;
  const Content content = ContentOf(*value, now);
  const HashedKey key = keyspace.Hash("key");
  for (int round = 0; round < 2; ++round) {
    AERIS_CHECK(StoreValue(keyspace, key, *std::move(value), kNoDeadline, limits, now) ==
                StoreResult::kStored);
    const EntryView entry = keyspace.Find(key, now, kPeek);
    CheckStored(keyspace, entry);
    if (!entry) {
      AERIS_CHECK(content.type == ValueType::kHash && content.elements.empty());
      return true;
    }
    AERIS_CHECK(entry.type() == content.type);
    value = Parse(DumpPayload(entry, now));
    AERIS_CHECK(value.has_value());
    AERIS_CHECK(ContentOf(*value, now) == content);
  }
  keyspace.Delete(key, now);
  return true;
}

}  // namespace aeris::storage::payload
