// The notation in which a command row says its arguments, and its expansion for COMMAND DOCS.
//
//   arguments := argument { ' ' argument }
//   argument  := [ TOKEN ' ' ] name ':' type { attribute }
//   TOKEN     := "'" text "'"            the literal word that comes before the value; may be empty
//   name      := any characters but blanks and ( ) | '; may contain ':' and '/' ("ip:port:string")
//   type      := key | string | integer | double | pattern | unix-time | pure-token
//              | oneof( argument { '|' argument } ) | block( arguments )
//   attribute := '?' optional | '*' multiple | '+' multiple with the token repeated
//              | '#' n  key spec index | '@' version  since | '!' version  deprecated since
//
// Attributes come in this order, each at most once, '*' or '+' but not both. Tokens stand in single
// quotes so that a row is an ordinary string literal.
//
// Example, a part of SET:
//   "key:key#0 value:string condition:oneof('NX' nx:pure-token|'XX' xx:pure-token)?@2.6.12 "
//   "'GET' get:pure-token?@6.2.0"
#pragma once

#include <string_view>

#include "protocol/reply_writer.h"
#include "src/command.h"

namespace aeris {

// True when `text` follows the notation. A test asks this of every row.
bool ArgumentsAreWellFormed(std::string_view text);

// Writes the array of argument maps of one command's documentation. `text` is a row's, so it is
// well-formed; empty gives an empty array. Allocates a tree while it works: COMMAND DOCS is cold.
void ReplyArguments(std::string_view text, protocol::ReplyWriter& reply);

}  // namespace aeris
