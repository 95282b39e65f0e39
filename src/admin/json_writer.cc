#include "src/admin/json_writer.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>

#include "src/admin/utf8_text.h"

namespace aeris {
void JsonWriter::Text(std::string_view name, std::string_view text) {
  Separate(name);
  Quote(Utf8Text(text, text.size()));
  after_value_ = true;
}

void JsonWriter::Bool(std::string_view name, bool value) {
  Separate(name);
  text_ += value ? "true" : "false";
  after_value_ = true;
}

void JsonWriter::Number(std::string_view name, double value) {
  Separate(name);
  if (std::isfinite(value)) {
    // Nine digits are more than a chart shows.
    fmt::format_to(std::back_inserter(text_), "{:.9g}", value);
  } else {
    text_ += "null";
  }
  after_value_ = true;
}

void JsonWriter::Begin(std::string_view name, char bracket) {
  Separate(name);
  text_ += bracket;
  after_value_ = false;
}

void JsonWriter::End(char bracket) {
  text_ += bracket;
  after_value_ = true;
}

void JsonWriter::Separate(std::string_view name) {
  if (after_value_) text_ += ',';
  if (name.empty()) return;
  Quote(name);
  text_ += ':';
}

// Besides what JSON demands: characters that would begin an element, should somebody put this text
// into a page.
void JsonWriter::Quote(std::string_view utf8) {
  text_ += '"';
  for (const char c : utf8) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      text_ += '\\';
      text_ += c;
    } else if (byte < 0x20 || c == '<' || c == '>' || c == '&' || c == '\x7f') {
      fmt::format_to(std::back_inserter(text_), "\\u{:04x}", static_cast<unsigned>(byte));
    } else {
      text_ += c;
    }
  }
  text_ += '"';
}

}  // namespace aeris
