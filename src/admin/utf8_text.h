// Names of keys are bytes; JSON and the labels of Prometheus are UTF-8.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace aeris {

// The bytes of the character that `text` begins with, 1 to 4; 0 when they are not UTF-8 (overlong,
// surrogates and what is beyond U+10FFFF included) or `text` is empty.
std::size_t Utf8CharacterSize(std::string_view text);

// `text` with each byte that is not part of a UTF-8 character as the four characters \xHH. What is
// beyond `bytes_max` of the text is left out, and three dots say so.
std::string Utf8Text(std::string_view text, std::size_t bytes_max);

}  // namespace aeris
