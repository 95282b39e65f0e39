// Databases: the numbered keyspaces of a server.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "src/base/clock.h"
#include "storage/keyspace.h"

namespace aeris {

class Databases {
 public:
  // Receives keyspaces that are no longer of use; destroying a large one takes long, so it may be
  // done on another thread.
  using Discard = std::move_only_function<void(std::unique_ptr<storage::Keyspace>)>;

  // `context` outlives the databases. An empty keyspace costs next to nothing.
  Databases(std::size_t count, storage::KeyspaceContext& context, Discard discard);

  std::size_t count() const { return keyspaces_.size(); }
  storage::Keyspace& operator[](std::size_t index) { return *keyspaces_[index]; }
  const storage::Keyspace& operator[](std::size_t index) const { return *keyspaces_[index]; }
  // Of a keyspace that is one of them. O(count)
  std::size_t IndexOf(const storage::Keyspace& keyspace) const;
  storage::KeyspaceContext& context() { return context_; }
  const storage::KeyspaceContext& context() const { return context_; }

  // Empties one keyspace in constant time. Returns the keys it had.
  std::size_t Flush(std::size_t index);
  std::size_t FlushAll();
  // Their keys; policies and counters stay.
  void Swap(std::size_t a, std::size_t b);

  // Active expiry over all keyspaces, with Keyspace::ExpireDue's work of about `work_max`. True
  // when something due may be left.
  bool ExpireDue(UnixMs now, std::size_t work_max);
  std::size_t ExpireBacklog(UnixMs now) const;  // Keyspace::ExpireBacklog of all
  // A step of Keyspace::Maintain for one keyspace that has work. True when there was one: more may
  // be left.
  bool Maintain(std::size_t work_max);
  // One of which Keyspace::WantsHugePage; null when there is none.
  storage::Keyspace* ThatWantsHugePage();

  storage::Keyspace::Memory memory() const;   // of all
  std::size_t used_bytes() const;             // Keyspace::used_bytes of all
  std::size_t mapped_bytes() const;           // Keyspace::mapped_bytes of all
  storage::LookupStats lookup_stats() const;  // of all
  void ResetStats();

 private:
  storage::KeyspaceContext& context_;
  Discard discard_;
  std::vector<std::unique_ptr<storage::Keyspace>> keyspaces_;
  // Whose turn it is, so that one busy database starves no other.
  std::size_t expire_next_ = 0;
  std::size_t maintain_next_ = 0;
};

}  // namespace aeris
