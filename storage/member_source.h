// MemberSource: the members of a sorted set with their scores, or of a set with score 1: what the
// set operations of sorted sets take.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "storage/entry.h"
#include "storage/set_value.h"
#include "storage/zset_value.h"

namespace aeris::storage {

class MemberSource {
 public:
  // Whether a value of this type can be one.
  static bool Accepts(ValueType type) {
    return type == ValueType::kZset || type == ValueType::kSet;
  }

  // Of an entry of a type that is accepted, or of none. Valid as long as the entry.
  explicit MemberSource(EntryView entry) : is_set_(entry && entry.type() == ValueType::kSet) {
    if (is_set_) {
      set_ = SetView(entry);
    } else {
      zset_ = ZsetView(entry);
    }
  }

  std::size_t size() const { return is_set_ ? set_.size() : zset_.size(); }
  std::optional<double> Score(std::string_view member) const {
    if (!is_set_) return zset_.Score(member);
    return set_.Contains(member) ? std::optional(kSetScore) : std::nullopt;
  }
  // visit(std::string_view member, double score), which may return false to end it; the text lives
  // as long as the visit.
  template <typename Visit>
  void ForEach(Visit&& visit) const {
    if (!is_set_) return zset_.ForEach(visit);
    set_.ForEach([&](std::string_view member) { return GoesOn(visit, member, kSetScore); });
  }

 private:
  static constexpr double kSetScore = 1;

  bool is_set_;
  SetView set_;
  ZsetView zset_{EntryView()};
};

}  // namespace aeris::storage
