// HRANDFIELD.
#pragma once

#include "src/command_context.h"

namespace aeris {

// HRANDFIELD key [count [WITHVALUES]]. Without count replies bulk string | null. A positive count
// gives so many different fields, or all; a negative one so many, which may repeat: an array of
// bulk strings, with values an array of pairs (RESP2: flat). O(count), O(n) for more than a third.
void HRandField(CommandContext& context);

}  // namespace aeris
