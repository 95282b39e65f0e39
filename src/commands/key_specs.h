// Key specs that several commands share. One that belongs to a single command stands beside its
// row.
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

// All arguments from 1 are keys.
inline constexpr KeySpec kInspectKeys[] = {{.flags = KeyFlag::kReadOnly, .last = -1}};

// The key follows the name of a subcommand (OBJECT ENCODING key).
inline constexpr KeySpec kInspectSubcommandKey[] = {{.flags = KeyFlag::kReadOnly, .index = 2}};

}  // namespace aeris
