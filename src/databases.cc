#include "src/databases.h"

#include <algorithm>
#include <utility>

#include "src/base/check.h"

namespace aeris {

Databases::Databases(std::size_t count, storage::KeyspaceContext& context, Discard discard)
    : context_(context), discard_(std::move(discard)) {
  keyspaces_.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    keyspaces_.push_back(std::make_unique<storage::Keyspace>(context_));
  }
}

std::size_t Databases::IndexOf(const storage::Keyspace& keyspace) const {
  const auto found =
      std::ranges::find_if(keyspaces_, [&](const auto& each) { return each.get() == &keyspace; });
  AERIS_CHECK(found != keyspaces_.end());
  return static_cast<std::size_t>(found - keyspaces_.begin());
}

std::size_t Databases::Flush(std::size_t index) {
  const std::size_t keys = keyspaces_[index]->size();
  auto old = std::exchange(keyspaces_[index], std::make_unique<storage::Keyspace>(context_));
  keyspaces_[index]->SwapRole(*old);
  discard_(std::move(old));
  return keys;
}

void Databases::Swap(std::size_t a, std::size_t b) {
  if (a == b) return;
  std::swap(keyspaces_[a], keyspaces_[b]);
  keyspaces_[a]->SwapRole(*keyspaces_[b]);
}

std::size_t Databases::FlushAll() {
  std::size_t keys = 0;
  for (std::size_t i = 0; i < keyspaces_.size(); ++i) {
    if (keyspaces_[i]->size() != 0) keys += Flush(i);
  }
  return keys;
}

bool Databases::ExpireDue(UnixMs now, std::size_t work_max) {
  for (std::size_t i = 0; i < keyspaces_.size(); ++i) {
    storage::Keyspace& keyspace = *keyspaces_[expire_next_];
    expire_next_ = (expire_next_ + 1) % keyspaces_.size();
    const storage::Keyspace::ExpireResult result = keyspace.ExpireDue(now, work_max);
    // The budget is of all together; the next step begins behind the one that used it up.
    if (result.more) return true;
    work_max -= std::min(work_max, result.work);
  }
  return false;
}

std::size_t Databases::ExpireBacklog(UnixMs now) const {
  std::size_t sum = 0;
  for (const auto& keyspace : keyspaces_) sum += keyspace->ExpireBacklog(now);
  return sum;
}

bool Databases::Maintain(std::size_t work_max) {
  for (std::size_t i = 0; i < keyspaces_.size(); ++i) {
    storage::Keyspace& keyspace = *keyspaces_[maintain_next_];
    maintain_next_ = (maintain_next_ + 1) % keyspaces_.size();
    if (keyspace.Maintain(work_max)) return true;
  }
  return false;
}

storage::Keyspace* Databases::ThatWantsHugePage() {
  for (const auto& keyspace : keyspaces_) {
    if (keyspace->WantsHugePage()) return keyspace.get();
  }
  return nullptr;
}

std::size_t Databases::used_bytes() const {
  std::size_t sum = 0;
  for (const auto& keyspace : keyspaces_) sum += keyspace->used_bytes();
  return sum;
}

std::size_t Databases::mapped_bytes() const {
  std::size_t sum = 0;
  for (const auto& keyspace : keyspaces_) sum += keyspace->mapped_bytes();
  return sum;
}

storage::LookupStats Databases::lookup_stats() const {
  storage::LookupStats sum;
  for (const auto& keyspace : keyspaces_) {
    const storage::LookupStats& one = keyspace->lookup_stats();
    sum.hits += one.hits;
    sum.misses += one.misses;
    sum.evicted += one.evicted;
  }
  return sum;
}

void Databases::ResetStats() {
  context_.stats = {};
  for (const auto& keyspace : keyspaces_) keyspace->lookup_stats() = {};
}

storage::Keyspace::Memory Databases::memory() const {
  storage::Keyspace::Memory sum;
  for (const auto& keyspace : keyspaces_) {
    const storage::Keyspace::Memory one = keyspace->memory();
    sum.table += one.table;
    sum.entries += one.entries;
    sum.arena += one.arena;
    sum.blobs += one.blobs;
    sum.collections += one.collections;
    sum.mapped += one.mapped;
  }
  return sum;
}

}  // namespace aeris
