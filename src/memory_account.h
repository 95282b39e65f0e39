// MemoryAccount: used memory, exact at any moment, for a few loads and additions. INFO shows it and
// maxmemory limits it: this one figure.
//
//   used = what the loop's thread has allocated, less what it has freed
//        + the same of the two helper threads, as it was when their last job that is done ended
//        - what the lazyfree thread has been given and has not freed yet
//        - big arguments that are being received
//        + what keyspaces have mapped: entries in use, tables as far as they have been written
//
// What waits to be freed does not count: removing more keys would not make it go sooner. Big
// arguments do not count before they are stored: no key goes for one that may be refused. INFO
// shows both as mem_not_counted_for_evict. Memory that the allocator or the arenas hold free does
// not count, as in Redis. Free blocks of the pool of buffers do: a command has one or two of them
// for a moment, and no key should go for that.
//
// Rejected: the allocator's statistics, ten times a second, and what keyspaces changed by since:
//           they count what threads keep in their caches, and clients' buffers were up to 450 KB
//           behind. The threads' counters as they are at the moment: what the job under
//           way has freed so far would be subtracted twice.
// Without jemalloc nothing counts by thread: what there was when the server was made, and what
// keyspaces take. Buffers do not count then.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "src/databases.h"
#include "src/huge_pages.h"
#include "src/lazy_free.h"
#include "src/memory_info.h"

namespace aeris {

class MemoryAccount {
 public:
  // All of them outlive the account. Databases are empty when it is made, on the loop's thread.
  struct Parts {
    const Databases& databases;
    const LazyFree& lazy_free;
    const HugePages& huge_pages;
    const std::size_t& argument_bytes;
  };
  explicit MemoryAccount(const Parts& parts)
      : parts_(parts), at_first_(loop_.counts() ? 0 : AllocatedBytes()) {}

  // Bytes. O(databases), some ns.
  std::size_t used() const {
    if (!loop_.counts()) return at_first_ + parts_.databases.used_bytes();
    const std::int64_t allocated = loop_.net_bytes() + parts_.lazy_free.thread_net_bytes() +
                                   parts_.huge_pages.thread_net_bytes() -
                                   static_cast<std::int64_t>(not_counted());
    // What was given away is counted as the allocator would round it; it may round otherwise.
    return static_cast<std::size_t>(std::max<std::int64_t>(allocated, 0)) +
           parts_.databases.mapped_bytes();
  }
  std::size_t not_counted() const {
    return parts_.lazy_free.pending_bytes() + parts_.argument_bytes;
  }

 private:
  Parts parts_;
  ThreadAllocation loop_;
  std::size_t at_first_;
};

}  // namespace aeris
