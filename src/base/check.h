// Assertions. AERIS_CHECK stays on in release and states what we wrote, never what a client, a file
// or the kernel decides; AERIS_DCHECK is for debug, sanitizer and fuzz builds.
#pragma once

namespace aeris {

// Prints the expression and where it stands to standard error, then aborts; the server's crash
// report adds the stack, the client and the command.
[[noreturn]] void CheckFailed(const char* expression, const char* file, int line);

}  // namespace aeris

#define AERIS_CHECK(expression)                       \
  (__builtin_expect(static_cast<bool>(expression), 1) \
       ? static_cast<void>(0)                         \
       : ::aeris::CheckFailed(#expression, __FILE__, __LINE__))

#ifdef AERIS_DCHECKS
#define AERIS_DCHECK(expression) AERIS_CHECK(expression)
#else
#define AERIS_DCHECK(expression) static_cast<void>(sizeof(!(expression)))
#endif
