// What the process's memory comes to, as the allocator and the kernel count it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace aeris {

// The name and version of the allocator: "jemalloc-5.3.0", "libc".
const char* AllocatorName();

// Bytes in live allocations, of every thread. Without arenas and tables, which are mapped apart.
// A figure of the allocator's own statistics, a few microseconds.
std::size_t AllocatedBytes();

// What one thread has allocated and freed, by the sizes that the allocator gave: exact at every
// moment, for two loads from memory. The sum of all threads' is what is live.
class ThreadAllocation {
 public:
  ThreadAllocation();  // of the thread that makes it, which alone may ask
  // Whether the allocator counts so; net_bytes() is 0 where it does not.
  bool counts() const { return allocated_ != nullptr; }
  // Allocated less freed since the thread began; below zero where it freed what others made.
  std::int64_t net_bytes() const {
    return counts() ? static_cast<std::int64_t>(*allocated_ - *freed_) : 0;
  }

 private:
  const std::uint64_t* allocated_ = nullptr;
  const std::uint64_t* freed_ = nullptr;
};

struct AllocatorInfo {
  std::size_t allocated = 0;  // in live allocations
  std::size_t active = 0;     // in pages that hold some
  std::size_t resident = 0;   // of the allocator in physical memory
  std::size_t retained = 0;   // kept as address space only
};
AllocatorInfo ReadAllocatorInfo();

// Resident set of this process, from /proc/self/statm.
std::size_t ResidentBytes();

// MEMORY MALLOC-STATS: the allocator's own report, text of many lines.
std::string AllocatorReport();

// Prepares the allocator to return memory that has been unused for two seconds, and starts or stops
// the thread that sees to it. False when the thread cannot be had.
bool UseAllocatorThread(bool on);

// MEMORY PURGE: returns what can be returned to the kernel. False when the allocator fails.
bool PurgeAllocator();

}  // namespace aeris
