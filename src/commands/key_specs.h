// Key specs, and lines of history, that several families share. What belongs to one family stands
// beside its rows.
#pragma once

#include "src/command.h"

namespace aeris {

// One key at argument 1.
inline constexpr KeySpec kReadKey[] = {{.flags = KeyFlag::kReadOnly | KeyFlag::kAccess}};
// Only what is known about the value is read, not the value (TYPE, STRLEN).
inline constexpr KeySpec kInspectKey[] = {{.flags = KeyFlag::kReadOnly}};
inline constexpr KeySpec kReadUpdateKey[] = {
    {.flags = KeyFlag::kReadWrite | KeyFlag::kAccess | KeyFlag::kUpdate}};
inline constexpr KeySpec kUpdateKey[] = {{.flags = KeyFlag::kReadWrite | KeyFlag::kUpdate}};
inline constexpr KeySpec kOverwriteKey[] = {{.flags = KeyFlag::kOverwrite | KeyFlag::kUpdate}};
// Something is added that does not depend on what is there (APPEND, SADD).
inline constexpr KeySpec kInsertKey[] = {{.flags = KeyFlag::kReadWrite | KeyFlag::kInsert}};
// Something is removed without being shown (SREM, LTRIM), or is shown and removed (GETDEL, SPOP).
inline constexpr KeySpec kDeleteKey[] = {{.flags = KeyFlag::kReadWrite | KeyFlag::kDelete}};
inline constexpr KeySpec kTakeKey[] = {
    {.flags = KeyFlag::kReadWrite | KeyFlag::kAccess | KeyFlag::kDelete}};

// All arguments from 1 are keys.
inline constexpr KeySpec kInspectKeys[] = {{.flags = KeyFlag::kReadOnly, .last = -1}};
inline constexpr KeySpec kReadKeys[] = {
    {.flags = KeyFlag::kReadOnly | KeyFlag::kAccess, .last = -1}};
// The keys stand behind their number.
inline constexpr KeySpec kReadCountedKeys[] = {{.flags = KeyFlag::kReadOnly | KeyFlag::kAccess,
                                                .find = KeySpec::Find::kKeynum,
                                                .first_key = 1}};

// From one key to another (LMOVE, SMOVE), and what is selected from the second to the first.
inline constexpr KeySpec kMoveKeys[] = {
    {.flags = KeyFlag::kReadWrite | KeyFlag::kAccess | KeyFlag::kDelete},
    {.flags = KeyFlag::kReadWrite | KeyFlag::kInsert, .index = 2}};
inline constexpr KeySpec kStoreFromKey[] = {
    {.flags = KeyFlag::kOverwrite | KeyFlag::kUpdate},
    {.flags = KeyFlag::kReadOnly | KeyFlag::kAccess, .index = 2}};

// The first of several keys that has elements: LMPOP and ZMPOP, and BLPOP and BZPOPMIN with a
// timeout behind the keys, BLMPOP and BZMPOP with one before their number.
inline constexpr KeySpec kMultiPopKeys[] = {
    {.flags = KeyFlag::kReadWrite | KeyFlag::kAccess | KeyFlag::kDelete,
     .find = KeySpec::Find::kKeynum,
     .first_key = 1}};
inline constexpr KeySpec kBlockingPopKeys[] = {
    {.flags = KeyFlag::kReadWrite | KeyFlag::kAccess | KeyFlag::kDelete, .last = -2}};
inline constexpr KeySpec kBlockingMultiPopKeys[] = {
    {.flags = KeyFlag::kReadWrite | KeyFlag::kAccess | KeyFlag::kDelete,
     .index = 2,
     .find = KeySpec::Find::kKeynum,
     .first_key = 1}};
inline constexpr Change kTimeoutHistory[] = {
    {"6.0.0", "`timeout` is interpreted as a double instead of an integer."}};

// The key follows the name of a subcommand (OBJECT ENCODING key).
inline constexpr KeySpec kInspectSubcommandKey[] = {{.flags = KeyFlag::kReadOnly, .index = 2}};

}  // namespace aeris
