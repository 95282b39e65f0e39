// InfoWriter: the text of INFO, lines "name:value" under "# Title" heads.
#pragma once

#include <fmt/format.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

namespace aeris {

// A number of bytes for people, as Redis prints it: "512B", "1.50K", "2.00G".
std::string HumanBytes(std::uint64_t bytes);

class InfoWriter {
 public:
  explicit InfoWriter(std::size_t database) : database_(database) {}

  // What the client that asks has selected.
  std::size_t database() const { return database_; }
  // An empty line separates the sections.
  void Section(std::string_view title);

  void Field(std::string_view name, std::string_view value) { Line(name, "{}", value); }
  void Field(std::string_view name, std::integral auto value) { Line(name, "{}", value); }
  // The value as a format and its arguments.
  template <typename... Args>
  void Line(std::string_view name, fmt::format_string<Args...> format, Args&&... args) {
    text_ += name;
    text_ += ':';
    fmt::format_to(std::back_inserter(text_), format, std::forward<Args>(args)...);
    text_ += "\r\n";
  }
  // Two fields: `name` and `name`_human.
  void Bytes(std::string_view name, std::uint64_t bytes);

  const std::string& text() const { return text_; }

 private:
  std::size_t database_;
  std::string text_;
};

}  // namespace aeris
