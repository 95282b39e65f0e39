#include "src/transaction.h"

#include <algorithm>
#include <memory>
#include <new>

#include "src/command_table.h"

namespace aeris {

void Transaction::Queue(const QueuedCommand& command) {
  open_.push_back(command);
  flags_ = flags_ | command.command->flags();
  ++size_;
}

bool Transaction::Keep() {
  if (open_.empty()) return true;
  std::size_t bytes = sizeof(Chunk) + open_.size() * sizeof(QueuedCommand);
  for (const QueuedCommand& each : open_) {
    bytes += each.arguments.size_bytes() + each.key_hashes.size_bytes();
    for (const std::string_view argument : each.arguments) bytes += argument.size();
  }
  void* const memory = ::operator new(bytes, std::nothrow);
  if (memory == nullptr) {
    size_ -= open_.size();
    open_.clear();
    aborted_ = true;
    return false;
  }
  Chunk* const chunk = new (memory) Chunk{.next = nullptr, .bytes = bytes, .count = open_.size()};
  FillChunk(*chunk);
  (last_ != nullptr ? last_->next : first_) = chunk;
  last_ = chunk;
  kept_bytes_ += bytes;
  open_.clear();
  return true;
}

void Transaction::FillChunk(Chunk& chunk) const {
  QueuedCommand* command = chunk.all().data();
  auto* argument = reinterpret_cast<std::string_view*>(command + open_.size());
  std::size_t arguments = 0;
  for (const QueuedCommand& each : open_) arguments += each.arguments.size();
  auto* hash = reinterpret_cast<std::uint64_t*>(argument + arguments);
  std::size_t hashes = 0;
  for (const QueuedCommand& each : open_) hashes += each.key_hashes.size();
  char* text = reinterpret_cast<char*>(hash + hashes);
  for (const QueuedCommand& each : open_) {
    std::construct_at(command++, QueuedCommand{.command = each.command,
                                               .arguments = {argument, each.arguments.size()},
                                               .key_hashes = {hash, each.key_hashes.size()}});
    for (const std::string_view source : each.arguments) {
      std::construct_at(argument++, text, source.size());
      text = std::ranges::copy(source, text).out;
    }
    hash = std::uninitialized_copy(each.key_hashes.begin(), each.key_hashes.end(), hash);
  }
}

std::size_t Transaction::memory() const {
  return sizeof *this + open_.capacity() * sizeof(QueuedCommand) + kept_bytes_;
}

void Transaction::Clear() {
  for (Chunk* chunk = std::exchange(first_, nullptr); chunk != nullptr;) {
    Chunk* const next = chunk->next;
    ::operator delete(chunk);
    chunk = next;
  }
  last_ = nullptr;
  kept_bytes_ = 0;
  open_.clear();
  size_ = 0;
  flags_ = {};
  aborted_ = false;
  big_arguments_ = false;
}

}  // namespace aeris
