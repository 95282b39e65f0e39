// What a keyspace tells the sketch of reuse distances: keys of its sample that are asked for and
// stored. Others cost one comparison, before these are called.
#include "storage/keyspace_impl.h"

namespace aeris::storage {

// Keys of the same name in different databases are different keys, and so are those from before and
// after a database was emptied, which makes another keyspace of it.
std::uint64_t Keyspace::ReuseName(std::uint64_t hash) const {
  return hash ^ std::uint64_t{reinterpret_cast<std::uintptr_t>(this)} << 32;
}

void Keyspace::NoteRequest(std::uint64_t hash, EntryView found, UnixMs now) const {
  const std::uint64_t name = ReuseName(hash);
  if (found && context_.reuse.RequestedAgain(name)) return;
  ReuseSketch::Item item;
  if (found) item = {.bytes = MemoryUsage(found), .deadline = found.deadline()};
  context_.reuse.Requested(name, item, now);
}

void Keyspace::NoteStored(std::uint64_t hash, EntryView entry) const {
  context_.reuse.Stored(ReuseName(hash),
                        {.bytes = MemoryUsage(entry), .deadline = entry.deadline()});
}

}  // namespace aeris::storage
