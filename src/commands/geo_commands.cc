// GEO: places in sorted sets.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/number_text.h"
#include "src/command_context.h"
#include "src/commands/families.h"
#include "src/commands/gathered_memory.h"
#include "src/commands/key_specs.h"
#include "src/commands/zset_add.h"
#include "src/commands/zset_arguments.h"
#include "src/error_replies.h"
#include "src/geo_hash.h"
#include "src/text.h"

namespace aeris {
namespace {

using storage::EntryView;
using storage::ValueType;
using storage::ZsetView;

// --- Arguments; none gives a value after an error reply.

// Longitude and latitude at `index` and behind it.
std::optional<GeoPoint> PointArgs(const CommandContext& context, std::size_t index) {
  const auto longitude = FloatArg(context, index, err::kNotFloat);
  const auto latitude = longitude ? FloatArg(context, index + 1, err::kNotFloat) : std::nullopt;
  if (!latitude) return std::nullopt;
  const GeoPoint point{*longitude, *latitude};
  if (GeoValid(point)) return point;
  context.reply().Error(fmt::format("ERR invalid longitude,latitude pair {:f},{:f}",
                                    point.longitude, point.latitude));
  return std::nullopt;
}

// Metres in the unit at `index`.
std::optional<double> UnitArg(const CommandContext& context, std::size_t index) {
  if (context.ArgIs(index, "m")) return 1;
  if (context.ArgIs(index, "km")) return 1000;
  if (context.ArgIs(index, "ft")) return 0.3048;
  if (context.ArgIs(index, "mi")) return 1609.34;
  context.reply().Error("ERR unsupported unit provided. please use M, KM, FT, MI");
  return std::nullopt;
}

// A radius and its unit.
bool RadiusArgs(const CommandContext& context, std::size_t index, GeoShape& shape) {
  const auto radius = FloatArg(context, index, "ERR need numeric radius");
  if (!radius) return false;
  if (*radius < 0) {
    context.reply().Error("ERR radius cannot be negative");
    return false;
  }
  const auto metres = UnitArg(context, index + 1);
  if (!metres) return false;
  shape.box = false;
  shape.radius = *radius;
  shape.metres = *metres;
  return true;
}

// Width, height and their unit.
bool BoxArgs(const CommandContext& context, std::size_t index, GeoShape& shape) {
  const auto width = FloatArg(context, index, "ERR need numeric width");
  const auto height =
      width ? FloatArg(context, index + 1, "ERR need numeric height") : std::nullopt;
  if (!height) return false;
  if (*width < 0 || *height < 0) {
    context.reply().Error("ERR height or width cannot be negative");
    return false;
  }
  const auto metres = UnitArg(context, index + 2);
  if (!metres) return false;
  shape.box = true;
  shape.width = *width;
  shape.height = *height;
  shape.metres = *metres;
  return true;
}

// The place of the member at `index`.
std::optional<GeoPoint> MemberArg(const CommandContext& context, std::size_t index,
                                  EntryView entry) {
  const auto score = ZsetView(entry).Score(context.arg(index));
  if (score) return GeoPlace(*score);
  context.reply().Error("ERR could not decode requested zset member");
  return std::nullopt;
}

// --- Replies

void ReplyCoordinate(const CommandContext& context, double degrees) {
  const std::string text = LongDoubleText(degrees);
  if (context.reply().resp() == 2) return context.reply().Bulk(text);
  context.reply().Raw("," + text + "\r\n");
}

void ReplyPoint(const CommandContext& context, GeoPoint point) {
  context.reply().Array(2);
  ReplyCoordinate(context, point.longitude);
  ReplyCoordinate(context, point.latitude);
}

void ReplyDistance(const CommandContext& context, double distance) {
  context.reply().Bulk(fmt::format("{:.4f}", distance));
}

// --- Commands on members

// GEOADD key [NX | XX] [CH] longitude latitude member ... Replies as ZADD.
void GeoAdd(CommandContext& context) {
  AddOptions options;
  std::size_t first = 2;
  for (; first < context.argc(); ++first) {
    if (context.ArgIs(first, "nx")) {
      options.only_if_absent = true;
    } else if (context.ArgIs(first, "xx")) {
      options.only_if_present = true;
    } else if (context.ArgIs(first, "ch")) {
      options.count_changed = true;
    } else {
      break;
    }
  }
  if ((context.argc() - first) % 3 != 0 || (options.only_if_absent && options.only_if_present)) {
    return context.reply().Error(err::kSyntax);
  }
  std::vector<double> scores;
  for (std::size_t i = first; i < context.argc(); i += 3) {
    const auto point = PointArgs(context, i);
    if (!point) return;
    scores.push_back(GeoScore(*point));
  }
  if (scores.empty()) return context.reply().Error(err::kSyntax);
  AddMembers(context, options, {.first = first + 2, .step = 3}, scores);
}

// GEODIST key member1 member2 [unit]. Replies a bulk string with four decimals | null.
void GeoDist(CommandContext& context) {
  double metres = 1;
  if (context.argc() == 5) {
    const auto unit = UnitArg(context, 4);
    if (!unit) return;
    metres = *unit;
  } else if (context.argc() > 5) {
    return context.reply().Error(err::kSyntax);
  }
  EntryView entry;
  if (!context.FindForRead(1, ValueType::kZset, entry)) return;
  const ZsetView elements(entry);
  const auto from = elements.Score(context.arg(2));
  const auto to = elements.Score(context.arg(3));
  if (!from || !to) return context.reply().Null();
  ReplyDistance(context, GeoDistance(GeoPlace(*from), GeoPlace(*to)) / metres);
}

// GEOHASH key member ... Replies an array of 11 characters | null.
void GeoHash(CommandContext& context) {
  EntryView entry;
  if (!context.FindForRead(1, ValueType::kZset, entry)) return;
  const ZsetView elements(entry);
  context.reply().Array(context.argc() - 2);
  for (std::size_t i = 2; i < context.argc(); ++i) {
    const auto score = elements.Score(context.arg(i));
    if (!score) {
      context.reply().Null();
      continue;
    }
    char text[kGeoTextSize];
    FormatGeoText(text, GeoPlace(*score));
    context.reply().Bulk({text, sizeof text});
  }
}

// GEOPOS key member ... Replies an array of pairs of longitude and latitude | null array.
void GeoPos(CommandContext& context) {
  EntryView entry;
  if (!context.FindForRead(1, ValueType::kZset, entry)) return;
  const ZsetView elements(entry);
  context.reply().Array(context.argc() - 2);
  for (std::size_t i = 2; i < context.argc(); ++i) {
    const auto score = elements.Score(context.arg(i));
    score ? ReplyPoint(context, GeoPlace(*score)) : context.reply().NullArray();
  }
}

// --- Searching

enum class GeoOrder : std::uint8_t { kNone, kNearest, kFarthest };

// A search, by whichever command.
struct GeoRequest {
  // What the name of the command says.
  bool geosearch = false;  // GEOSEARCH and GEOSEARCHSTORE name center and shape by options
  bool by_member = false;  // GEORADIUSBYMEMBER
  bool may_store = true;   // STORE and STOREDIST of GEORADIUS
  std::size_t key = 1;
  std::size_t destination = 0;  // the argument; 0: none

