// RdbWriter: numbers and texts as RDB files and DUMP payloads have them.
//
//   length   00xxxxxx | 01xxxxxx x8 | 80 x32 | 81 x64, big endian
//   text     [ length ][ bytes ] | [ c0 | c1 | c2 ][ int8 | int16 | int32 ]
//            [ c3 ][ compressed length ][ length ][ LZF bytes ]
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace aeris::storage {

class RdbWriter {
 public:
  void Byte(std::uint8_t byte) { out_.push_back(static_cast<char>(byte)); }
  void Length(std::uint64_t length);
  // Integers in their compact forms, text over 20 bytes compressed (LZF) when that makes it
  // shorter.
  void Text(std::string_view text);
  void Integer(std::int64_t integer);
  // 8 bytes, little endian.
  void Double(double value);
  void Milliseconds(std::int64_t value);
  void Raw(std::string_view bytes) { out_.append(bytes); }
  void Reserve(std::size_t bytes) { out_.reserve(bytes); }

  std::string_view written() const { return out_; }
  std::string Take() && { return std::move(out_); }

 private:
  bool CompactInteger(std::int64_t integer);
  bool Compressed(std::string_view text);

  std::string out_;
};

}  // namespace aeris::storage
