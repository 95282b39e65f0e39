// Text of a client made safe for a line: in double quotes, control and other bytes that do not
// print escaped as \n \r \t \a \b \xHH, as MONITOR, logs and redis-cli show them.
#pragma once

#include <string>
#include <string_view>

namespace aeris {

std::string QuotedText(std::string_view text);

}  // namespace aeris
