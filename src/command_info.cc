#include "src/command_info.h"

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "src/command_docs.h"
#include "src/command_keys.h"
#include "src/command_names.h"

namespace aeris {
namespace {

using protocol::ReplyWriter;

// The names of the bits of a flag set as a set of simple strings, each behind `prefix`.
void ReplyNames(std::uint64_t bits, std::span<const std::string_view> names,
                std::string_view prefix, ReplyWriter& reply) {
  const auto is_told = [&](std::size_t bit) {
    return (bits >> bit & 1) != 0 && !names[bit].empty();
  };
  std::size_t count = 0;
  for (std::size_t bit = 0; bit < names.size(); ++bit) count += std::size_t{is_told(bit)};
  reply.Set(count);
  for (std::size_t bit = 0; bit < names.size(); ++bit) {
    if (is_told(bit)) reply.SimpleString(std::string(prefix).append(names[bit]));
  }
}

void ReplyStrings(std::span<const std::string_view> strings, ReplyWriter& reply) {
  reply.Set(strings.size());
  for (const std::string_view text : strings) reply.Bulk(text);
}

void ReplyField(std::string_view name, std::string_view value, ReplyWriter& reply) {
  reply.Bulk(name);
  reply.Bulk(value);
}

struct NumberField {
  std::string_view name;
  int value;
};

// "type" and "spec" of one half of a key spec, where the spec is numbers only.
void ReplySearch(std::string_view type, std::span<const NumberField> fields, ReplyWriter& reply) {
  reply.Map(2);
  ReplyField("type", type, reply);
  reply.Bulk("spec");
  reply.Map(fields.size());
  for (const NumberField& field : fields) {
    reply.Bulk(field.name);
    reply.Integer(field.value);
  }
}

void ReplyBeginSearch(const KeySpec& spec, ReplyWriter& reply) {
  reply.Bulk("begin_search");
  switch (spec.begin) {
    case KeySpec::Begin::kIndex:
      return ReplySearch("index", std::array{NumberField{"index", spec.index}}, reply);
    case KeySpec::Begin::kKeyword:
      reply.Map(2);
      ReplyField("type", "keyword", reply);
      reply.Bulk("spec");
      reply.Map(2);
      ReplyField("keyword", spec.keyword, reply);
      reply.Bulk("startfrom");
      return reply.Integer(spec.index);
    case KeySpec::Begin::kUnknown:
      return ReplySearch("unknown", {}, reply);
  }
}

void ReplyFindKeys(const KeySpec& spec, ReplyWriter& reply) {
  reply.Bulk("find_keys");
  switch (spec.find) {
    case KeySpec::Find::kRange:
      return ReplySearch(
          "range",
          std::array<NumberField, 3>{
              {{"lastkey", spec.last}, {"keystep", spec.step}, {"limit", spec.limit}}},
          reply);
    case KeySpec::Find::kKeynum:
      return ReplySearch("keynum",
                         std::array<NumberField, 3>{{{"keynumidx", spec.keynum_index},
                                                     {"firstkey", spec.first_key},
                                                     {"keystep", spec.step}}},
                         reply);
    case KeySpec::Find::kUnknown:
      return ReplySearch("unknown", {}, reply);
  }
}

void ReplyKeySpec(const KeySpec& spec, ReplyWriter& reply) {
  reply.Map(spec.notes.empty() ? 3 : 4);
  if (!spec.notes.empty()) ReplyField("notes", spec.notes, reply);
  reply.Bulk("flags");
  ReplyKeyFlags(spec.flags, reply);
  ReplyBeginSearch(spec, reply);
  ReplyFindKeys(spec, reply);
}

void ReplyDocFlags(const CommandSpec& spec, ReplyWriter& reply) {
  const bool deprecated = !spec.deprecated_since.empty();
  reply.Bulk("doc_flags");
  reply.Set(std::size_t{deprecated} + std::size_t{spec.syscmd});
  if (deprecated) reply.SimpleString("deprecated");
  if (spec.syscmd) reply.SimpleString("syscmd");
}

void ReplyHistory(std::span<const Change> history, ReplyWriter& reply) {
  reply.Bulk("history");
  reply.Set(history.size());
  for (const Change& change : history) {
    reply.Array(2);
    reply.Bulk(change.since);
    reply.Bulk(change.what);
  }
}

}  // namespace

void ReplyKeyFlags(KeyFlags flags, ReplyWriter& reply) {
  ReplyNames(flags.bits(), kKeyFlagNames, "", reply);
}

void ReplyCommandInfo(const Command& command, ReplyWriter& reply) {
  const CommandSpec& spec = command.spec();
  const LegacyKeyRange keys = LegacyRange(spec.keys);
  reply.Array(10);
  reply.Bulk(command.full_name());
  reply.Integer(spec.arity);
  ReplyNames(command.flags().bits(), kCommandFlagNames, "", reply);
  reply.Integer(keys.first);
  reply.Integer(keys.last);
  reply.Integer(keys.step);
  ReplyNames(command.categories().bits(), kAclCategoryNames, "@", reply);
  ReplyStrings(spec.tips, reply);
  reply.Set(spec.keys.size());
  for (const KeySpec& key : spec.keys) ReplyKeySpec(key, reply);
  // Redis says an array for some and an empty set for none; typed clients see the difference.
  if (command.subcommands().empty()) return reply.Set(0);
  reply.Array(command.subcommands().size());
  for (const auto& subcommand : command.subcommands()) ReplyCommandInfo(*subcommand, reply);
}

void ReplyCommandDocs(const Command& command, ReplyWriter& reply) {
  const CommandSpec& spec = command.spec();
  reply.Bulk(command.full_name());
  const ReplyWriter::Deferred map = reply.BeginMap();
  std::size_t fields = 3;
  const auto optional_field = [&](std::string_view name, std::string_view value) {
    if (value.empty()) return;
    ReplyField(name, value, reply);
    ++fields;
  };
  ReplyField("summary", spec.summary, reply);
  ReplyField("since", spec.since, reply);
  ReplyField("group", GroupName(spec.group), reply);
  optional_field("complexity", spec.complexity);
  if (spec.syscmd || !spec.deprecated_since.empty()) {
    ReplyDocFlags(spec, reply);
    ++fields;
  }
  optional_field("deprecated_since", spec.deprecated_since);
  optional_field("replaced_by", spec.replaced_by);
  if (!spec.history.empty()) {
    ReplyHistory(spec.history, reply);
    ++fields;
  }
  if (!spec.arguments.empty()) {
    reply.Bulk("arguments");
    ReplyArguments(spec.arguments, reply);
    ++fields;
  }
  if (!command.subcommands().empty()) {
    reply.Bulk("subcommands");
    reply.Map(command.subcommands().size());
    for (const auto& subcommand : command.subcommands()) ReplyCommandDocs(*subcommand, reply);
    ++fields;
  }
  reply.EndMap(map, fields);
}

}  // namespace aeris
