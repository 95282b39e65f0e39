// Values as RDB files and DUMP payloads have them: a type byte and a body.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/base/clock.h"
#include "storage/hash_value.h"
#include "storage/keyspace.h"
#include "storage/list_value.h"
#include "storage/rdb_reader.h"
#include "storage/rdb_writer.h"
#include "storage/set_value.h"
#include "storage/stream_value.h"
#include "storage/zset_value.h"

namespace aeris::storage {

// Where the small forms of collections end.
struct ValueLimits {
  ListLimits list{};
  SetLimits set{};
  HashLimits hash{};
  ZsetLimits zset{};
};

// A value that was taken out of a payload, checked in every detail, and is nobody's yet.
struct PayloadValue {
  ValueType type = ValueType::kString;
  std::string text{};                    // a string
  std::vector<std::string> items{};      // of a list or set; of a hash, field and value in turn
  std::vector<UnixMs> deadlines{};       // of a hash's fields; none at all if none has one
  std::vector<ScoredMember> elements{};  // of a sorted set
  std::unique_ptr<Collection> stream{};
};

// Writes the value of an entry. Returns the RDB version that a reader must know.
std::uint16_t WriteValue(RdbWriter& out, EntryView entry, UnixMs now);
// Takes a value; nullopt unless it is right in every detail. It may be in forms that only older or
// newer servers write.
[[nodiscard]] std::optional<PayloadValue> ReadValue(RdbReader& in);
// Makes the key that value, with that deadline, whatever it was. kNoMemory: it is as it was.
StoreResult StoreValue(Keyspace& keyspace, const HashedKey& key, PayloadValue value,
                       UnixMs deadline, const ValueLimits& limits, UnixMs now);

}  // namespace aeris::storage
