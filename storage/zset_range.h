// What ZRANGEBYSCORE, ZCOUNT, ZRANGEBYLEX and their kin select from a sorted set.
#pragma once

#include <cstdint>
#include <string_view>

namespace aeris::storage {

// Scores between two ends, which may be infinite.
struct ScoreRange {
  double min = 0;
  double max = 0;
  bool min_exclusive = false;
  bool max_exclusive = false;

  bool AboveMin(double score) const { return min_exclusive ? score > min : score >= min; }
  bool BelowMax(double score) const { return max_exclusive ? score < max : score <= max; }
};

// An end of a range of members: "-" is before all of them, "+" after.
struct LexBound {
  enum class Kind : std::uint8_t { kLowest, kInclusive, kExclusive, kHighest };
  Kind kind = Kind::kInclusive;
  std::string_view text{};
};

// Members in the order of their bytes. Means something where all scores are equal.
struct LexRange {
  LexBound min;
  LexBound max;

  bool AboveMin(std::string_view member) const;
  bool BelowMax(std::string_view member) const;
};

inline bool LexRange::AboveMin(std::string_view member) const {
  switch (min.kind) {
    case LexBound::Kind::kLowest:
      return true;
    case LexBound::Kind::kHighest:
      return false;
    case LexBound::Kind::kInclusive:
      return member >= min.text;
    case LexBound::Kind::kExclusive:
      return member > min.text;
  }
  return false;
}

inline bool LexRange::BelowMax(std::string_view member) const {
  switch (max.kind) {
    case LexBound::Kind::kLowest:
      return false;
    case LexBound::Kind::kHighest:
      return true;
    case LexBound::Kind::kInclusive:
      return member <= max.text;
    case LexBound::Kind::kExclusive:
      return member < max.text;
  }
  return false;
}

// Elements by their place in the order, 0 the lowest: those from `first` on, before `end`.
struct RankRange {
  std::uint64_t first = 0;
  std::uint64_t end = 0;

  std::uint64_t size() const { return first < end ? end - first : 0; }
};

}  // namespace aeris::storage
