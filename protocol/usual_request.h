// Requests that are there as a whole and spelt as every client spells them, taken in one tight pass
// without a parser's state: nearly all that a server ever gets. Whatever is unusual about a
// request, RequestParser finds out; it takes the same arguments, which the tests compare.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "protocol/limits.h"

namespace aeris::protocol {

inline bool IsDigit(char c) { return static_cast<unsigned char>(c - '0') <= 9; }

inline bool IsCrlf(const char* p) { return std::memcmp(p, "\r\n", 2) == 0; }

// "$3", CRLF, "SET", CRLF from `p` on: sets the argument and moves `p` behind it. False, and
// nothing done, when it is not whole, longer than `size_max` or oddly spelt.
inline bool TakeUsualArgument(const char*& p, const char* end, std::int64_t size_max,
                              std::string_view& argument) {
  constexpr std::ptrdiff_t kShortest = 6;  // "$0", CRLF, CRLF
  constexpr std::ptrdiff_t kDigitsMax = 9;
  if (end - p < kShortest || p[0] != '$' || !IsDigit(p[1])) return false;
  std::int64_t size = p[1] - '0';
  const char* q = p + 2;
  if (*q != '\r') {
    if (size == 0) return false;
    const char* const digits_end = end - p > kDigitsMax + 3 ? p + 1 + kDigitsMax : end - 2;
    while (q < digits_end && IsDigit(*q)) size = size * 10 + (*q++ - '0');
  }
  if (!IsCrlf(q) || size > size_max) return false;
  q += 2;
  if (end - q < size + 2 || !IsCrlf(q + size)) return false;
  argument = {q, static_cast<std::size_t>(size)};
  p = q + size + 2;
  return true;
}

// Appends the arguments of the request at the head of `bytes` and returns its size; 0, and nothing
// appended, when it is not a usual one. Of clients that have logged in.
inline std::size_t TakeUsualRequest(std::string_view bytes, const Limits& limits,
                                    std::vector<std::string_view>& arguments) {
  const char* p = bytes.data();
  const char* const end = p + bytes.size();
  if (bytes.size() < 5 || p[0] != '*' || !IsDigit(p[1]) || p[1] == '0') return 0;
  int count = p[1] - '0';
  p += 2;
  if (IsDigit(*p)) count = count * 10 + (*p++ - '0');
  if (!IsCrlf(p) || count > limits.args_max) return 0;
  p += 2;
  const std::size_t before = arguments.size();
  for (; count > 0; --count) {
    std::string_view argument;
    if (!TakeUsualArgument(p, end, limits.bulk_bytes_max, argument)) {
      arguments.resize(before);
      return 0;
    }
    arguments.push_back(argument);
  }
  return static_cast<std::size_t>(p - bytes.data());
}

}  // namespace aeris::protocol
