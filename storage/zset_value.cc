#include "storage/zset_value.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace aeris::storage {

std::optional<double> ZsetView::Score(std::string_view member) const {
  if (structure_ != nullptr) return structure_->Score(member);
  const PackedZsetView::Place place = packed_.Find(member);
  return place ? std::optional(place.score) : std::nullopt;
}

std::optional<std::uint64_t> ZsetView::Rank(std::string_view member) const {
  if (structure_ != nullptr) return structure_->Rank(member);
  const PackedZsetView::Place place = packed_.Find(member);
  return place ? std::optional(packed_.RankAt(place.at)) : std::nullopt;
}

RankRange ZsetView::RanksOf(const ScoreRange& range) const {
  return structure_ != nullptr ? structure_->RanksOf(range) : packed_.RanksOf(range);
}

RankRange ZsetView::RanksOf(const LexRange& range, bool from_end) const {
  return structure_ != nullptr ? structure_->RanksOf(range) : packed_.RanksOf(range, from_end);
}

ZsetEditor::ZsetEditor(Keyspace& keyspace, const HashedKey& key, EntryView entry,
                       const ZsetLimits& limits, UnixMs now)
    : keyspace_(keyspace), editor_(keyspace, key, entry, ValueType::kZset, now), limits_(limits) {}

std::size_t ZsetEditor::size() {
  if (const ZsetStructure* const elements = structure()) return elements->size();
  return PackedZsetView(editor_.block()->view()).size();
}

bool ZsetEditor::StaysPackedWith(std::string_view member) {
  const PackedBlock& block = *editor_.block();
  return member.size() <= limits_.packed_member_bytes_max &&
         PackedZsetView(block.view()).size() < limits_.packed_elements_max &&
         block.HasRoomFor(member);
}

ZsetEditor::Change ZsetEditor::Add(std::string_view member, double score) {
  if (StaysPackedWith(member)) {
    packed_zset::Insert(*editor_.block(), member, score);
    return Change::kAdded;
  }
  auto made = ZsetStructure::Make(keyspace_.hasher(), PackedZsetView(editor_.block()->view()));
  if (made == nullptr || !made->Insert(member, score)) return Change::kNoMemory;
  editor_.Become(std::move(made));
  return Change::kAdded;
}

bool ZsetEditor::Remove(std::string_view member) {
  if (ZsetStructure* const elements = structure()) return elements->Remove(member);
  PackedBlock& block = *editor_.block();
  const PackedZsetView::Place place = PackedZsetView(block.view()).Find(member);
  if (place) block.Erase(place.at, 2);
  return static_cast<bool>(place);
}

void ZsetEditor::RemoveRanks(std::uint64_t first, std::uint64_t count) {
  if (ZsetStructure* const elements = structure()) return elements->RemoveRanks(first, count);
  packed_zset::EraseRanks(*editor_.block(), first, count);
}

StoreResult StoreZset(Keyspace& keyspace, const HashedKey& key, std::vector<ScoredMember>& elements,
                      const ZsetLimits& limits, UnixMs now, UnixMs deadline) {
  if (elements.empty()) {
    keyspace.Delete(key, now);
    return StoreResult::kStored;
  }
  std::ranges::sort(elements, std::less<>{});
  const bool packed = elements.size() <= limits.packed_elements_max &&
                      std::ranges::all_of(elements, [&](const ScoredMember& each) {
                        return each.member.size() <= limits.packed_member_bytes_max;
                      });
  PackedBlock& block = keyspace.scratch_block(now);
  block.Clear();
  bool fits = packed;
  for (std::size_t i = 0; fits && i < elements.size(); ++i) {
    fits = block.HasRoomFor(elements[i].member);
    if (fits) packed_zset::Append(block, elements[i].member, elements[i].score);
  }
  if (fits) {
    return keyspace.SetPacked(key, ValueType::kZset, PackedForm::kListpack, block.bytes(), deadline,
                              now);
  }
  auto made = ZsetStructure::Make(keyspace.hasher(), elements);
  if (made == nullptr) return StoreResult::kNoMemory;
  std::unique_ptr<Collection> object = std::move(made);
  return keyspace.SetObject(key, object, deadline, now);
}

}  // namespace aeris::storage
