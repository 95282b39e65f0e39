// A sorted set as a packed block: [ member ][ score ][ member ][ score ] ..., the lowest score
// first, equal scores by the bytes of their members. The bytes are those of Redis's listpack.
//
// Scores that are integers within +-2^62 are integer items, -0 among them; all others are "%.17g"
// text.
// Cost:     a walk over the elements; what is found by rank walks from the nearer end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>

#include "storage/packed_block.h"
#include "storage/zset_range.h"

namespace aeris::storage {

// The integer as which a packed block keeps this score, if it does.
std::optional<std::int64_t> PackedInteger(double score);

// Visits an element; false when the visit says that it was the last one.
template <typename Visit>
bool GoesOn(Visit& visit, std::string_view member, double score) {
  if constexpr (std::is_void_v<decltype(visit(member, score))>) {
    visit(member, score);
    return true;
  } else {
    return visit(member, score);
  }
}

// Reading.
class PackedZsetView {
 public:
  using Position = PackedView::Position;
  static constexpr Position kEnd = PackedView::kEnd;

  // An element: where its member is, kEnd for none, and its score.
  struct Place {
    Position at = PackedView::kEnd;
    double score = 0;
    explicit operator bool() const { return at != PackedView::kEnd; }
  };

  explicit PackedZsetView(PackedView view) : view_(view) {}

  std::size_t size() const { return view_.size() / 2; }
  bool empty() const { return view_.empty(); }
  Place Find(std::string_view member) const;
  // The element's rank. Requires `at` to be a member.
  std::uint64_t RankAt(Position at) const;
  RankRange RanksOf(const ScoreRange& range) const;
  // Where scores differ, the elements from the first one within the range on to the first one
  // beyond it, or the same from the other end.
  RankRange RanksOf(const LexRange& range, bool from_end) const;
  // Visits elements by rank, up or down from `first`: visit(std::string_view member, double score),
  // which may return false to end it. A member's text lives as long as the visit.
  template <typename Visit>
  void Walk(std::uint64_t first, std::uint64_t count, bool reverse, Visit&& visit) const;

  Position MemberAt(std::uint64_t rank) const {
    return view_.At(static_cast<std::int64_t>(rank) * 2);
  }
  double ScoreAt(Position score) const;
  Position PreviousMember(Position at) const {
    at = view_.Previous(at);
    return at == kEnd ? kEnd : view_.Previous(at);
  }
  // The first element that is not before this one; kEnd if none.
  Position LowerBound(double score, std::string_view member) const;

 private:
  Position NextMember(Position at) const { return view_.Skip(at, 2); }

  PackedView view_;
};

// Changing. The block is some sorted set's.
namespace packed_zset {

void Append(PackedBlock& block, std::string_view member, double score);
// The member is not there yet.
void Insert(PackedBlock& block, std::string_view member, double score);
// Gives the element at `at` another score; it moves to where it belongs then.
void SetScore(PackedBlock& block, PackedZsetView::Position at, double score);
void EraseRanks(PackedBlock& block, std::uint64_t first, std::uint64_t count);

}  // namespace packed_zset

template <typename Visit>
void PackedZsetView::Walk(std::uint64_t first, std::uint64_t count, bool reverse,
                          Visit&& visit) const {
  if (count == 0) return;
  IntegerText scratch;
  for (Position at = MemberAt(first); at != kEnd && count > 0; --count) {
    if (!GoesOn(visit, view_.Get(at).Text(scratch), ScoreAt(view_.Next(at)))) return;
    at = reverse ? PreviousMember(at) : NextMember(at);
  }
}

}  // namespace aeris::storage
