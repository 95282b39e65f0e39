// SORT and SORT_RO: the elements of a list, set or sorted set, in an order, with what other keys
// say of them.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/acl/acl_users.h"
#include "src/client.h"
#include "src/command_context.h"
#include "src/command_keys.h"
#include "src/commands/families.h"
#include "src/commands/key_specs.h"
#include "src/commands/list_commands.h"
#include "src/error_replies.h"
#include "src/server.h"
#include "src/text.h"
#include "storage/hash_value.h"
#include "storage/list_value.h"
#include "storage/set_value.h"
#include "storage/zset_value.h"

namespace aeris {
namespace {

using storage::EntryView;
using storage::IntegerText;
using storage::ValueType;

struct SortOptions {
  bool descending = false;
  bool alphabetic = false;
  bool unsorted = false;  // BY a pattern without '*'
  std::string_view by{};  // empty: the elements themselves
  std::vector<std::string_view> gets;
  std::int64_t offset = 0;
  std::int64_t count = -1;
  std::optional<std::size_t> store;  // the argument that names the destination
};

// False after an error reply.
bool ParseOptions(const CommandContext& context, bool may_store, SortOptions& options) {
  // Patterns may name any key, so who uses one must be allowed to read all.
  std::optional<bool> reads_all;
  const auto refused = [&](std::string_view option) {
    if (!reads_all) reads_all = context.server().acl().MayReadAllKeys(context);
    if (*reads_all) return false;
    context.reply().Error(
        fmt::format("ERR {} option of SORT denied due to insufficient ACL permissions.", option));
    return true;
  };
  for (std::size_t i = 2; i < context.argc(); ++i) {
    const std::size_t left = context.argc() - i - 1;
    if (context.ArgIs(i, "asc")) {
      options.descending = false;
    } else if (context.ArgIs(i, "desc")) {
      options.descending = true;
    } else if (context.ArgIs(i, "alpha")) {
      options.alphabetic = true;
    } else if (context.ArgIs(i, "limit") && left >= 2) {
      const auto offset = context.IntegerArg(i + 1);
      const auto count = offset ? context.IntegerArg(i + 2) : std::nullopt;
      if (!count) return false;
      options.offset = *offset;
      options.count = *count;
      i += 2;
    } else if (may_store && context.ArgIs(i, "store") && left >= 1) {
      options.store = ++i;
    } else if (context.ArgIs(i, "by") && left >= 1) {
      options.by = context.arg(++i);
      // For good, whatever pattern follows.
      if (options.by.find('*') == std::string_view::npos) {
        options.unsorted = true;
      } else if (refused("BY")) {
        return false;
      }
    } else if (context.ArgIs(i, "get") && left >= 1) {
      if (refused("GET")) return false;
      options.gets.push_back(context.arg(++i));
    } else {
      context.reply().Error(err::kSyntax);
      return false;
    }
  }
  return true;
}

// --- What a pattern says of an element

// "weight_*->field": the key with the element in the star's place, and a field of the hash there.
// "#" is the element. Nothing when there is no star, no such key, or one of another type.
std::optional<std::string> Lookup(const CommandContext& context, std::string_view pattern,
                                  std::string_view element) {
  if (pattern == "#") return std::string(element);
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return std::nullopt;
  std::string_view behind = pattern.substr(star + 1);
  std::string_view field;
  if (const std::size_t arrow = behind.find("->");
      arrow != std::string_view::npos && arrow + 2 < behind.size()) {
    field = behind.substr(arrow + 2);
    behind = behind.substr(0, arrow);
  }
  std::string key(pattern.substr(0, star));
  key.append(element).append(behind);
  const EntryView entry =
      context.keyspace().Find(context.keyspace().Hash(key), context.now(), storage::kForRead);
  if (!entry) {
    context.NotifyIn(static_cast<std::size_t>(context.client().database), KeyEvent::kKeyMiss,
                     "keymiss", key);
    return std::nullopt;
  }
  IntegerText scratch;
  if (field.empty()) {
    if (entry.type() != ValueType::kString) return std::nullopt;
    return std::string(entry.Text(scratch));
  }
  if (entry.type() != ValueType::kHash) return std::nullopt;
  const auto found = storage::HashView(entry, context.now()).Find(field);
  if (!found) return std::nullopt;
  return found->value.String();
}

// --- The elements

struct Element {
  std::string text;
  double weight = 0;
  std::optional<std::string> by{};  // ALPHA with BY
};

// Bytes that ElementsOf() takes, while it grows.
std::size_t ElementBytes(const storage::Keyspace& keyspace, EntryView entry) {
  if (!entry) return 0;
  const std::size_t count = entry.type() == ValueType::kList  ? storage::ListView(entry).size()
                            : entry.type() == ValueType::kSet ? storage::SetView(entry).size()
                                                              : storage::ZsetView(entry).size();
  return 3 * count * sizeof(Element) + 2 * keyspace.MemoryUsage(entry);
}

std::vector<Element> ElementsOf(EntryView entry, bool descending) {
  std::vector<Element> elements;
  if (!entry) return elements;
  switch (entry.type()) {
    case ValueType::kList: {
      auto at = storage::ListView(entry).At(0);
      do {
        elements.push_back({.text = at.item().String()});
      } while (at.Next());
      if (descending) std::ranges::reverse(elements);
      break;
    }
    case ValueType::kSet:
      storage::SetView(entry).ForEach(
          [&](std::string_view member) { elements.push_back({.text = std::string(member)}); });
      break;
    default: {
      const storage::ZsetView zset(entry);
      const std::uint64_t first = descending ? zset.size() - 1 : 0;
      zset.Walk(first, zset.size(), descending, [&](std::string_view member, double) {
        elements.push_back({.text = std::string(member)});
      });
    }
  }
  return elements;
}

// What strtod(3) reads as a whole: as with C strings, up to a NUL.
std::optional<double> Weight(const std::string& text) {
  char* end = nullptr;
  errno = 0;
  const double value = std::strtod(text.c_str(), &end);
  if (*end != '\0' || errno == ERANGE || std::isnan(value)) return std::nullopt;
  return value;
}

// False after an error reply.
bool Weigh(const CommandContext& context, const SortOptions& options,
           std::vector<Element>& elements) {
  for (Element& element : elements) {
    std::optional<std::string> by =
        options.by.empty() ? element.text : Lookup(context, options.by, element.text);
    if (options.alphabetic) {
      if (!options.by.empty()) element.by = std::move(by);
      continue;
    }
    if (!by) continue;
    const std::optional<double> weight = Weight(*by);
    if (!weight) {
      context.reply().Error("ERR One or more scores can't be converted into double");
      return false;
    }
    element.weight = *weight;
  }
  return true;
}

// Less, equal, greater; of elements of the same weight by their text.
int Compare(const SortOptions& options, const Element& a, const Element& b) {
  if (!options.alphabetic) {
    if (a.weight != b.weight) return a.weight < b.weight ? -1 : 1;
    return a.text.compare(b.text);
  }
  if (options.by.empty()) return a.text.compare(b.text);
  // An element that nothing is said of comes first.
  if (!a.by || !b.by) return (a.by ? 1 : 0) - (b.by ? 1 : 0);
  return a.by->compare(*b.by);
}

// The part that LIMIT leaves, [first, last).
struct Part {
  std::size_t first = 0;
  std::size_t last = 0;
};

Part PartOf(const SortOptions& options, std::size_t size) {
  const auto first = static_cast<std::uint64_t>(std::max(options.offset, std::int64_t{0}));
  if (first >= size) return {};
  const std::size_t left = size - static_cast<std::size_t>(first);
  const bool all = options.count < 0 || static_cast<std::uint64_t>(options.count) >= left;
  const std::size_t count = all ? left : static_cast<std::size_t>(options.count);
  return {static_cast<std::size_t>(first), static_cast<std::size_t>(first) + count};
}

void SortPart(const SortOptions& options, std::vector<Element>& elements, Part part) {
  const auto before = [&](const Element& a, const Element& b) {
    const int order = Compare(options, a, b);
    return options.descending ? order > 0 : order < 0;
  };
  // Equal ones keep their order, whatever the part.
  if (part.first == 0 && part.last == elements.size()) {
    return std::stable_sort(elements.begin(), elements.end(), before);
  }
  std::partial_sort(elements.begin(), elements.begin() + static_cast<std::ptrdiff_t>(part.last),
                    elements.end(), before);
}

// Calls `visit(std::optional<std::string>)` for what is returned, none for what is not there.
template <typename Visit>
void ForEachResult(const CommandContext& context, const SortOptions& options,
                   std::span<const Element> elements, Visit&& visit) {
  for (const Element& element : elements) {
    if (options.gets.empty()) visit(std::optional(element.text));
    for (const std::string_view get : options.gets) visit(Lookup(context, get, element.text));
  }
}

void Reply(const CommandContext& context, const SortOptions& options,
           std::span<const Element> elements) {
  context.reply().Array(elements.size() * std::max(options.gets.size(), std::size_t{1}));
  ForEachResult(context, options, elements, [&](const std::optional<std::string>& text) {
    if (text) return context.reply().Bulk(*text);
    context.reply().Null();
  });
}

// The results become a list; the destination goes when there are none.
void StoreResults(const CommandContext& context, const SortOptions& options,
                  std::span<const Element> elements) {
  std::vector<std::string> items;
  ForEachResult(context, options, elements, [&](const std::optional<std::string>& text) {
    items.push_back(text.value_or(std::string()));
  });
  const storage::HashedKey target = context.Key(*options.store);
  if (!items.empty()) {
    auto list =
        storage::ListEditor::New(context.keyspace(), target, ListLimitsOf(context), context.now());
    for (const std::string& item : items) list.Push(storage::ListEnd::kTail, item);
    if (!context.Stored(list.Commit())) return;
    context.Changed(items.size());
    context.SignalReady(*options.store);
    context.Notify(KeyEvent::kList, "sortstore", *options.store);
  } else if (context.keyspace().Delete(target, context.now())) {
    context.Changed();
    context.Notify(KeyEvent::kGeneric, "del", *options.store);
  }
  context.reply().Integer(static_cast<std::int64_t>(items.size()));
}

// SORT key [BY pattern] [LIMIT offset count] [GET pattern ...] [ASC | DESC] [ALPHA]
// [STORE destination]. Replies an array, with null for what a pattern does not find, or the number
// of items stored. O(n + m log m), n elements, m of them returned.
void SortKey(CommandContext& context, bool may_store) {
  SortOptions options;
  if (!ParseOptions(context, may_store, options)) return;
  const EntryView entry = context.FindForRead(1);
  if (entry && entry.type() != ValueType::kList && entry.type() != ValueType::kSet &&
      entry.type() != ValueType::kZset) {
    return context.reply().Error(err::kWrongType);
  }
  // What is stored of a set is to be in an order that does not depend on the server.
  if (options.unsorted && options.store && entry && entry.type() == ValueType::kSet) {
    options.unsorted = false;
    options.alphabetic = true;
    options.by = {};
  }
  if (!context.MemoryFor(ElementBytes(context.keyspace(), entry))) return;
  // Lookups by patterns may end the view, so the elements are copied.
  std::vector<Element> elements = ElementsOf(entry, options.unsorted && options.descending);
  const Part part = PartOf(options, elements.size());
  if (!options.unsorted) {
    if (!Weigh(context, options, elements)) return;
    SortPart(options, elements, part);
  }
  const auto returned = std::span(elements).subspan(part.first, part.last - part.first);
  if (options.store) return StoreResults(context, options, returned);
  Reply(context, options, returned);
}

void Sort(CommandContext& context) { SortKey(context, true); }
void SortRo(CommandContext& context) { SortKey(context, false); }

// The key, and the destination: the last one when there are several.
bool FindSortKeys(std::span<const std::string_view> arguments, KeyPositions& positions) {
  positions.Add(1, KeyFlag::kReadOnly | KeyFlag::kAccess);
  std::size_t store = 0;
  for (std::size_t i = 2; i < arguments.size(); ++i) {
    if (EqualsIgnoringCase(arguments[i], "limit")) {
      i += 2;
    } else if (EqualsIgnoringCase(arguments[i], "get") || EqualsIgnoringCase(arguments[i], "by")) {
      ++i;
    } else if (EqualsIgnoringCase(arguments[i], "store") && i + 1 < arguments.size()) {
      store = ++i;
    }
  }
  if (store != 0) positions.Add(store, KeyFlag::kOverwrite | KeyFlag::kUpdate);
  return true;
}

bool FindSortRoKeys(std::span<const std::string_view>, KeyPositions& positions) {
  positions.Add(1, KeyFlag::kReadOnly | KeyFlag::kAccess);
  return true;
}

constexpr KeySpec kPatternKeys = {
    .flags = KeyFlag::kReadOnly | KeyFlag::kAccess,
    .begin = KeySpec::Begin::kUnknown,
    .find = KeySpec::Find::kUnknown,
    .notes =
        "For the optional BY/GET keyword. It is marked 'unknown' because the key names derive "
        "from the content of the key we sort"};
constexpr KeySpec kSortKeys[] = {
    {.flags = KeyFlag::kReadOnly | KeyFlag::kAccess},
    kPatternKeys,
    {.flags = KeyFlag::kOverwrite | KeyFlag::kUpdate,
     .begin = KeySpec::Begin::kUnknown,
     .find = KeySpec::Find::kUnknown,
     .notes =
         "For the optional STORE keyword. It is marked 'unknown' because the keyword can appear "
         "anywhere in the argument array"}};
constexpr KeySpec kSortRoKeys[] = {{.flags = KeyFlag::kReadOnly | KeyFlag::kAccess}, kPatternKeys};

constexpr std::string_view kSortComplexity =
    "O(N+M*log(M)) where N is the number of elements in the list or set to sort, and M the number "
    "of returned elements. When the elements are not sorted, complexity is O(N).";

constexpr CommandSpec kSortCommands[] = {
    {.name = "sort",
     .handler = Sort,
     .arity = -2,
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kMovableKeys,
     .acl = Acl::kSet | Acl::kSortedSet | Acl::kList | Acl::kDangerous,
     .keys = kSortKeys,
     .group = Group::kGeneric,
     .since = "1.0.0",
     .complexity = kSortComplexity,
     .summary = "Sort the elements in a list, set or sorted set",
     .arguments =
         "key:key#0 'BY' pattern:pattern?#1 'LIMIT' offset_count:block(offset:integer "
         "count:integer)? 'GET' pattern:pattern?+#1 order:oneof('ASC' asc:pure-token|'DESC' "
         "desc:pure-token)? 'ALPHA' sorting:pure-token? 'STORE' destination:key?#2",
     .find_keys = FindSortKeys},
    {.name = "sort_ro",
     .handler = SortRo,
     .arity = -2,
     .flags = Flag::kReadonly | Flag::kMovableKeys,
     .acl = Acl::kSet | Acl::kSortedSet | Acl::kList | Acl::kDangerous,
     .keys = kSortRoKeys,
     .group = Group::kGeneric,
     .since = "7.0.0",
     .complexity = kSortComplexity,
     .summary = "Sort the elements in a list, set or sorted set. Read-only variant of SORT.",
     .arguments = "key:key#0 'BY' pattern:pattern?#1 'LIMIT' offset_count:block(offset:integer "
                  "count:integer)? 'GET' pattern:pattern?+#1 order:oneof('ASC' "
                  "asc:pure-token|'DESC' desc:pure-token)? 'ALPHA' sorting:pure-token?",
     .find_keys = FindSortRoKeys},
};

}  // namespace

std::span<const CommandSpec> SortCommands() { return kSortCommands; }

}  // namespace aeris
