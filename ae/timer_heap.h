// TimerHeap: which timer is due first.
//
// A 4-ary min-heap of (deadline, sequence, id) and, by id, the position of each in the heap, so
// that any timer is moved or removed without a search.
//
//   heap_       [ 0 ][ 1 ][ 2 ][ 3 ][ 4 ][ 5 ] ...    children of i: 4i+1 .. 4i+4
//                 |                                   24 bytes each
//   positions_  [ id 0 ][ id 1 ] ...                  4 bytes each; free ids form a list here
//
// Holds:    no child is before its parent; positions_[heap_[i].id] == i; equal deadlines leave in
//           the order of their Add or Move (sequence).
// Cost:     Add, Move, Remove O(log4 n); top O(1); no allocation once grown.
// Memory:   28 bytes per timer.
// Rejected: std::multimap (a node of 48 bytes and a cache miss per level), a list walked to its end
//           (O(n) per turn); a timing wheel, since timers here are few and may be far apart.
// Measured: tests/bench/ae/timer_heap_bench.cc. Moving one of 1,024 timers 28 ns, of a million 0.3
// µs;
//           std::multimap 122 ns and 3.9 µs. The multimap is the faster one only where the earliest
//           of a thousand or fewer leaves (28 against 43 ns).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "src/base/clock.h"

namespace aeris::ae {

class TimerHeap {
 public:
  using Id = std::uint32_t;  // dense; given again after Remove
  struct Timer {
    MonotonicTime deadline;
    std::uint64_t sequence;  // of the Add or Move that set the deadline; never given twice
    Id id;
  };

  Id Add(MonotonicTime deadline);
  // `id` is in the heap.
  void Move(Id id, MonotonicTime deadline);
  void Remove(Id id);

  bool empty() const { return heap_.empty(); }
  std::size_t size() const { return heap_.size(); }
  // The earliest timer. The heap is not empty.
  const Timer& top() const { return heap_.front(); }
  // Every Add and Move from now on gets this sequence or a later one.
  std::uint64_t next_sequence() const { return next_sequence_; }
  // For tests: O(n).
  void CheckInvariants() const;

 private:
  static bool Before(const Timer& a, const Timer& b) {
    return a.deadline != b.deadline ? a.deadline < b.deadline : a.sequence < b.sequence;
  }
  void Place(std::size_t position, const Timer& timer);
  void SiftUp(std::size_t position, const Timer& timer);
  void SiftDown(std::size_t position, const Timer& timer);
  void Sift(std::size_t position, const Timer& timer);

  std::vector<Timer> heap_;
  std::vector<std::uint32_t> positions_;  // by id: position, or the next free id
  Id first_free_ = kNoId;
  std::uint64_t next_sequence_ = 0;

  static constexpr Id kNoId = UINT32_MAX;
};

static_assert(sizeof(TimerHeap::Timer) == 24, "the head promises 28 bytes per timer");

}  // namespace aeris::ae
