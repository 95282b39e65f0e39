#include "ae/timer_heap.h"

#include <algorithm>

#include "src/base/check.h"

namespace aeris::ae {
namespace {

constexpr std::size_t kArity = 4;

constexpr std::size_t Parent(std::size_t position) { return (position - 1) / kArity; }
constexpr std::size_t FirstChild(std::size_t position) { return position * kArity + 1; }

}  // namespace

TimerHeap::Id TimerHeap::Add(MonotonicTime deadline) {
  Id id = first_free_;
  if (id == kNoId) {
    id = static_cast<Id>(positions_.size());
    positions_.push_back(0);
  } else {
    first_free_ = positions_[id];
  }
  heap_.emplace_back();
  SiftUp(heap_.size() - 1, {deadline, next_sequence_++, id});
  return id;
}

void TimerHeap::Move(Id id, MonotonicTime deadline) {
  AERIS_DCHECK(id < positions_.size());
  const std::size_t position = positions_[id];
  AERIS_CHECK(position < heap_.size() && heap_[position].id == id);
  Sift(position, {deadline, next_sequence_++, id});
}

void TimerHeap::Remove(Id id) {
  AERIS_DCHECK(id < positions_.size());
  const std::size_t position = positions_[id];
  AERIS_CHECK(position < heap_.size() && heap_[position].id == id);
  const Timer last = heap_.back();
  heap_.pop_back();
  if (last.id != id) Sift(position, last);
  positions_[id] = first_free_;
  first_free_ = id;
}

void TimerHeap::CheckInvariants() const {
  std::size_t free_count = 0;
  for (Id id = first_free_; id != kNoId; id = positions_[id]) {
    AERIS_CHECK(id < positions_.size());
    ++free_count;
    AERIS_CHECK(free_count <= positions_.size());
  }
  AERIS_CHECK(free_count + heap_.size() == positions_.size());
  for (std::size_t i = 0; i < heap_.size(); ++i) {
    AERIS_CHECK(heap_[i].id < positions_.size());
    AERIS_CHECK(positions_[heap_[i].id] == i);
    AERIS_CHECK(heap_[i].sequence < next_sequence_);
    if (i > 0) AERIS_CHECK(Before(heap_[Parent(i)], heap_[i]));
  }
}

void TimerHeap::Place(std::size_t position, const Timer& timer) {
  heap_[position] = timer;
  positions_[timer.id] = static_cast<std::uint32_t>(position);
}

void TimerHeap::Sift(std::size_t position, const Timer& timer) {
  if (position > 0 && Before(timer, heap_[Parent(position)])) {
    SiftUp(position, timer);
  } else {
    SiftDown(position, timer);
  }
}

// Both move a hole instead of swapping: what stood at `position` is overwritten.
void TimerHeap::SiftUp(std::size_t position, const Timer& timer) {
  while (position > 0 && Before(timer, heap_[Parent(position)])) {
    Place(position, heap_[Parent(position)]);
    position = Parent(position);
  }
  Place(position, timer);
}

void TimerHeap::SiftDown(std::size_t position, const Timer& timer) {
  for (std::size_t child = FirstChild(position); child < heap_.size();
       child = FirstChild(position)) {
    const std::size_t children_end = std::min(child + kArity, heap_.size());
    std::size_t least = child;
    for (std::size_t i = child + 1; i < children_end; ++i) {
      if (Before(heap_[i], heap_[least])) least = i;
    }
    if (!Before(heap_[least], timer)) break;
    Place(position, heap_[least]);
    position = least;
  }
  Place(position, timer);
}

}  // namespace aeris::ae