  GeoShape shape{};
  bool has_member = false;
  bool has_point = false;
  bool has_radius = false;
  bool has_box = false;
  bool store_distance = false;
  bool with_coordinates = false;
  bool with_distance = false;
  bool with_hash = false;
  bool any = false;
  std::uint64_t count = 0;  // 0: all
  GeoOrder order = GeoOrder::kNone;

  bool shows_more() const { return with_coordinates || with_distance || with_hash; }
};

// How an option was taken.
enum class Taken : std::uint8_t { kYes, kNo, kError };

Taken TakenIf(bool ok) { return ok ? Taken::kYes : Taken::kError; }

// An option of GEOSEARCH that says where: `index` moves to its last argument.
Taken TakeWhere(const CommandContext& context, EntryView entry, std::size_t& index,
                GeoRequest& request) {
  const std::size_t at = index;
  const std::size_t left = context.argc() - at - 1;
  if (left >= 1 && !request.has_point && context.ArgIs(at, "frommember")) {
    index += 1;
    request.has_member = true;
    // Without the key the arguments are still read to their end.
    if (!entry) return Taken::kYes;
    const auto center = MemberArg(context, at + 1, entry);
    if (center) request.shape.center = *center;
    return TakenIf(center.has_value());
  }
  if (left >= 2 && !request.has_member && context.ArgIs(at, "fromlonlat")) {
    index += 2;
    request.has_point = true;
    const auto center = PointArgs(context, at + 1);
    if (center) request.shape.center = *center;
    return TakenIf(center.has_value());
  }
  if (left >= 2 && !request.has_box && context.ArgIs(at, "byradius")) {
    index += 2;
    request.has_radius = true;
    return TakenIf(RadiusArgs(context, at + 1, request.shape));
  }
  if (left >= 3 && !request.has_radius && context.ArgIs(at, "bybox")) {
    index += 3;
    request.has_box = true;
    return TakenIf(BoxArgs(context, at + 1, request.shape));
  }
  if (request.destination != 0 && context.ArgIs(at, "storedist")) {
    request.store_distance = true;
    return Taken::kYes;
  }
  return Taken::kNo;
}

// STORE and STOREDIST of GEORADIUS.
Taken TakeDestination(const CommandContext& context, std::size_t& index, GeoRequest& request) {
  const bool distance = context.ArgIs(index, "storedist");
  if (!request.may_store || index + 1 == context.argc()) return Taken::kNo;
  if (!distance && !context.ArgIs(index, "store")) return Taken::kNo;
  request.destination = ++index;
  request.store_distance = distance;
  return Taken::kYes;
}

// An option that all searches have.
Taken TakeCommon(const CommandContext& context, std::size_t& index, GeoRequest& request) {
  if (context.ArgIs(index, "withdist")) {
    request.with_distance = true;
  } else if (context.ArgIs(index, "withhash")) {
    request.with_hash = true;
  } else if (context.ArgIs(index, "withcoord")) {
    request.with_coordinates = true;
  } else if (context.ArgIs(index, "any")) {
    request.any = true;
  } else if (context.ArgIs(index, "asc")) {
    request.order = GeoOrder::kNearest;
  } else if (context.ArgIs(index, "desc")) {
    request.order = GeoOrder::kFarthest;
  } else if (index + 1 < context.argc() && context.ArgIs(index, "count")) {
    const auto count = context.IntegerArg(++index);
    if (!count) return Taken::kError;
    if (*count <= 0) {
      context.reply().Error("ERR COUNT must be > 0");
      return Taken::kError;
    }
    request.count = static_cast<std::uint64_t>(*count);
  } else {
    return Taken::kNo;
  }
  return Taken::kYes;
}

// The error of options that make no sense together; empty when they do.
std::string ContradictionIn(const CommandContext& context, const GeoRequest& request) {
  if (request.destination != 0 && request.shows_more()) {
    return fmt::format("ERR {} is not compatible with WITHDIST, WITHHASH and WITHCOORD options",
                       request.geosearch ? "GEOSEARCHSTORE" : "STORE option in GEORADIUS");
  }
  if (request.geosearch && !request.has_member && !request.has_point) {
    return fmt::format("ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for {}",
                       EchoedText(context.arg(0)));
  }
  if (request.geosearch && !request.has_radius && !request.has_box) {
    return fmt::format("ERR exactly one of BYRADIUS and BYBOX can be specified for {}",
                       EchoedText(context.arg(0)));
  }
  if (request.any && request.count == 0) return "ERR the ANY argument requires COUNT argument";
  return {};
}

// The arguments before the options; returns where those begin, 0 after an error reply.
std::size_t ParseCenter(const CommandContext& context, EntryView entry, GeoRequest& request) {
  if (request.geosearch) return request.key + 1;
  const std::size_t options = request.by_member ? 5 : 6;
  if (request.by_member && !entry) return options;
  const auto center = request.by_member ? MemberArg(context, 2, entry) : PointArgs(context, 2);
  if (!center || !RadiusArgs(context, options - 2, request.shape)) return 0;
  request.shape.center = *center;
  return options;
}

// False after an error reply.
bool ParseSearch(const CommandContext& context, EntryView entry, GeoRequest& request) {
  std::size_t i = ParseCenter(context, entry, request);
  if (i == 0) return false;
  for (; i < context.argc(); ++i) {
    Taken taken = TakeCommon(context, i, request);
    if (taken == Taken::kNo) {
      taken = request.geosearch ? TakeWhere(context, entry, i, request)
                                : TakeDestination(context, i, request);
    }
    if (taken == Taken::kNo) context.reply().Error(err::kSyntax);
    if (taken != Taken::kYes) return false;
  }
  const std::string contradiction = ContradictionIn(context, request);
  if (!contradiction.empty()) {
    context.reply().Error(contradiction);
    return false;
  }
  // The nearest ones, unless any will do.
  if (request.count != 0 && request.order == GeoOrder::kNone && !request.any) {
    request.order = GeoOrder::kNearest;
  }
  return true;
}

// An element inside the shape.
struct GeoMatch {
  std::string member;
  double score = 0;
  GeoPoint point;
  double distance = 0;  // metres
};

// What lies inside, cell by cell; at most about request.count where any will do. Incomplete when
// `memory` was refused.
std::vector<GeoMatch> FindMatches(const ZsetView& elements, const GeoRequest& request,
                                  GatheredMemory& memory) {
  std::vector<GeoMatch> matches;
  const GeoCover cover = CoverShape(request.shape);
  const auto enough = [&] {
    return memory.refused() || (request.any && matches.size() >= request.count);
  };
  GeoCell last;
  for (std::size_t i = 0; i < GeoCover::kCells && !enough(); ++i) {
    const GeoCell cell = cover.cells[i];
    // Round the world, neighbours of a large cell are the same one.
    if (cell.none() || (i != 0 && cell == last)) continue;
    last = i == 0 ? GeoCell{} : cell;
    const GeoScores scores = GeoScoresOf(cell);
    const storage::RankRange ranks =
        elements.RanksOf({.min = scores.min, .max = scores.max, .max_exclusive = true});
    elements.Walk(ranks.first, ranks.size(), false, [&](std::string_view member, double score) {
      const GeoPoint point = GeoPlace(score);
      const double distance = GeoDistanceInside(request.shape, point);
      if (distance >= 0 &&
          memory.Take(sizeof(GeoMatch) + GatheredMemory::TextBytes(member.size()))) {
        matches.push_back({std::string(member), score, point, distance});
      }
      return !enough();
    });
  }
  return matches;
}

void Sort(std::vector<GeoMatch>& matches, GeoOrder order) {
  if (order == GeoOrder::kNearest) {
    std::ranges::stable_sort(matches, std::less<>{}, &GeoMatch::distance);
  } else if (order == GeoOrder::kFarthest) {
    std::ranges::stable_sort(matches, std::greater<>{}, &GeoMatch::distance);
  }
}

void ReplyMatches(const CommandContext& context, const std::vector<GeoMatch>& matches,
                  const GeoRequest& request) {
  context.reply().Array(matches.size());
  const std::size_t parts =
      std::size_t{1} + request.with_distance + request.with_hash + request.with_coordinates;
  for (const GeoMatch& each : matches) {
    if (parts > 1) context.reply().Array(parts);
    context.reply().Bulk(each.member);
    if (request.with_distance) ReplyDistance(context, each.distance / request.shape.metres);
    if (request.with_hash) context.reply().Integer(static_cast<std::int64_t>(GeoBits(each.score)));
    if (request.with_coordinates) ReplyPoint(context, each.point);
  }
}

void Search(CommandContext& context, GeoRequest request) {
  EntryView entry;
  if (!context.FindForRead(request.key, ValueType::kZset, entry)) return;
  if (!ParseSearch(context, entry, request)) return;
  std::vector<GeoMatch> matches;
  GatheredMemory memory(context);
  if (entry) matches = FindMatches(ZsetView(entry), request, memory);
  if (memory.refused()) return;
  Sort(matches, request.order);
  if (request.count != 0 && matches.size() > request.count) {
    matches.erase(matches.begin() + static_cast<std::ptrdiff_t>(request.count), matches.end());
  }
  if (request.destination == 0) return ReplyMatches(context, matches, request);
  if (!context.MemoryFor(matches.size() * sizeof(storage::ScoredMember))) return;
  std::vector<storage::ScoredMember> stored;
  stored.reserve(matches.size());
  for (GeoMatch& each : matches) {
    const double score = request.store_distance ? each.distance / request.shape.metres : each.score;
    stored.push_back({std::move(each.member), score});
  }
  StoreAndReply(context, request.destination,
                request.geosearch ? "geosearchstore" : "georadiusstore", stored);
}

// GEOSEARCH key FROMMEMBER member | FROMLONLAT longitude latitude BYRADIUS radius unit |
// BYBOX width height unit [ASC | DESC] [COUNT n [ANY]] [WITHCOORD] [WITHDIST] [WITHHASH], and the
// commands that were there before it. Reply an array of members, or of arrays of member, distance,
// hash and coordinates; with a destination how many are stored.
void GeoSearch(CommandContext& context) { Search(context, {.geosearch = true}); }
void GeoSearchStore(CommandContext& context) {
  Search(context, {.geosearch = true, .key = 2, .destination = 1});
}
void GeoRadius(CommandContext& context) { Search(context, {}); }
void GeoRadiusRo(CommandContext& context) { Search(context, {.may_store = false}); }
void GeoRadiusByMember(CommandContext& context) { Search(context, {.by_member = true}); }
void GeoRadiusByMemberRo(CommandContext& context) {
  Search(context, {.by_member = true, .may_store = false});
}

constexpr Change kGeoAddHistory[] = {{"6.2.0", "Added the `CH`, `NX` and `XX` options."}};

constexpr KeySpec kGeoRadiusKeys[] = {{.flags = KeyFlag::kReadOnly | KeyFlag::kAccess},
                                      {.flags = KeyFlag::kOverwrite | KeyFlag::kUpdate,
                                       .begin = KeySpec::Begin::kKeyword,
                                       .index = 6,
                                       .keyword = "STORE"},
                                      {.flags = KeyFlag::kOverwrite | KeyFlag::kUpdate,
                                       .begin = KeySpec::Begin::kKeyword,
                                       .index = 6,
                                       .keyword = "STOREDIST"}};

constexpr Change kGeoRadiusHistory[] = {{"6.2.0", "Added the `ANY` option for `COUNT`."},
                                        {"7.0.0", "Added support for uppercase unit names."}};

constexpr Change kGeoRadiusRoHistory[] = {{"6.2.0", "Added the `ANY` option for `COUNT`."}};

constexpr KeySpec kGeoRadiusByMemberKeys[] = {{.flags = KeyFlag::kReadOnly | KeyFlag::kAccess},
                                              {.flags = KeyFlag::kOverwrite | KeyFlag::kUpdate,
                                               .begin = KeySpec::Begin::kKeyword,
                                               .index = 5,
                                               .keyword = "STORE"},
                                              {.flags = KeyFlag::kOverwrite | KeyFlag::kUpdate,
                                               .begin = KeySpec::Begin::kKeyword,
                                               .index = 5,
                                               .keyword = "STOREDIST"}};

constexpr Change kUpperCaseUnitsHistory[] = {{"7.0.0", "Added support for uppercase unit names."}};

constexpr CommandSpec kGeoCommands[] = {
    {.name = "geoadd",
     .handler = GeoAdd,
     .arity = -5,
     .flags = Flag::kWrite | Flag::kDenyOom,
     .acl = Acl::kGeo,
     .keys = kUpdateKey,
     .group = Group::kGeo,
     .since = "3.2.0",
     .complexity =
         "O(log(N)) for each item added, where N is the number of elements in the sorted set.",
     .summary =
         "Add one or more geospatial items in the geospatial index represented using a sorted set",
     .arguments = "key:key#0 condition:oneof('NX' nx:pure-token|'XX' xx:pure-token)?@6.2.0 'CH' "
                  "change:pure-token?@6.2.0 longitude_latitude_member:block(longitude:double "
                  "latitude:double member:string)*",
     .history = kGeoAddHistory},
    {.name = "geodist",
     .handler = GeoDist,
     .arity = -4,
     .flags = Flag::kReadonly,
     .acl = Acl::kGeo,
     .keys = kReadKey,
     .group = Group::kGeo,
     .since = "3.2.0",
     .complexity = "O(log(N))",
     .summary = "Returns the distance between two members of a geospatial index",
     .arguments = "key:key#0 member1:string member2:string unit:oneof('M' m:pure-token|'KM' "
                  "km:pure-token|'FT' ft:pure-token|'MI' mi:pure-token)?"},
    {.name = "geohash",
     .handler = GeoHash,
     .arity = -2,
     .flags = Flag::kReadonly,
     .acl = Acl::kGeo,
     .keys = kReadKey,
     .group = Group::kGeo,
     .since = "3.2.0",
     .complexity = "O(log(N)) for each member requested, where N is the number of elements in the "
                   "sorted set.",
     .summary = "Returns members of a geospatial index as standard geohash strings",
     .arguments = "key:key#0 member:string*"},
    {.name = "geopos",
     .handler = GeoPos,
     .arity = -2,
     .flags = Flag::kReadonly,
     .acl = Acl::kGeo,
     .keys = kReadKey,
     .group = Group::kGeo,
     .since = "3.2.0",
     .complexity = "O(N) where N is the number of members requested.",
     .summary = "Returns longitude and latitude of members of a geospatial index",
     .arguments = "key:key#0 member:string*"},
    {.name = "georadius",
     .handler = GeoRadius,
     .arity = -6,
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kMovableKeys,
     .acl = Acl::kGeo,
     .keys = kGeoRadiusKeys,
     .group = Group::kGeo,
     .since = "3.2.0",
     .complexity =
         "O(N+log(M)) where N is the number of elements inside the bounding box of the circular "
         "area delimited by center and radius and M is the number of items inside the index.",
     .summary = "Query a sorted set representing a geospatial index to fetch members matching a "
                "given maximum distance from a point",
     .arguments =
         "key:key#0 longitude:double latitude:double radius:double unit:oneof('M' "
         "m:pure-token|'KM' km:pure-token|'FT' ft:pure-token|'MI' mi:pure-token) 'WITHCOORD' "
         "withcoord:pure-token? 'WITHDIST' withdist:pure-token? 'WITHHASH' withhash:pure-token? "
         "count:block('COUNT' count:integer 'ANY' any:pure-token?@6.2.0)? order:oneof('ASC' "
         "asc:pure-token|'DESC' desc:pure-token)? 'STORE' key:key?#1 'STOREDIST' key:key?#2",
     .history = kGeoRadiusHistory,
     .deprecated_since = "6.2.0",
     .replaced_by = "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument"},
    {.name = "georadius_ro",
     .handler = GeoRadiusRo,
     .arity = -6,
     .flags = Flag::kReadonly,
     .acl = Acl::kGeo,
     .keys = kReadKey,
     .group = Group::kGeo,
     .since = "3.2.10",
     .complexity =
         "O(N+log(M)) where N is the number of elements inside the bounding box of the circular "
         "area delimited by center and radius and M is the number of items inside the index.",
     .summary = "A read-only variant for GEORADIUS",
     .arguments =
         "key:key#0 longitude:double latitude:double radius:double unit:oneof('M' "
         "m:pure-token|'KM' km:pure-token|'FT' ft:pure-token|'MI' mi:pure-token) 'WITHCOORD' "
         "withcoord:pure-token? 'WITHDIST' withdist:pure-token? 'WITHHASH' withhash:pure-token? "
         "count:block('COUNT' count:integer 'ANY' any:pure-token?@6.2.0)? order:oneof('ASC' "
         "asc:pure-token|'DESC' desc:pure-token)?",
     .history = kGeoRadiusRoHistory,
     .deprecated_since = "6.2.0",
     .replaced_by = "`GEOSEARCH` with the `BYRADIUS` argument"},
    {.name = "georadiusbymember",
     .handler = GeoRadiusByMember,
     .arity = -5,
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kMovableKeys,
     .acl = Acl::kGeo,
     .keys = kGeoRadiusByMemberKeys,
     .group = Group::kGeo,
     .since = "3.2.0",
     .complexity =
         "O(N+log(M)) where N is the number of elements inside the bounding box of the circular "
         "area delimited by center and radius and M is the number of items inside the index.",
     .summary = "Query a sorted set representing a geospatial index to fetch members matching a "
                "given maximum distance from a member",
     .arguments =
         "key:key#0 member:string radius:double unit:oneof('M' m:pure-token|'KM' "
         "km:pure-token|'FT' ft:pure-token|'MI' mi:pure-token) 'WITHCOORD' withcoord:pure-token? "
         "'WITHDIST' withdist:pure-token? 'WITHHASH' withhash:pure-token? count:block('COUNT' "
         "count:integer 'ANY' any:pure-token?)? order:oneof('ASC' asc:pure-token|'DESC' "
         "desc:pure-token)? 'STORE' key:key?#1 'STOREDIST' key:key?#2",
     .history = kUpperCaseUnitsHistory,
     .deprecated_since = "6.2.0",
     .replaced_by =
         "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` arguments"},
    {.name = "georadiusbymember_ro",
     .handler = GeoRadiusByMemberRo,
     .arity = -5,
     .flags = Flag::kReadonly,
     .acl = Acl::kGeo,
     .keys = kReadKey,
     .group = Group::kGeo,
     .since = "3.2.10",
     .complexity =
         "O(N+log(M)) where N is the number of elements inside the bounding box of the circular "
         "area delimited by center and radius and M is the number of items inside the index.",
     .summary = "A read-only variant for GEORADIUSBYMEMBER",
     .arguments = "key:key#0 member:string radius:double unit:oneof('M' m:pure-token|'KM' "
                  "km:pure-token|'FT' ft:pure-token|'MI' mi:pure-token) 'WITHCOORD' "
                  "withcoord:pure-token? 'WITHDIST' withdist:pure-token? 'WITHHASH' "
                  "withhash:pure-token? count:block('COUNT' count:integer 'ANY' any:pure-token?)? "
                  "order:oneof('ASC' asc:pure-token|'DESC' desc:pure-token)?",
     .deprecated_since = "6.2.0",
     .replaced_by = "`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments"},
    {.name = "geosearch",
     .handler = GeoSearch,
     .arity = -7,
     .flags = Flag::kReadonly,
     .acl = Acl::kGeo,
     .keys = kReadKey,
     .group = Group::kGeo,
     .since = "6.2.0",
     .complexity =
         "O(N+log(M)) where N is the number of elements in the grid-aligned bounding box area "
         "around the shape provided as the filter and M is the number of items inside the shape",
     .summary = "Query a sorted set representing a geospatial index to fetch members inside an "
                "area of a box or a circle.",
     .arguments =
         "key:key#0 from:oneof('FROMMEMBER' member:string|'FROMLONLAT' "
         "longitude_latitude:block(longitude:double latitude:double)) "
         "by:oneof(circle:block('BYRADIUS' radius:double unit:oneof('M' m:pure-token|'KM' "
         "km:pure-token|'FT' ft:pure-token|'MI' mi:pure-token))|box:block('BYBOX' width:double "
         "height:double unit:oneof('M' m:pure-token|'KM' km:pure-token|'FT' ft:pure-token|'MI' "
         "mi:pure-token))) order:oneof('ASC' asc:pure-token|'DESC' desc:pure-token)? "
         "count:block('COUNT' count:integer 'ANY' any:pure-token?)? 'WITHCOORD' "
         "withcoord:pure-token? 'WITHDIST' withdist:pure-token? 'WITHHASH' withhash:pure-token?",
     .history = kUpperCaseUnitsHistory},
    {.name = "geosearchstore",
     .handler = GeoSearchStore,
     .arity = -8,
     .flags = Flag::kWrite | Flag::kDenyOom,
     .acl = Acl::kGeo,
     .keys = kStoreFromKey,
     .group = Group::kGeo,
     .since = "6.2.0",
     .complexity =
         "O(N+log(M)) where N is the number of elements in the grid-aligned bounding box area "
         "around the shape provided as the filter and M is the number of items inside the shape",
     .summary = "Query a sorted set representing a geospatial index to fetch members inside an "
                "area of a box or a circle, and store the result in another key.",
     .arguments = "destination:key#0 source:key#1 from:oneof('FROMMEMBER' "
                  "member:string|'FROMLONLAT' longitude_latitude:block(longitude:double "
                  "latitude:double)) by:oneof(circle:block('BYRADIUS' radius:double unit:oneof('M' "
                  "m:pure-token|'KM' km:pure-token|'FT' ft:pure-token|'MI' "
                  "mi:pure-token))|box:block('BYBOX' width:double height:double unit:oneof('M' "
                  "m:pure-token|'KM' km:pure-token|'FT' ft:pure-token|'MI' mi:pure-token))) "
                  "order:oneof('ASC' asc:pure-token|'DESC' desc:pure-token)? count:block('COUNT' "
                  "count:integer 'ANY' any:pure-token?)? 'STOREDIST' storedist:pure-token?",
     .history = kUpperCaseUnitsHistory},
};

}  // namespace

std::span<const CommandSpec> GeoCommands() { return kGeoCommands; }

}  // namespace aeris
