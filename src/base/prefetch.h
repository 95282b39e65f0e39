// AERIS_PREFETCHES: for functions that do nothing but prefetch. g++ 12 takes such a function for
// pure and drops the calls to it, silently, unless it is inlined before that analysis.
#pragma once

#define AERIS_PREFETCHES [[gnu::always_inline]] inline
