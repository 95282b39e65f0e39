// ConfigTable: values to text and back, CONFIG GET, CONFIG SET.
#include "src/config.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <system_error>

#include "src/base/check.h"
#include "src/base/glob.h"
#include "src/base/number_text.h"
#include "src/config_table.h"
#include "src/config_value.h"
#include "src/text.h"

namespace aeris {
namespace {

using Arguments = std::span<const std::string_view>;

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

std::unexpected<std::string> Fault(std::string_view text) {
  return std::unexpected(std::string(text));
}

std::string Octal(std::uint64_t value) {
  std::string digits;
  do {
    digits.insert(digits.begin(), static_cast<char>('0' + value % 8));
    value /= 8;
  } while (value != 0);
  return digits;
}

// ---- One value

ConfigResult SetBool(const BoolField& field, Config& config, std::string_view text) {
  const bool yes = EqualsIgnoringCase(text, "yes");
  if (!yes && !EqualsIgnoringCase(text, "no")) return Fault("argument must be 'yes' or 'no'");
  field.set(config, yes);
  return {};
}

// Whether the value, as IntegerField carries it, is beyond 2^63-1.
bool IsLarge(const IntegerField& field, std::int64_t value) {
  return value < 0 && field.min >= 0 && field.max > INT64_MAX;
}

std::string IntegerText(const IntegerField& field, std::int64_t value) {
  if (IsLarge(field, value)) return std::to_string(static_cast<std::uint64_t>(value));
  if (field.unit == IntegerUnit::kOctal) return Octal(static_cast<std::uint64_t>(value));
  if (field.unit == IntegerUnit::kBytesOrPercent && value < 0) return std::to_string(-value) + '%';
  return std::to_string(value);
}

std::unexpected<std::string> OutOfRange(const IntegerField& field) {
  const bool octal = field.unit == IntegerUnit::kOctal;
  const std::string min =
      octal ? Octal(static_cast<std::uint64_t>(field.min)) : std::to_string(field.min);
  const std::string max = octal ? Octal(field.max) : std::to_string(field.max);
  return std::unexpected("argument must be between " + min + " and " + max + " inclusive");
}

ConfigResult SetPercent(const IntegerField& field, Config& config, std::string_view digits) {
  const auto percent = ParseInt64(digits);
  if (!percent || *percent < 0) return Fault("argument must be a memory or percent value");
  if (*percent > -field.min) {
    return Fault("percentage argument must be less or equal to " + std::to_string(-field.min));
  }
  field.set(config, -*percent);
  return {};
}

ConfigResult SetBytes(const IntegerField& field, Config& config, std::string_view text) {
  const bool percent = field.unit == IntegerUnit::kBytesOrPercent;
  if (percent && text.ends_with('%')) {
    return SetPercent(field, config, text.substr(0, text.size() - 1));
  }
  const auto bytes = ParseConfigBytes(text);
  if (!bytes) {
    return Fault(percent ? "argument must be a memory or percent value"
                         : "argument must be a memory value");
  }
  if (*bytes > field.max || (field.min > 0 && *bytes < static_cast<std::uint64_t>(field.min))) {
    return OutOfRange(field);
  }
  field.set(config, static_cast<std::int64_t>(*bytes));
  return {};
}

ConfigResult SetInteger(const IntegerField& field, Config& config, std::string_view text) {
  if (field.unit == IntegerUnit::kBytes || field.unit == IntegerUnit::kBytesOrPercent) {
    return SetBytes(field, config, text);
  }
  const bool octal = field.unit == IntegerUnit::kOctal;
  const auto value = octal ? ParseConfigOctal(text) : ParseInt64(text);
  if (!value) {
    return Fault(octal ? "argument couldn't be parsed as an octal number"
                       : "argument couldn't be parsed into an integer");
  }
  if (*value < field.min || (*value >= 0 && static_cast<std::uint64_t>(*value) > field.max)) {
    return OutOfRange(field);
  }
  field.set(config, *value);
  return {};
}

std::string EnumText(const EnumField& field, int value) {
  std::string text;
  for (const EnumName& name : field.names) {
    if (name.value == value) return std::string(name.name);
    if (!field.bits || name.value == 0 || (value & name.value) == 0) continue;
    if (!text.empty()) text += ' ';
    text += name.name;
  }
  return text;
}

std::unexpected<std::string> UnknownName(const EnumField& field) {
  std::string text = "argument(s) must be one of the following: ";
  for (const EnumName& name : field.names) {
    if (&name != field.names.data()) text += ", ";
    text += name.name;
  }
  return std::unexpected(std::move(text));
}

ConfigResult SetEnum(const EnumField& field, Config& config, Arguments arguments) {
  if (arguments.empty() || (!field.bits && arguments.size() != 1)) return UnknownName(field);
  int value = 0;
  for (const std::string_view argument : arguments) {
    const auto name = std::find_if(
        field.names.begin(), field.names.end(),
        [&](const EnumName& candidate) { return EqualsIgnoringCase(candidate.name, argument); });
    if (name == field.names.end()) return UnknownName(field);
    value |= name->value;
  }
  // The only options of this kind are the two of shutdown.
  constexpr int kBoth = kShutdownSave | kShutdownNosave;
  if (field.bits && (value & kBoth) == kBoth) {
    return Fault("shutdown options SAVE and NOSAVE can't be used simultaneously");
  }
  field.set(config, value);
  return {};
}

ConfigResult SetString(const StringField& field, Config& config, std::string_view text) {
  if (field.check != nullptr) {
    if (auto checked = field.check(text); !checked) return checked;
  }
  field.set(config, text);
  return {};
}

bool NeedsOneWord(const ConfigRow& row) { return !row.has(kConfigMultiArg); }

// Values of these kinds reach the file as they are.
bool KeepsText(const ConfigField& field) {
  return std::holds_alternative<StringField>(field) || std::holds_alternative<SpecialField>(field);
}

// What a client or a file wrote, fit for an error line; as in Redis it ends at a NUL.
std::string Echoed(std::string_view text) {
  std::string echoed(text.substr(0, std::min(text.find('\0'), kEchoedWholeBytesMax)));
  std::replace_if(
      echoed.begin(), echoed.end(),
      [](char byte) {
        return HasLineBreaker({&byte, 1});
      },
      ' ');
  return echoed;
}

// `reason` is text of ours and the system's, whole.
std::string SetFault(std::string_view name, std::string_view reason) {
  std::string fault =
      "ERR CONFIG SET failed (possibly related to argument '" + Echoed(name) + "') - ";
  fault += reason;
  return fault;
}

ConfigResult ChangeDirectory(Config& config) {
  if (::chdir(config.dir.c_str()) != 0) return Fault(std::strerror(errno));
  std::error_code ignored;
  config.dir = std::filesystem::current_path(ignored).string();
  return {};
}

}  // namespace

struct ConfigTable::Change {
  const ConfigRow* row;
  std::string_view name;  // canonical: the row's name or alias
  std::string_view value;
};

ConfigTable::ConfigTable(Config& config) : config_(config) {
  for (const auto area : {ServerConfigRows(), DataConfigRows(), DurableConfigRows(),
                          ClusterConfigRows(), TlsConfigRows()}) {
    for (const ConfigRow& row : area) {
      rows_.push_back(&row);
      AERIS_CHECK(by_name_.emplace(row.name, &row).second);
      if (!row.alias.empty()) AERIS_CHECK(by_name_.emplace(row.alias, &row).second);
    }
  }
}

const ConfigRow* ConfigTable::Find(std::string_view name) const {
  const auto found = by_name_.find(ToLower(name));
  return found == by_name_.end() ? nullptr : found->second;
}

std::string ConfigTable::ValueText(const ConfigRow& row, const Config& config) {
  return std::visit(
      Overloaded{
          [&](const BoolField& field) { return std::string(field.get(config) ? "yes" : "no"); },
          [&](const IntegerField& field) { return IntegerText(field, field.get(config)); },
          [&](const EnumField& field) { return EnumText(field, field.get(config)); },
          [&](const StringField& field) { return field.get(config); },
          [&](const SpecialField& field) { return field.get(config); }},
      row.field);
}

ConfigResult ConfigTable::Assign(const ConfigRow& row, Config& config, Arguments arguments,
                                 ConfigOrigin origin) {
  if (NeedsOneWord(row) && arguments.size() != 1) return Fault("wrong number of arguments");
  // A value that came as one word holds the words of an option that takes several.
  std::vector<std::string_view> words;
  if (row.has(kConfigMultiArg) && arguments.size() == 1) {
    words = SplitAtBlanks(arguments[0]);
    if (words.empty()) words.push_back(arguments[0]);
    arguments = words;
  }
  ConfigResult set = std::visit(
      Overloaded{[&](const BoolField& field) { return SetBool(field, config, arguments[0]); },
                 [&](const IntegerField& field) { return SetInteger(field, config, arguments[0]); },
                 [&](const EnumField& field) { return SetEnum(field, config, arguments); },
                 [&](const StringField& field) { return SetString(field, config, arguments[0]); },
                 [&](const SpecialField& field) { return field.set(config, arguments, origin); }},
      row.field);
  // Text that is right otherwise. A password may have any bytes: it is never shown in a log.
  if (set && KeepsText(row.field) && !row.has(kConfigSensitive) &&
      std::any_of(arguments.begin(), arguments.end(), HasLineBreaker)) {
    return Fault("argument must not contain CR, LF or NUL");
  }
  return set;
}

// ---- CONFIG GET

std::vector<ConfigValue> ConfigTable::Get(std::span<const std::string_view> patterns) const {
  std::vector<ConfigValue> values;
  std::unordered_set<std::string_view> given;
  const auto give = [&](std::string_view canonical, std::string_view shown, const ConfigRow& row) {
    if (!given.insert(canonical).second) return;
    values.push_back({std::string(shown), ValueText(row, config_)});
  };
  for (const std::string_view pattern : patterns) {
    if (pattern.find_first_of("*?[") == pattern.npos) {
      const auto found = by_name_.find(ToLower(pattern));
      if (found != by_name_.end()) give(found->first, pattern, *found->second);
      continue;
    }
    for (const ConfigRow* row : rows_) {
      if (row->has(kConfigHidden)) continue;
      for (const std::string_view name : {row->name, row->alias}) {
        if (GlobMatch(pattern, name, GlobCase::kIgnore)) give(name, name, *row);
      }
    }
  }
  return values;
}

// ---- CONFIG SET

std::expected<void, std::string> ConfigTable::Set(std::span<const ConfigPair> pairs,
                                                  SetOptions options) {
  const auto changes = Check(pairs, options);
  if (!changes) return std::unexpected(changes.error());
  if (config_.dir.empty()) {  // so that a rollback knows the way back
    std::error_code ignored;
    config_.dir = std::filesystem::current_path(ignored).string();
  }
  const Config previous = config_;
  for (const Change& change : *changes) {
    const ConfigResult set = Assign(*change.row, config_, {&change.value, 1}, ConfigOrigin::kSet);
    if (!set) {
      config_ = previous;
      return std::unexpected(SetFault(change.name, set.error()));
    }
  }
  if (auto applied = Apply(*changes, previous); !applied) return applied;
  for (const Change& change : *changes) {
    if (change.row->effect != ConfigEffect::kWorks) {
      NoteNoEffect(change.row->name, change.row->why_needless);
    }
  }
  return {};
}

std::expected<std::vector<ConfigTable::Change>, std::string> ConfigTable::Check(
    std::span<const ConfigPair> pairs, SetOptions options) const {
  std::vector<Change> changes;
  std::unordered_set<std::string_view> names;
  for (const ConfigPair& pair : pairs) {
    const auto found = by_name_.find(ToLower(pair.name));
    if (found == by_name_.end()) {
      return std::unexpected("ERR Unknown option or number of arguments for CONFIG SET - '" +
                             Echoed(pair.name) + "'");
    }
    const auto& [name, row] = *found;
    if (row->has(kConfigImmutable)) {
      return std::unexpected(SetFault(pair.name, "can't set immutable config"));
    }
    if (row->has(kConfigProtected) && !options.protected_allowed) {
      return std::unexpected(SetFault(pair.name, "can't set protected config"));
    }
    if (!names.insert(name).second) {
      return std::unexpected(SetFault(pair.name, "duplicate parameter"));
    }
    changes.push_back({row, name, pair.value});
  }
  return changes;
}

std::expected<void, std::string> ConfigTable::Apply(std::span<const Change> changes,
                                                    const Config& previous) {
  std::vector<ConfigHook> run;
  for (const Change& change : changes) {
    const ConfigRow& row = *change.row;
    // The name of a file may be the same and the file another.
    const bool same = ValueText(row, config_) == ValueText(row, previous);
    if (same && row.hook != ConfigHook::kTls) continue;
    ConfigResult applied;
    if (config_.dir != previous.dir && row.name == "dir") {
      applied = ChangeDirectory(config_);
    } else if (std::find(run.begin(), run.end(), row.hook) == run.end()) {
      run.push_back(row.hook);
      applied = RunHook(row.hook);
    }
    if (!applied) {
      RollBack(previous, run);
      return std::unexpected(SetFault(change.name, applied.error()));
    }
  }
  return {};
}

ConfigResult ConfigTable::RunHook(ConfigHook hook) {
  Hook& run = hooks_[static_cast<std::size_t>(hook)];
  return run ? run() : ConfigResult{};
}

// The hook that failed is among those run again: it may have done half of its work.
void ConfigTable::RollBack(const Config& previous, std::span<const ConfigHook> run) {
  config_ = previous;
  // Going back can fail when the old folder is gone; CONFIG GET dir then still says where we were.
  static_cast<void>(ChangeDirectory(config_));
  for (const ConfigHook hook : run) static_cast<void>(RunHook(hook));
}

void ConfigTable::OnChange(ConfigHook hook, Hook run) {
  AERIS_CHECK(hook != ConfigHook::kNone);
  hooks_[static_cast<std::size_t>(hook)] = std::move(run);
}

// ---- Files

ConfigResult ConfigTable::SetFromFile(const ConfigRow& row, Arguments arguments) {
  const bool first = seen_in_file_.insert(&row).second;
  const ConfigOrigin origin = first ? ConfigOrigin::kFileFirst : ConfigOrigin::kFileAgain;
  if (auto set = Assign(row, config_, arguments, origin); !set) return set;
  if (row.name == "dir") {
    if (auto moved = ChangeDirectory(config_); !moved) return moved;
  }
  if (row.effect != ConfigEffect::kWorks) NoteNoEffect(row.name, row.why_needless);
  return {};
}

void ConfigTable::NoteNoEffect(std::string_view name, std::string_view why_needless) {
  if (!reported_.emplace(name).second) return;
  const std::string directive = "The directive '" + std::string(name) + "' ";
  warnings_.push_back(why_needless.empty()
                          ? directive + "is accepted but has no effect yet"
                          : directive + "has no effect: " + std::string(why_needless));
}

std::vector<std::string> ConfigTable::TakeWarnings() { return std::exchange(warnings_, {}); }

}  // namespace aeris
