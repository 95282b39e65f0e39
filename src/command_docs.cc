#include "src/command_docs.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <optional>
#include <vector>

#include "src/base/check.h"

namespace aeris {
namespace {

// Deeper than any row; bounds the recursion of reading and writing.
constexpr int kNestingMax = 8;

constexpr std::array<std::string_view, 7> kPlainTypes = {
    "key", "string", "integer", "double", "pattern", "unix-time", "pure-token"};

struct Argument {
  std::optional<std::string_view> token;
  std::string_view name;
  std::string_view type;
  bool optional = false;
  bool multiple = false;
  bool multiple_token = false;
  int key_spec_index = -1;
  std::string_view since;
  std::string_view deprecated_since;
  std::vector<Argument> arguments;
};

// Reads the notation from left to right. Each Read function consumes what it names and returns
// false where the text departs from the notation.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  // The whole text: arguments separated by one blank.
  bool ReadAll(std::vector<Argument>& arguments) {
    return ReadList(' ', 0, arguments) && rest_.empty();
  }

 private:
  bool Skip(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // Takes the characters before the first of `stops`, or all that is left.
  std::string_view TakeUntil(std::string_view stops) {
    const std::string_view taken = rest_.substr(0, rest_.find_first_of(stops));
    rest_.remove_prefix(taken.size());
    return taken;
  }

  bool ReadList(char separator, int depth, std::vector<Argument>& arguments) {
    if (depth == kNestingMax) return false;
    do {
      if (!ReadArgument(depth, arguments.emplace_back())) return false;
    } while (Skip(separator));
    return true;
  }

  bool ReadArgument(int depth, Argument& argument) {
    return ReadToken(argument) && ReadNameAndType(argument) && ReadChildren(depth, argument) &&
           ReadAttributes(argument);
  }

  bool ReadToken(Argument& argument) {
    if (!Skip('\'')) return true;
    argument.token = TakeUntil("'");
    return Skip('\'') && Skip(' ');
  }

  // The type follows the last colon, since a name may have colons of its own ("ip:port").
  bool ReadNameAndType(Argument& argument) {
    const std::string_view both = TakeUntil(" ()|'?*+#@!");
    const std::size_t colon = both.rfind(':');
    if (colon == std::string_view::npos || colon == 0) return false;
    argument.name = both.substr(0, colon);
    argument.type = both.substr(colon + 1);
    return true;
  }

  bool ReadChildren(int depth, Argument& argument) {
    const bool one_of = argument.type == "oneof";
    if (!one_of && argument.type != "block") {
      return std::ranges::find(kPlainTypes, argument.type) != kPlainTypes.end();
    }
    return Skip('(') && ReadList(one_of ? '|' : ' ', depth + 1, argument.arguments) && Skip(')');
  }

  bool ReadAttributes(Argument& argument) {
    argument.optional = Skip('?');
    argument.multiple = Skip('*');
    if (!argument.multiple && Skip('+')) argument.multiple = argument.multiple_token = true;
    if (Skip('#') && !ReadKeySpecIndex(argument)) return false;
    if (Skip('@') && !ReadVersion(argument.since)) return false;
    if (Skip('!') && !ReadVersion(argument.deprecated_since)) return false;
    return rest_.empty() || std::string_view(" |)").contains(rest_.front());
  }

  bool ReadKeySpecIndex(Argument& argument) {
    const char* const end = rest_.data() + rest_.size();
    const auto [stop, error] = std::from_chars(rest_.data(), end, argument.key_spec_index);
    if (error != std::errc() || argument.key_spec_index < 0) return false;
    rest_.remove_prefix(static_cast<std::size_t>(stop - rest_.data()));
    return true;
  }

  bool ReadVersion(std::string_view& version) {
    version = TakeUntil(" |)!");
    return !version.empty() && version.find_first_not_of("0123456789.") == std::string_view::npos;
  }

  std::string_view rest_;
};

void ReplyPair(std::string_view field, std::string_view value, protocol::ReplyWriter& reply) {
  reply.Bulk(field);
  reply.Bulk(value);
}

void ReplyFlags(const Argument& argument, protocol::ReplyWriter& reply) {
  reply.Bulk("flags");
  reply.Set(std::size_t{argument.optional} + std::size_t{argument.multiple} +
            std::size_t{argument.multiple_token});
  if (argument.optional) reply.SimpleString("optional");
  if (argument.multiple) reply.SimpleString("multiple");
  if (argument.multiple_token) reply.SimpleString("multiple_token");
}

void ReplyList(const std::vector<Argument>& arguments, protocol::ReplyWriter& reply);

void ReplyArgument(const Argument& argument, protocol::ReplyWriter& reply) {
  const bool has_flags = argument.optional || argument.multiple;
  const std::size_t fields = std::size_t{2} + std::size_t{argument.key_spec_index >= 0} +
                             std::size_t{argument.token.has_value()} +
                             std::size_t{!argument.since.empty()} +
                             std::size_t{!argument.deprecated_since.empty()} +
                             std::size_t{has_flags} + std::size_t{!argument.arguments.empty()};
  reply.Map(fields);
  ReplyPair("name", argument.name, reply);
  ReplyPair("type", argument.type, reply);
  if (argument.key_spec_index >= 0) {
    reply.Bulk("key_spec_index");
    reply.Integer(argument.key_spec_index);
  }
  if (argument.token) ReplyPair("token", *argument.token, reply);
  if (!argument.since.empty()) ReplyPair("since", argument.since, reply);
  if (!argument.deprecated_since.empty()) {
    ReplyPair("deprecated_since", argument.deprecated_since, reply);
  }
  if (has_flags) ReplyFlags(argument, reply);
  if (!argument.arguments.empty()) {
    reply.Bulk("arguments");
    ReplyList(argument.arguments, reply);
  }
}

void ReplyList(const std::vector<Argument>& arguments, protocol::ReplyWriter& reply) {
  reply.Array(arguments.size());
  for (const Argument& argument : arguments) ReplyArgument(argument, reply);
}

}  // namespace

bool ArgumentsAreWellFormed(std::string_view text) {
  std::vector<Argument> arguments;
  return text.empty() || Reader(text).ReadAll(arguments);
}

void ReplyArguments(std::string_view text, protocol::ReplyWriter& reply) {
  std::vector<Argument> arguments;
  if (!text.empty()) {
    const bool read = Reader(text).ReadAll(arguments);
    AERIS_CHECK(read);
  }
  ReplyList(arguments, reply);
}

}  // namespace aeris
