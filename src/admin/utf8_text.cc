#include "src/admin/utf8_text.h"

#include <fmt/format.h>

#include <iterator>

namespace aeris {

std::size_t Utf8CharacterSize(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (text.empty()) return 0;
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4) return 0;
  const std::size_t size = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  // The second byte decides what is overlong, a surrogate, or too large.
  const unsigned char second = byte(1);
  if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F)) return 0;
  if ((first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F)) return 0;
  return size;
}

std::string Utf8Text(std::string_view text, std::size_t bytes_max) {
  std::string shown;
  for (std::size_t taken = 0; !text.empty();) {
    const std::size_t size = Utf8CharacterSize(text);
    taken += size == 0 ? 1 : size;
    if (taken > bytes_max) return shown + "...";
    if (size == 0) {
      fmt::format_to(std::back_inserter(shown), "\\x{:02x}",
                     static_cast<unsigned>(static_cast<unsigned char>(text[0])));
    } else {
      shown += text.substr(0, size);
    }
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return shown;
}

}  // namespace aeris
