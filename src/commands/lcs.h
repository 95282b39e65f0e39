// LCS, whose algorithm and reply are a file of their own.
#pragma once

namespace aeris {

class CommandContext;

// LCS key1 key2 [LEN] [IDX] [MINMATCHLEN n] [WITHMATCHLEN]. Replies the longest common subsequence
// as bulk string; its length with LEN; a map of matching ranges and the length with IDX.
void Lcs(CommandContext& context);

}  // namespace aeris
