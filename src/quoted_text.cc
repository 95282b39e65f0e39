#include "src/quoted_text.h"

#include <cstdint>

namespace aeris {
namespace {

constexpr char kHex[] = "0123456789abcdef";

void AppendEscaped(std::string& out, char c) {
  switch (c) {
    case '\\':
    case '"':
      out += '\\';
      out += c;
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\a':
      out += "\\a";
      return;
    case '\b':
      out += "\\b";
      return;
    default:
      break;
  }
  const auto byte = static_cast<std::uint8_t>(c);
  if (byte >= 0x20 && byte < 0x7F) {
    out += c;
    return;
  }
  out += "\\x";
  out += kHex[byte >> 4];
  out += kHex[byte & 15];
}

}  // namespace

std::string QuotedText(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 2);
  out += '"';
  for (const char c : text) AppendEscaped(out, c);
  out += '"';
  return out;
}

}  // namespace aeris
