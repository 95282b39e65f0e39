// Whether memory can be had, for what takes it in a way that cannot fail: containers of the library
// end the process without it. Asked before something huge is built, so that the one who wanted it
// gets an error instead.
#pragma once

#include <cstddef>

namespace aeris {

// Whether `bytes` can be allocated in one piece now. Asks for it and gives it back, untouched: some
// microseconds. What is allocated next, in smaller pieces, takes its place.
[[nodiscard]] bool CanAllocate(std::size_t bytes);

}  // namespace aeris
