// How the rows of config_table*.cc are written. Only those files include this.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "src/config_table.h"

namespace aeris::config_rows {

inline constexpr std::int64_t kInt32Min = std::numeric_limits<std::int32_t>::min();
inline constexpr std::uint64_t kInt32Max = std::numeric_limits<std::int32_t>::max();
inline constexpr std::uint64_t kUint32Max = std::numeric_limits<std::uint32_t>::max();
inline constexpr std::uint64_t kInt64Max = std::numeric_limits<std::int64_t>::max();
inline constexpr std::uint64_t kUint64Max = std::numeric_limits<std::uint64_t>::max();

template <auto kMember>
using MemberType = std::remove_cvref_t<decltype(std::declval<const Config&>().*kMember)>;

template <auto kMember>
constexpr ConfigField Bool() {
  return BoolField{[](const Config& config) { return config.*kMember; },
                   [](Config& config, bool value) { config.*kMember = value; }};
}

template <auto kMember>
constexpr ConfigField Integer(std::int64_t min, std::uint64_t max,
                              IntegerUnit unit = IntegerUnit::kPlain) {
  return IntegerField{
      [](const Config& config) { return static_cast<std::int64_t>(config.*kMember); },
      [](Config& config, std::int64_t value) {
        config.*kMember = static_cast<MemberType<kMember>>(value);
      },
      min, max, unit};
}

template <auto kMember>
constexpr ConfigField Bytes(std::int64_t min, std::uint64_t max) {
  return Integer<kMember>(min, max, IntegerUnit::kBytes);
}

template <auto kMember>
constexpr ConfigField Enum(std::span<const EnumName> names) {
  return EnumField{
      [](const Config& config) { return static_cast<int>(config.*kMember); },
      [](Config& config, int value) { config.*kMember = static_cast<MemberType<kMember>>(value); },
      names, false};
}

template <auto kMember>
constexpr ConfigField EnumBits(std::span<const EnumName> names) {
  ConfigField field = Enum<kMember>(names);
  std::get<EnumField>(field).bits = true;
  return field;
}

template <auto kMember>
constexpr ConfigField Text(ConfigResult (*check)(std::string_view) = nullptr) {
  return StringField{[](const Config& config) -> const std::string& { return config.*kMember; },
                     [](Config& config, std::string_view value) { config.*kMember = value; },
                     check};
}

// `Option` is one of config_special.h.
template <typename Option>
constexpr ConfigField Special() {
  return SpecialField{Option::Get, Option::Set};
}

template <typename E>
constexpr EnumName Name(std::string_view name, E value) {
  return {name, static_cast<int>(value)};
}

inline constexpr EnumName kPermissions[] = {
    Name("no", Permission::kNo), Name("yes", Permission::kYes), Name("local", Permission::kLocal)};

struct RowExtras {
  int flags = 0;
  std::string_view alias = {};
  ConfigHook hook = ConfigHook::kNone;
};

// To make an option work is to move its row from Later to Works, with its hook when it needs one.
constexpr ConfigRow Works(std::string_view name, ConfigField field, RowExtras extras = {}) {
  return {name,         field,      ConfigEffect::kWorks, static_cast<std::uint8_t>(extras.flags),
          extras.alias, extras.hook};
}

// Accepted, kept and shown, with a warning that it has no effect yet.
constexpr ConfigRow Later(std::string_view name, ConfigField field, RowExtras extras = {}) {
  return {
      name,         field,      ConfigEffect::kNoEffectYet, static_cast<std::uint8_t>(extras.flags),
      extras.alias, extras.hook};
}

// The same for a directive that needs no effect: `why` goes into the warning.
constexpr ConfigRow Needless(std::string_view name, ConfigField field, std::string_view why) {
  ConfigRow row = Later(name, field);
  row.effect = ConfigEffect::kNeedless;
  row.why_needless = why;
  return row;
}

// Names and aliases of one area: lower case, each once.
constexpr bool NamesAreLowerCaseAndUnique(std::span<const ConfigRow> rows) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (const char byte : rows[i].name) {
      if (byte >= 'A' && byte <= 'Z') return false;
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (rows[i].name == rows[j].name || rows[i].name == rows[j].alias) return false;
      if (!rows[i].alias.empty() && rows[i].alias == rows[j].alias) return false;
    }
  }
  return true;
}

}  // namespace aeris::config_rows
