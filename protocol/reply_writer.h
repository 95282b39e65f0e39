// ReplyWriter: encodes replies of one client as RESP2 or RESP3. A handler says what the reply means
// (a map, a double); the writer knows how the client's protocol spells it.
//
//                RESP2                       RESP3
//   null         $-1                         _
//   null array   *-1                         _
//   map, set     array (2n, n)               %n, ~n
//   push         array                       >n
//   double       bulk string                 ,text
//   boolean      :1 :0                       #t #f
//   big number   bulk string                 (text
//   verbatim     bulk string, no type        =size txt:...
//   attribute    not possible                |n
//
// Common replies are ready-made; lengths and integers are formatted in place.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "protocol/reply_buffer.h"

namespace aeris::protocol {

class ReplyWriter {
 public:
  // A length that is written after its elements. Nested ones end in the reverse order. Not ending
  // one keeps the reply from being sent.
  class [[nodiscard]] Deferred {
    friend class ReplyWriter;
    ReplyBuffer::HoleId hole = 0;
    bool muted = false;
  };

  // `resp` is 2 or 3. `buffer` outlives the writer.
  explicit ReplyWriter(ReplyBuffer& buffer, int resp = 2) : buffer_(buffer), resp_(resp) {}

  int resp() const { return resp_; }
  void set_resp(int resp) { resp_ = resp; }
  // A muted writer drops what it is given, errors too (CLIENT REPLY OFF and SKIP); it still counts
  // errors.
  bool muted() const { return muted_; }
  void set_muted(bool muted) { muted_ = muted; }
  ReplyBuffer& buffer() { return buffer_; }

  void Ok() { Raw("+OK\r\n"); }
  // CR and LF in `text` become spaces.
  void SimpleString(std::string_view text);
  // `text` begins with its code word ("ERR ", "WRONGTYPE "), without '-'. CR and LF at its end are
  // dropped, others become spaces, so text of a client cannot end the line.
  void Error(std::string_view text);
  void Integer(std::int64_t value);
  void Bulk(std::string_view bytes);
  // `pin` keeps `bytes` until they are sent; for big values.
  void BulkPinned(std::string_view bytes, Pin pin);
  void BulkInteger(std::int64_t value);
  void EmptyBulk() { Raw("$0\r\n\r\n"); }
  void Null() { Raw(resp_ == 2 ? "$-1\r\n" : "_\r\n"); }
  void NullArray() { Raw(resp_ == 2 ? "*-1\r\n" : "_\r\n"); }
  void Double(double value);
  void Boolean(bool value);
  // `digits` is the number as text, with sign.
  void BigNumber(std::string_view digits);
  // `type` has three bytes: "txt" or "mkd".
  void Verbatim(std::string_view bytes, std::string_view type);

  // Heads of aggregates; the elements follow. `count` is of elements, of pairs for Map and
  // Attribute.
  void Array(std::size_t count) { Head('*', count); }
  void EmptyArray() { Raw("*0\r\n"); }
  void Map(std::size_t pairs) { resp_ == 2 ? Head('*', pairs * 2) : Head('%', pairs); }
  void Set(std::size_t count) { Head(resp_ == 2 ? '*' : '~', count); }
  void Push(std::size_t count) { Head(resp_ == 2 ? '*' : '>', count); }
  // RESP3 only: a RESP2 client could not tell it from the reply.
  void Attribute(std::size_t pairs);

  Deferred BeginArray() { return Begin(); }
  Deferred BeginMap() { return Begin(); }
  Deferred BeginSet() { return Begin(); }
  Deferred BeginPush() { return Begin(); }
  void EndArray(Deferred deferred, std::size_t count) { End(deferred, '*', count); }
  void EndMap(Deferred deferred, std::size_t pairs);
  void EndSet(Deferred deferred, std::size_t count) {
    End(deferred, resp_ == 2 ? '*' : '~', count);
  }
  void EndPush(Deferred deferred, std::size_t count) {
    End(deferred, resp_ == 2 ? '*' : '>', count);
  }

  // Bytes that are a reply already.
  void Raw(std::string_view bytes) {
    if (!muted_) [[likely]]
      buffer_.Append(bytes);
  }

  // Errors written since the writer was made. The server compares before and after a command.
  std::uint64_t errors_written() const { return errors_written_; }
  // Those beyond `before` have been dealt with one by one (EXEC): they do not count any more.
  void ForgetErrors(std::uint64_t before) { errors_written_ = before; }
  // Code word of the last error ("ERR", "WRONGTYPE"), cut at 32 bytes; empty before the first.
  std::string_view last_error() const { return {last_error_.data(), last_error_size_}; }

 private:
  void Head(char type, std::size_t count);
  void Line(char type, std::string_view text);
  Deferred Begin();
  void End(Deferred deferred, char type, std::size_t count);

  ReplyBuffer& buffer_;
  std::uint64_t errors_written_ = 0;
  int resp_;
  bool muted_ = false;
  std::uint8_t last_error_size_ = 0;
  std::array<char, 32> last_error_{};
};

}  // namespace aeris::protocol
