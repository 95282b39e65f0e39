// SpscQueue: an unbounded queue between two threads, one that pushes and one that pops.
//
// A singly linked list with a stub: the consumer owns everything up to and including its head, the
// producer owns the tail; the only word both touch is `next` of the last node.
//
//   head_ (popped already) -> node -> node -> tail_ -> null
//
// Cost: Push one allocation and one release store, Pop one acquire load and one free. No lock.
// Rejected: a ring (bounded, so Submit would have to wait or fail); a mutex (on the request path).
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <utility>

namespace aeris::ae {

template <typename T>
class SpscQueue {
 public:
  SpscQueue() : head_(std::make_unique<Node>().release()), tail_(head_) {}
  SpscQueue(const SpscQueue&) = delete;
  SpscQueue& operator=(const SpscQueue&) = delete;
  // Neither thread uses it any more; what is left is destroyed.
  ~SpscQueue() {
    while (Pop()) {
    }
    std::unique_ptr<Node>{head_}.reset();
  }

  // Producer's thread.
  void Push(T value) {
    Node* const node = std::make_unique<Node>(std::move(value)).release();
    tail_->next.store(node, std::memory_order_release);
    tail_ = node;
  }

  // Consumer's thread. nullopt when empty.
  std::optional<T> Pop() {
    Node* const next = head_->next.load(std::memory_order_acquire);
    if (next == nullptr) return std::nullopt;
    std::optional<T> value = std::move(next->value);
    next->value.reset();
    std::unique_ptr<Node>{head_}.reset();
    head_ = next;
    return value;
  }

 private:
  struct Node {
    Node() = default;
    explicit Node(T&& from) : value(std::move(from)) {}
    std::optional<T> value;  // empty in the node that head_ names
    std::atomic<Node*> next = nullptr;
  };

  Node* head_;              // consumer's
  alignas(64) Node* tail_;  // producer's, on a line of its own
};

}  // namespace aeris::ae
