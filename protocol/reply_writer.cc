#include "protocol/reply_writer.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "src/base/check.h"
#include "src/base/number_text.h"

namespace aeris::protocol {
namespace {

// Type byte, number, CRLF.
constexpr std::size_t kHeadBytesMax = 1 + kInt64TextMax + 2;
static_assert(kHeadBytesMax < ReplyBuffer::kHoleBytes, "a deferred length fits its hole");

// Up to this size a bulk string is written in one piece, so a block may lose so many bytes at its
// end; a bigger one may begin in one block and end in the next.
constexpr std::size_t kBulkInOnePiece = 512;

char* PutCrlf(char* p) {
  p[0] = '\r';
  p[1] = '\n';
  return p + 2;
}

// Heads of bulk strings that are short, in pieces that are copied at once: "$7\r\n", "$42\r\n".
using ShortHead = std::array<char, 8>;
constexpr auto kShortHeads = [] {
  std::array<ShortHead, 100> heads{};
  for (std::size_t count = 0; count < heads.size(); ++count) {
    char* p = heads[count].data();
    *p++ = '$';
    if (count >= 10) *p++ = static_cast<char>('0' + count / 10);
    *p++ = static_cast<char>('0' + count % 10);
    *p++ = '\r';
    *p++ = '\n';
  }
  return heads;
}();

// Needs room for kHeadBytesMax.
[[gnu::always_inline]] inline char* PutHead(char* p, char type, std::uint64_t count) {
  static_assert(kHeadBytesMax >= sizeof(ShortHead));
  if (count < kShortHeads.size()) [[likely]] {
    std::memcpy(p, kShortHeads[count].data(), sizeof(ShortHead));
    *p = type;
    return p + (count < 10 ? 4 : 5);
  }
  *p++ = type;
  p += FormatUint64(p, count);
  return PutCrlf(p);
}

std::size_t Distance(const char* begin, const char* end) {
  return static_cast<std::size_t>(end - begin);
}

}  // namespace

void ReplyWriter::Head(char type, std::size_t count) {
  if (muted_) return;
  char* begin = buffer_.Reserve(kHeadBytesMax);
  buffer_.Commit(Distance(begin, PutHead(begin, type, count)));
}

void ReplyWriter::Line(char type, std::string_view text) {
  if (muted_) return;
  char* begin = buffer_.Reserve(text.size() + 3);
  char* p = begin;
  *p++ = type;
  for (const char c : text) *p++ = c == '\r' || c == '\n' ? ' ' : c;
  buffer_.Commit(Distance(begin, PutCrlf(p)));
}

void ReplyWriter::SimpleString(std::string_view text) { Line('+', text); }

void ReplyWriter::Error(std::string_view text) {
  while (!text.empty() && (text.back() == '\r' || text.back() == '\n')) text.remove_suffix(1);
  const std::string_view code = text.substr(0, text.find_first_of(" \r\n"));
  last_error_size_ = static_cast<std::uint8_t>(std::min(code.size(), last_error_.size()));
  std::copy_n(code.begin(), last_error_size_, last_error_.begin());
  ++errors_written_;
  Line('-', text);
}

void ReplyWriter::Integer(std::int64_t value) {
  if (muted_) return;
  char* begin = buffer_.Reserve(kHeadBytesMax);
  char* p = begin;
  *p++ = ':';
  p += FormatInt64(p, value);
  buffer_.Commit(Distance(begin, PutCrlf(p)));
}

void ReplyWriter::Bulk(std::string_view bytes) {
  if (muted_) return;
  if (bytes.size() <= kBulkInOnePiece) [[likely]] {
    char* begin = buffer_.Reserve(kHeadBytesMax + bytes.size() + 2);
    char* p = PutHead(begin, '$', bytes.size());
    if (!bytes.empty()) std::memcpy(p, bytes.data(), bytes.size());
    buffer_.Commit(Distance(begin, PutCrlf(p + bytes.size())));
    return;
  }
  Head('$', bytes.size());
  buffer_.Append(bytes);
  buffer_.Append("\r\n");
}

void ReplyWriter::BulkPinned(std::string_view bytes, Pin pin) {
  if (muted_) return;
  Head('$', bytes.size());
  buffer_.AppendPinned(bytes, std::move(pin));
  buffer_.Append("\r\n");
}

void ReplyWriter::BulkInteger(std::int64_t value) {
  if (muted_) return;
  std::array<char, kInt64TextMax> text;
  const std::size_t size = FormatInt64(text.data(), value);
  char* begin = buffer_.Reserve(kHeadBytesMax + kInt64TextMax + 2);
  char* p = PutHead(begin, '$', size);
  std::memcpy(p, text.data(), size);
  buffer_.Commit(Distance(begin, PutCrlf(p + size)));
}

void ReplyWriter::Double(double value) {
  std::array<char, kDoubleTextMax> text;
  const std::string_view digits{text.data(), FormatDouble(text.data(), value)};
  resp_ == 2 ? Bulk(digits) : Line(',', digits);
}

void ReplyWriter::Boolean(bool value) {
  if (resp_ == 2) {
    Raw(value ? ":1\r\n" : ":0\r\n");
  } else {
    Raw(value ? "#t\r\n" : "#f\r\n");
  }
}

void ReplyWriter::BigNumber(std::string_view digits) {
  resp_ == 2 ? Bulk(digits) : Line('(', digits);
}

void ReplyWriter::Verbatim(std::string_view bytes, std::string_view type) {
  AERIS_DCHECK(type.size() == 3);
  if (resp_ == 2) return Bulk(bytes);
  if (muted_) return;
  Head('=', bytes.size() + 4);
  buffer_.Append(type);
  buffer_.Append(":");
  buffer_.Append(bytes);
  buffer_.Append("\r\n");
}

void ReplyWriter::Attribute(std::size_t pairs) {
  AERIS_CHECK(resp_ == 3);
  Head('|', pairs);
}

void ReplyWriter::EndMap(Deferred deferred, std::size_t pairs) {
  resp_ == 2 ? End(deferred, '*', pairs * 2) : End(deferred, '%', pairs);
}

ReplyWriter::Deferred ReplyWriter::Begin() {
  Deferred deferred;
  deferred.muted = muted_;
  if (!muted_) deferred.hole = buffer_.OpenHole();
  return deferred;
}

void ReplyWriter::End(Deferred deferred, char type, std::size_t count) {
  if (deferred.muted) return;
  std::array<char, kHeadBytesMax> head;
  buffer_.FillHole(deferred.hole,
                   {head.data(), Distance(head.data(), PutHead(head.data(), type, count))});
}

}  // namespace aeris::protocol
