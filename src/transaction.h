// Transaction: the commands that a client has queued since MULTI, until EXEC runs them.
//
//   kept_   of each batch of requests that has ended meanwhile one chunk, the oldest first:
//             [commands][their arguments][hashes of their keys][bytes of the arguments]
//   open_   of the batch that runs: views into the query buffer and into the batch
//
// Clients mostly send a transaction in one piece, so that EXEC stands in the same batch as the
// commands. These are run from where they were parsed, with the hashes that the batch has computed
// and the cache lines that it has asked for. What is still queued when the batch ends is copied,
// once and into one chunk: RequestBatch calls Keep().
//
// Cost:     to queue, 40 bytes written and 9 of reply, without an allocation or a reading of the
//           clock: 16 GETs in a pipeline take 1.17 times the instructions of the same without
//           MULTI (callgrind), QUEUED and its sending included; the aim is 1.3 times the CPU
//           (`tools/bench --suite clients`). Keep() is one allocation and one copy of what the
//           batch has brought.
// Memory:   a chunk has 24 bytes, 40 per command, 16 per argument and 8 per key beside the bytes;
//           part of its client's memory, and with the query buffer within
//           client-query-buffer-limit.
// Rejected: an allocation for each argument and command, as in Redis; keeping the query buffer
//           instead of a copy, which a client that waits before EXEC would make grow without end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "src/command.h"

namespace aeris {

class Command;

struct QueuedCommand {
  const Command* command;
  std::span<std::string_view> arguments;
  std::span<const std::uint64_t> key_hashes;  // as the batch has them, for its key range
};

class Transaction {
 public:
  Transaction() = default;
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction() { Clear(); }

  // What it refers to lives until Keep(), EXEC or Clear().
  void Queue(const QueuedCommand& command);
  // Copies what was queued since the last call. Without memory for it the transaction is aborted,
  // and false returned.
  bool Keep();

  // One of what was queued has an argument that came in a block of its own.
  void NoteBigArguments() { big_arguments_ = true; }
  bool has_big_arguments() const { return big_arguments_; }

  // EXEC will be refused: a command could not be queued.
  void Abort() { aborted_ = true; }
  bool aborted() const { return aborted_; }

  std::size_t size() const { return size_; }
  // Of all that is queued.
  CommandFlags flags() const { return flags_; }
  std::size_t memory() const;

  // Calls `visit(commands, kept)` with the commands of each batch, in their order. `kept` are those
  // of earlier batches, whose keys may have left the CPU's caches.
  template <typename Visit>
  void ForEachBatch(Visit&& visit) {
    for (Chunk* chunk = first_; chunk != nullptr; chunk = chunk->next) visit(chunk->all(), true);
    if (!open_.empty()) visit(std::span<QueuedCommand>(open_), false);
  }

  // As it was made; keeps the places of a batch.
  void Clear();

 private:
  struct Chunk {
    Chunk* next;
    std::size_t bytes;
    std::size_t count;
    // They stand behind it.
    std::span<QueuedCommand> all() { return {reinterpret_cast<QueuedCommand*>(this + 1), count}; }
  };
  static_assert(sizeof(Chunk) % alignof(QueuedCommand) == 0);
  void FillChunk(Chunk& chunk) const;

  Chunk* first_ = nullptr;
  Chunk* last_ = nullptr;
  std::size_t kept_bytes_ = 0;
  std::vector<QueuedCommand> open_;  // at most RequestBatch::kRequestsMax
  std::size_t size_ = 0;
  CommandFlags flags_;
  bool aborted_ = false;
  bool big_arguments_ = false;
};

// Where transactions come from and go to. The last one that ended is kept, since the next one
// mostly begins after it has: MULTI allocates nothing then.
class TransactionPool {
 public:
  std::unique_ptr<Transaction> Take() {
    return spare_ ? std::move(spare_) : std::make_unique<Transaction>();
  }
  void GiveBack(std::unique_ptr<Transaction> ended) {
    ended->Clear();
    spare_ = std::move(ended);
  }

 private:
  std::unique_ptr<Transaction> spare_;
};

}  // namespace aeris
