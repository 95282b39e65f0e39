#include "storage/packed_zset.h"

#include <charconv>
#include <string>

#include "src/base/number_text.h"

namespace aeris::storage {
namespace {

using Position = PackedView::Position;

// Redis asks for magnitudes up to LLONG_MAX / 2, which is this as a double.
constexpr double kIntegerScoreMax = 4611686018427387904.0;

Position InsertScore(PackedBlock& block, Position at, double score) {
  if (const auto integer = PackedInteger(score)) return block.Insert(at, *integer);
  char text[kDoubleTextMax];
  return block.Insert(at, std::string_view(text, FormatDouble(text, score)));
}

void ReplaceScore(PackedBlock& block, Position at, double score) {
  if (const auto integer = PackedInteger(score)) {
    block.Replace(at, *integer);
    return;
  }
  char text[kDoubleTextMax];
  block.Replace(at, std::string_view(text, FormatDouble(text, score)));
}

}  // namespace

std::optional<std::int64_t> PackedInteger(double score) {
  if (!(score >= -kIntegerScoreMax && score <= kIntegerScoreMax)) return std::nullopt;
  const auto integer = static_cast<std::int64_t>(score);
  if (static_cast<double>(integer) != score) return std::nullopt;
  return integer;
}

double PackedZsetView::ScoreAt(Position score) const {
  const PackedItem item = view_.Get(score);
  if (item.is_integer) return static_cast<double>(item.integer);
  double value = 0;
  std::from_chars(item.text.data(), item.text.data() + item.text.size(), value);
  return value;
}

PackedZsetView::Place PackedZsetView::Find(std::string_view member) const {
  const Position at = view_.Find(view_.First(), member, 1);
  if (at == kEnd) return {};
  return {at, ScoreAt(view_.Next(at))};
}

std::uint64_t PackedZsetView::RankAt(Position at) const {
  std::uint64_t rank = 0;
  for (Position each = view_.First(); each != at; each = NextMember(each)) ++rank;
  return rank;
}

RankRange PackedZsetView::RanksOf(const ScoreRange& range) const {
  RankRange ranks;
  Position at = view_.First();
  for (; at != kEnd && !range.AboveMin(ScoreAt(view_.Next(at))); at = NextMember(at)) ++ranks.first;
  ranks.end = ranks.first;
  for (; at != kEnd && range.BelowMax(ScoreAt(view_.Next(at))); at = NextMember(at)) ++ranks.end;
  return ranks;
}

RankRange PackedZsetView::RanksOf(const LexRange& range, bool from_end) const {
  IntegerText scratch;
  const auto member = [&](Position at) { return view_.Get(at).Text(scratch); };
  RankRange ranks;
  if (empty()) return ranks;
  // What lies wholly to one side by its first and last member has nothing in the range.
  const Position last = view_.Previous(view_.Last());
  if (!range.AboveMin(member(last)) || !range.BelowMax(member(view_.First()))) return ranks;
  if (!from_end) {
    Position at = view_.First();
    for (; at != kEnd && !range.AboveMin(member(at)); at = NextMember(at)) ++ranks.first;
    ranks.end = ranks.first;
    for (; at != kEnd && range.BelowMax(member(at)); at = NextMember(at)) ++ranks.end;
    return ranks;
  }
  Position at = last;
  ranks.end = size();
  for (; at != kEnd && !range.BelowMax(member(at)); at = PreviousMember(at)) --ranks.end;
  ranks.first = ranks.end;
  for (; at != kEnd && range.AboveMin(member(at)); at = PreviousMember(at)) --ranks.first;
  return ranks;
}

PackedZsetView::Position PackedZsetView::LowerBound(double score, std::string_view member) const {
  IntegerText scratch;
  for (Position at = view_.First(); at != kEnd; at = NextMember(at)) {
    const double each = ScoreAt(view_.Next(at));
    if (each > score || (each == score && view_.Get(at).Text(scratch) >= member)) return at;
  }
  return kEnd;
}

namespace packed_zset {

void Append(PackedBlock& block, std::string_view member, double score) {
  block.Append(member);
  InsertScore(block, PackedView::kEnd, score);
}

void Insert(PackedBlock& block, std::string_view member, double score) {
  const Position at = PackedZsetView(block.view()).LowerBound(score, member);
  if (at == PackedView::kEnd) return Append(block, member, score);
  InsertScore(block, at, score);
  block.Insert(at, member);
}

void SetScore(PackedBlock& block, Position at, double score) {
  const PackedView view = block.view();
  const PackedZsetView elements(view);
  IntegerText scratch;
  const std::string_view member = view.Get(at).Text(scratch);
  const auto before = [&](Position each, double limit) {
    IntegerText text;
    const double found = elements.ScoreAt(view.Next(each));
    return found < limit || (found == limit && view.Get(each).Text(text) < member);
  };
  const Position previous = elements.PreviousMember(at);
  const Position next = view.Skip(at, 2);
  if ((previous == PackedView::kEnd || before(previous, score)) &&
      (next == PackedView::kEnd || !before(next, score))) {
    return ReplaceScore(block, view.Next(at), score);
  }
  const std::string moved(member);
  block.Erase(at, 2);
  Insert(block, moved, score);
}

void EraseRanks(PackedBlock& block, std::uint64_t first, std::uint64_t count) {
  const Position at = PackedZsetView(block.view()).MemberAt(first);
  if (at != PackedView::kEnd) block.Erase(at, static_cast<std::size_t>(count) * 2);
}

}  // namespace packed_zset
}  // namespace aeris::storage
