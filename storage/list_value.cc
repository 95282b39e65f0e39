#include "storage/list_value.h"

#include <memory>

namespace aeris::storage {

ListView::Cursor ListView::At(std::size_t index) const {
  Cursor cursor;
  cursor.structure_ = structure_;
  if (structure_ != nullptr) {
    cursor.place_ = structure_->Find(index);
    cursor.view_ = structure_->view(cursor.place_);
  } else {
    cursor.view_ = packed_;
    cursor.place_.at = packed_.At(static_cast<std::int64_t>(index));
  }
  return cursor;
}

bool ListView::Cursor::Next() {
  const PackedView::Position next = view_.Next(place_.at);
  if (next == PackedView::kEnd) return NextBlock();
  place_.at = next;
  return true;
}

bool ListView::Cursor::NextBlock() {
  if (structure_ == nullptr || !structure_->NextBlock(place_)) return false;
  view_ = structure_->view(place_);
  return true;
}

bool ListView::Cursor::Previous() {
  const PackedView::Position previous = view_.Previous(place_.at);
  if (previous != PackedView::kEnd) {
    place_.at = previous;
    return true;
  }
  if (structure_ == nullptr || !structure_->PreviousBlock(place_)) return false;
  view_ = structure_->view(place_);
  return true;
}

std::size_t ListEditor::size() {
  PackedBlock* const block = editor_.block();
  return block != nullptr ? block->size() : structure()->size();
}

PackedBlock* ListEditor::BlockFor(std::string_view text, std::size_t bytes_less, bool one_more) {
  PackedBlock* const block = editor_.block();
  if (block == nullptr) return nullptr;
  const std::size_t bytes = block->bytes().size() - bytes_less + PackedView::BytesFor(text);
  const std::size_t items = block->size() + (one_more ? 1 : 0);
  // A single item may have any size.
  if (limits_.Allow(bytes, items) || (items == 1 && bytes <= PackedBlock::kBytesMax)) return block;
  editor_.Become(block->empty() ? std::make_unique<BlockList>()
                                : std::make_unique<BlockList>(block->bytes()));
  return nullptr;
}

void ListEditor::Push(ListEnd end, std::string_view text) {
  if (PackedBlock* const block = BlockFor(text)) {
    end == ListEnd::kHead ? block->Prepend(text) : block->Append(text);
  } else {
    structure()->Push(end, text, limits_);
  }
}

std::string ListEditor::Peek(ListEnd end) {
  if (PackedBlock* const block = editor_.block()) {
    const PackedView items = block->view();
    return items.Get(end == ListEnd::kHead ? items.First() : items.Last()).String();
  }
  return structure()->Peek(end).String();
}

void ListEditor::Remove(ListEnd end, std::size_t count) {
  PackedBlock* const block = editor_.block();
  if (block == nullptr) {
    count == 1 ? structure()->Pop(end) : structure()->Remove(end, count);
    return;
  }
  const std::size_t size = block->size();
  if (count >= size) return block->Clear();
  const auto first = end == ListEnd::kHead ? 0 : size - count;
  block->Erase(block->view().At(static_cast<std::int64_t>(first)), count);
}

void ListEditor::Replace(std::size_t index, std::string_view text) {
  PackedView::Position at = PackedView::kEnd;
  std::size_t old_bytes = 0;
  if (const PackedBlock* const block = editor_.block()) {
    at = block->view().At(static_cast<std::int64_t>(index));
    old_bytes = block->view().ItemBytes(at);
  }
  if (PackedBlock* const block = BlockFor(text, old_bytes, false)) {
    block->Replace(at, text);
  } else {
    structure()->Replace(structure()->Find(index), text, limits_);
  }
}

bool ListEditor::InsertBeside(std::string_view pivot, bool after, std::string_view text) {
  if (const PackedBlock* const block = editor_.block()) {
    PackedView::Position at = block->view().Find(block->view().First(), pivot);
    if (at == PackedView::kEnd) return false;
    if (after) at = block->view().Next(at);
    if (PackedBlock* const roomy = BlockFor(text)) {
      roomy->Insert(at, text);
      return true;
    }
  }
  BlockList& list = *structure();
  BlockList::Place place = list.Find(0);
  do {
    place.at = list.view(place).Find(place.at, pivot);
    if (place.at == PackedView::kEnd) continue;
    after ? list.InsertAfter(place, text, limits_) : list.InsertBefore(place, text, limits_);
    return true;
  } while (list.NextBlock(place));
  return false;
}

std::size_t ListEditor::RemoveMatching(std::string_view text, ListEnd from, std::size_t count) {
  PackedBlock* const block = editor_.block();
  if (block == nullptr) return structure()->RemoveMatching(text, from, count, limits_);
  std::size_t removed = 0;
  const bool head = from == ListEnd::kHead;
  PackedView::Position at = head ? block->view().First() : block->view().Last();
  while (at != PackedView::kEnd && removed < count) {
    if (!block->view().Is(at, text)) {
      at = head ? block->view().Next(at) : block->view().Previous(at);
      continue;
    }
    const PackedView::Position previous = block->view().Previous(at);
    const PackedView::Position next = block->Erase(at);
    at = head ? next : previous;
    ++removed;
  }
  return removed;
}

}  // namespace aeris::storage
