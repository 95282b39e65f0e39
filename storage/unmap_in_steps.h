// Giving large mappings back without stopping other threads.
#pragma once

#include <cstddef>

namespace aeris::storage {

// Unmaps `bytes` from `begin` on, of which only the first `used_bytes` may have been touched. The
// kernel keeps the process's memory map to itself while it takes pages back, 0.1 to 0.2 s per GiB,
// and who maps something meanwhile waits: the server, when the lazyfree thread destroys a database.
// So pages are given back in steps of 2 MiB before the range goes. False, and nothing unmapped,
// when the kernel has no memory to note the change.
bool UnmapInSteps(std::byte* begin, std::size_t used_bytes, std::size_t bytes);

}  // namespace aeris::storage
