#include "storage/zset_structure.h"

#include <algorithm>
#include <utility>

#include "src/base/check.h"

namespace aeris::storage {
namespace {

// Elements taken out of the tree before their entries are freed.
constexpr std::uint64_t kRemovedAtOnce = 64;
// Elements in a leaf of the tree, about.
constexpr std::size_t kLeafElements = 64;
// Entries of what is cut that each change removes.
constexpr std::uint64_t kTakenPerChange = 16;
// Each range that is cut is one more place to look at; from this many on a cut removes entries of
// an earlier one.
constexpr std::size_t kRangesUsual = 4;

}  // namespace

ZsetStructure::ZsetStructure(const KeyHasher& hasher)
    : ZsetStructure(hasher, std::make_unique<MemberTable>(hasher)) {}

ZsetStructure::ZsetStructure(const KeyHasher& hasher, std::unique_ptr<MemberTable> members)
    : Collection(ValueType::kZset),
      hasher_(hasher),
      members_(std::move(members)),
      tree_(*this),
      cut_(*this) {
  members_->SetListener(this);
}

std::unique_ptr<ZsetStructure> ZsetStructure::Make(const KeyHasher& hasher, PackedZsetView packed) {
  auto made = std::make_unique<ZsetStructure>(hasher);
  bool ok = true;
  packed.Walk(0, packed.size(), false, [&](std::string_view member, double score) {
    ok = made->Insert(member, score);
    return ok;
  });
  return ok ? std::move(made) : nullptr;
}

std::unique_ptr<ZsetStructure> ZsetStructure::Make(const KeyHasher& hasher,
                                                   std::span<const ScoredMember> sorted) {
  auto made = std::make_unique<ZsetStructure>(hasher);
  // Without this room the table grows as it fills.
  static_cast<void>(made->members_->Reserve(sorted.size()));
  for (const ScoredMember& each : sorted) {
    if (!made->Insert(each.member, each.score)) return nullptr;
  }
  return made;
}

std::size_t ZsetStructure::memory_bytes() const {
  return sizeof *this + sizeof(MemberTable) + members_->memory_bytes() + tree_.memory_bytes() +
         cut_.memory_bytes();
}

std::size_t ZsetStructure::FreeEffort() const {
  return members_->allocations() + members_->size() / kLeafElements + 1;
}

std::unique_ptr<Collection> ZsetStructure::Clone() const {
  if (!cut_.empty()) {
    auto copy = std::make_unique<ZsetStructure>(hasher_);
    bool ok = true;
    Walk(0, size(), false, [&](std::string_view member, double score) {
      ok = copy->Insert(member, score);
      return ok;
    });
    return ok ? std::move(copy) : nullptr;
  }
  std::unique_ptr<MemberTable> members = members_->Clone();
  if (members == nullptr) return nullptr;
  std::vector<ScoreTree::Element> elements;
  elements.reserve(size());
  Walk(0, size(), false, [&](std::string_view member, double score) {
    elements.push_back({score, members->Find(member)});
  });
  std::unique_ptr<ZsetStructure> copy(new ZsetStructure(hasher_, std::move(members)));
  copy->tree_.Build(elements);
  return copy;
}

void ZsetStructure::CheckInvariants() const {
  members_->CheckInvariants();
  tree_.CheckInvariants();
  cut_.CheckInvariants();
  AERIS_CHECK(tree_.size() + cut_.size() == members_->size());
  AERIS_CHECK(!inserted_ && removed_.empty());
  for (ScoreTree::Position at = tree_.At(0); at; at.Next()) {
    const MemberView member = members_->At(at.ref());
    AERIS_CHECK(member.score() == at.score());
    AERIS_CHECK(Find(members_->Hashed(member.member())) == at.ref());
  }
}

Ref ZsetStructure::Find(HashedKey member) const {
  const Ref ref = members_->Find(member);
  const bool gone = ref != 0 && cut_.Contains(members_->At(ref).score(), member.text);
  return gone ? 0 : ref;
}

std::optional<double> ZsetStructure::Score(std::string_view member) const {
  const Ref ref = Find(members_->Hashed(member));
  if (ref == 0) return std::nullopt;
  return members_->At(ref).score();
}

std::optional<std::uint64_t> ZsetStructure::Rank(std::string_view member) const {
  const std::optional<double> score = Score(member);
  if (!score) return std::nullopt;
  return tree_.Rank(*score, member);
}

RankRange ZsetStructure::RanksOf(const ScoreRange& range) const {
  const auto first =
      range.min_exclusive ? tree_.UpperBound(range.min) : tree_.LowerBound(range.min);
  const auto end = range.max_exclusive ? tree_.LowerBound(range.max) : tree_.UpperBound(range.max);
  return {first.rank(), end.rank()};
}

RankRange ZsetStructure::RanksOf(const LexRange& range) const {
  using Kind = LexBound::Kind;
  const auto rank = [&](const LexBound& bound, Kind after) -> std::uint64_t {
    if (bound.kind == Kind::kLowest) return 0;
    if (bound.kind == Kind::kHighest) return size();
    return bound.kind == after ? tree_.UpperBound(bound.text).rank()
                               : tree_.LowerBound(bound.text).rank();
  };
  return {rank(range.min, Kind::kExclusive), rank(range.max, Kind::kInclusive)};
}

bool ZsetStructure::Insert(HashedKey member, double score) {
  // Before a reference is held.
  TakeCut(kTakenPerChange);
  Ref ref = cut_.empty() ? 0 : members_->Find(member);
  if (ref != 0) {
    // It was cut out and comes back.
    AERIS_CHECK(cut_.Release(members_->At(ref).score(), member.text));
    members_->SetScore(ref, score);
  } else {
    inserted_ = member.text;
    ref = members_->Insert(member, score);
    inserted_.reset();
    if (ref == 0) return false;
  }
  tree_.Insert(score, member.text, ref);
  return true;
}

bool ZsetStructure::Remove(std::string_view member) {
  TakeCut(kTakenPerChange);
  const Ref ref = Find(members_->Hashed(member));
  if (ref == 0) return false;
  tree_.Erase(members_->At(ref).score(), member);
  members_->Erase(ref);
  return true;
}

void ZsetStructure::RemoveRanks(std::uint64_t first, std::uint64_t count) {
  TakeCut(cut_.ranges() < kRangesUsual ? kTakenPerChange : kRemovedInPlaceMax);
  if (count > kRemovedInPlaceMax) return cut_.Cut(tree_, first, count);
  while (count > 0) {
    const std::uint64_t n = std::min(count, kRemovedAtOnce);
    tree_.EraseRange(first, n, [&](double, Ref ref) { removed_.push_back(ref); });
    count -= n;
    EraseRemoved();
  }
}

bool ZsetStructure::ExpireDue(UnixMs /*now*/, std::size_t count_max) {
  TakeCut(count_max);
  return !cut_.empty();
}

void ZsetStructure::TakeCut(std::uint64_t count) {
  while (count > 0 && !cut_.empty()) {
    const std::uint64_t n = std::min(count, kRemovedAtOnce);
    cut_.Take(n, [&](Ref ref) { removed_.push_back(ref); });
    count -= n;
    EraseRemoved();
  }
}

// An erasure may move what is still to be erased: MemberMoved() keeps the references right.
void ZsetStructure::EraseRemoved() {
  while (!removed_.empty()) {
    const Ref ref = removed_.back();
    removed_.pop_back();
    members_->Erase(ref);
  }
}

void ZsetStructure::MemberMoved(Ref from, MemberView member) {
  if (inserted_ && member.member() == *inserted_) return;
  if (!removed_.empty()) {
    const auto removed = std::ranges::find(removed_, from);
    if (removed != removed_.end()) {
      *removed = member.ref();
      return;
    }
  }
  if (!cut_.empty() && cut_.ReplaceRef(member.score(), member.member(), member.ref())) return;
  tree_.ReplaceRef(member.score(), member.member(), member.ref());
}

}  // namespace aeris::storage
