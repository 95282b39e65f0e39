// The properties of glob patterns on any bytes: nothing is read past an end, and what follows from
// the meaning of stars and of ignoring case holds for every pattern.
//
// Input: how long the pattern is, then the pattern, then the text.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "src/base/check.h"
#include "src/base/glob.h"

namespace {

// A block of its own size, so that a sanitizer sees every byte beyond it.
class Exact {
 public:
  explicit Exact(std::string_view bytes)
      : block_(std::make_unique<char[]>(bytes.size())), size_(bytes.size()) {
    std::ranges::copy(bytes, block_.get());
  }
  std::string_view view() const { return {block_.get(), size_}; }

 private:
  std::unique_ptr<char[]> block_;
  std::size_t size_;
};

bool Matches(std::string_view pattern, std::string_view text,
             aeris::GlobCase letters = aeris::GlobCase::kSensitive) {
  return aeris::GlobMatch(Exact(pattern).view(), Exact(text).view(), letters);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::string pattern(input.substr(0, data[0]));
  const std::string text(input.substr(pattern.size()));
  const bool matches = Matches(pattern, text);
  static_cast<void>(Matches(pattern, text, aeris::GlobCase::kIgnore));
  if (text.empty()) {
    AERIS_CHECK(matches == pattern.empty());
    return 0;
  }
  // Stars in front find the text wherever it stands; more than a thousand match nothing.
  const auto stars = static_cast<std::size_t>(std::ranges::count(pattern, '*'));
  if (matches && stars < 1000) {
    AERIS_CHECK(Matches("*" + pattern, text));
    AERIS_CHECK(Matches("*" + pattern, "\x01" + text));
  }
  // Each byte escaped is the text itself.
  std::string escaped;
  for (const char byte : text) {
    escaped += '\\';
    escaped += byte;
  }
  AERIS_CHECK(Matches(escaped, text));
  AERIS_CHECK(Matches(escaped, text + "x") == false);
  return 0;
}
