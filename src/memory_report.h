// MemoryReport: where the server's memory goes, in bytes. INFO memory, MEMORY STATS and MEMORY
// DOCTOR say it in their own ways.
//
//   used      = overhead + dataset      (memory_account.h)
//   overhead  = startup + clients + tables
//
// Large tables and the arenas of keyspaces are mapped apart from the allocator; the figures
// `allocator` hold both together, so that a ratio of them means the same as in Redis, where the
// allocator has all. They are the allocator's own, what threads keep in their caches included. What
// an arena's pages hold beyond entries in use is their fragmentation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "src/memory_info.h"

namespace aeris {

class Server;

struct MemoryReport {
  std::size_t used = 0;
  std::size_t resident = 0;  // of the process
  std::size_t peak = 0;      // of `used`
  std::size_t startup = 0;   // `used` when the server was ready
  std::size_t clients = 0;
  std::size_t tables = 0;
  std::size_t keys = 0;  // a count
  AllocatorInfo allocator;

  std::size_t overhead() const { return startup + clients + tables; }
  std::size_t dataset() const { return used > overhead() ? used - overhead() : 0; }
  // Beyond what the server held when it was empty.
  std::size_t net() const { return used > startup ? used - startup : 0; }
  double dataset_percent() const { return Ratio(dataset(), net()) * 100; }
  double peak_percent() const { return Ratio(used, peak) * 100; }

  double fragmentation() const { return Ratio(resident, used); }
  std::int64_t fragmentation_bytes() const { return Difference(resident, used); }
  double allocator_fragmentation() const { return Ratio(allocator.active, allocator.allocated); }
  std::int64_t allocator_fragmentation_bytes() const {
    return Difference(allocator.active, allocator.allocated);
  }
  double allocator_resident() const { return Ratio(allocator.resident, allocator.active); }
  std::int64_t allocator_resident_bytes() const {
    return Difference(allocator.resident, allocator.active);
  }
  double process_overhead() const { return Ratio(resident, allocator.resident); }
  std::int64_t process_overhead_bytes() const { return Difference(resident, allocator.resident); }

 private:
  static double Ratio(std::size_t part, std::size_t whole) {
    return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
  }
  static std::int64_t Difference(std::size_t a, std::size_t b) {
    return static_cast<std::int64_t>(a) - static_cast<std::int64_t>(b);
  }
};

// O(clients + databases).
MemoryReport MakeMemoryReport(Server& server);
// O(databases): with the bytes of all clients as they are known already.
MemoryReport MakeMemoryReport(Server& server, std::size_t client_bytes);

// What MEMORY DOCTOR says about it: a few sentences for a person.
struct MemoryAdviceInput {
  const MemoryReport& memory;
  std::size_t client_count;
};
std::string MemoryAdvice(const MemoryAdviceInput& input);

}  // namespace aeris
