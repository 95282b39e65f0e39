// The notation in which a command row says its arguments, and its expansion for COMMAND DOCS.
//
//   arguments := argument { ' ' argument }
//   argument  := [ TOKEN ' ' ] name ':' type { attribute }
//   TOKEN     := '"' text '"'            the literal word that comes before the value
//   type      := key | string | integer | double | pattern | unix-time | pure-token
//              | oneof( argument { '|' argument } ) | block( arguments )
//   attribute := '?' optional | '*' multiple | '+' multiple with the token repeated
//              | '#' n  key spec index | '@' version  since | '!' version  deprecated since
//
// Example, GETEX:
//   key:key#0 expiration:oneof("EX" seconds:integer|"PX" milliseconds:integer|
//   "PERSIST" persist:pure-token)?
// (one line in a row; shown broken here).
#pragma once

#include <string_view>

#include "protocol/reply_writer.h"
#include "src/command.h"

namespace aeris {

// True when `text` follows the notation; rows assert it at compile time or in a test.
bool ArgumentsAreWellFormed(std::string_view text);

// Writes the array of argument maps of one command's documentation.
void ReplyArguments(std::string_view text, protocol::ReplyWriter& reply);

}  // namespace aeris
