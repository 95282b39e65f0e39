// JsonWriter: JSON text, piece by piece. The caller nests rightly; commas come by themselves.
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <utility>

namespace aeris {

class JsonWriter {
 public:
  void BeginObject(std::string_view name = {}) { Begin(name, '{'); }
  void EndObject() { End('}'); }
  void BeginArray(std::string_view name = {}) { Begin(name, '['); }
  void EndArray() { End(']'); }

  // Members of an object have a name, those of an array none. `text` is any bytes: what is not
  // UTF-8 shows as \xHH (utf8_text.h).
  void Text(std::string_view name, std::string_view text);
  void Bool(std::string_view name, bool value);
  void Number(std::string_view name, std::integral auto value) {
    Separate(name);
    text_ += std::to_string(value);
    after_value_ = true;
  }
  // What is not finite is null.
  void Number(std::string_view name, double value);

  const std::string& text() const { return text_; }
  std::string Take() { return std::move(text_); }

 private:
  void Begin(std::string_view name, char bracket);
  void End(char bracket);
  void Separate(std::string_view name);
  void Quote(std::string_view utf8);

  std::string text_;
  bool after_value_ = false;  // the next value needs a comma
};

}  // namespace aeris
