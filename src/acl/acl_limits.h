// Bounds of what one user may be made of. They are looked through one after another, when a rule is
// added and for each request, so tens of thousands would hold everybody up.
#pragma once

#include <cstddef>

namespace aeris {

// Patterns of keys, patterns of channels and first arguments of a command in one selector;
// passwords and selectors of a user.
inline constexpr std::size_t kAclItemsMax = 10000;

// Bytes that the log keeps of a name that a client sent.
inline constexpr std::size_t kAclNameBytesMax = 1024;

}  // namespace aeris
