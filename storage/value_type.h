// What a key holds, and in which encoding: the names of TYPE and OBJECT ENCODING.
#pragma once

#include <cstdint>
#include <string_view>

namespace aeris::storage {

enum class ValueType : std::uint8_t { kString, kList, kSet, kZset, kHash, kStream };
// TYPE's answer: "string", "list", ...
std::string_view TypeName(ValueType type);

// The encodings of Redis 7.0. Where ours differs it takes the name that Redis would show: a small
// set of strings is a packed block here and says "hashtable".
enum class Encoding : std::uint8_t {
  kInt,
  kEmbstr,
  kRaw,
  kListpack,
  kHashtable,
  kIntset,
  kSkiplist,
  kQuicklist,
  kStream
};
// OBJECT ENCODING's answer: "int", "embstr", "raw", ...
std::string_view EncodingName(Encoding encoding);

}  // namespace aeris::storage
