// Random streams of requests, most of them legal, some damaged, out of a small alphabet that hits
// the parser's edges.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "src/base/random.h"

namespace aeris::protocol {

class RequestGenerator {
 public:
  explicit RequestGenerator(Random& random) : random_(random) {}

  std::string Stream() {
    std::string stream;
    for (std::uint64_t n = 1 + random_.Below(5); n > 0; --n) {
      stream += random_.Below(3) == 0 ? Inline() : Multibulk();
    }
    if (random_.Below(2) == 0) Damage(stream);
    return stream;
  }

 private:
  std::string Bytes(std::uint64_t size_max) {
    constexpr std::string_view kAlphabet("ab*$0159-+ \r\n\t\v\"'\\x\0\xff", 21);
    std::string bytes;
    for (std::uint64_t n = random_.Below(size_max); n > 0; --n) {
      bytes += kAlphabet[random_.Below(kAlphabet.size())];
    }
    return bytes;
  }

  std::string Multibulk() {
    const std::uint64_t count = random_.Below(12);
    std::string request = "*" + std::to_string(count) + "\r\n";
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::string argument = Bytes(random_.Below(20) == 0 ? 20000 : 12);
      request += "$" + std::to_string(argument.size()) + "\r\n" + argument + "\r\n";
    }
    return request;
  }

  std::string Inline() {
    std::string line = Bytes(30);
    if (!line.empty() && line[0] == '*' && random_.Below(4) != 0) line[0] = 'p';
    return line + (random_.Below(2) == 0 ? "\n" : "\r\n");
  }

  void Damage(std::string& stream) {
    const std::size_t at = random_.Below(stream.size());
    switch (random_.Below(3)) {
      case 0:
        stream.erase(at, 1 + random_.Below(3));
        break;
      case 1:
        stream.insert(at, Bytes(4));
        break;
      default:
        stream[at] = static_cast<char>(random_.Below(256));
        break;
    }
  }

  Random& random_;
};

}  // namespace aeris::protocol
