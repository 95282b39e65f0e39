#include "src/acl/password_digest.h"

#include <fmt/format.h>
#include <sha2.h>

namespace aeris {
namespace {

std::optional<unsigned> HexDigit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
  return std::nullopt;
}

}  // namespace

PasswordDigest DigestOf(std::string_view password) {
  static_assert(std::tuple_size_v<PasswordDigest> == SHA256_DIGEST_LENGTH);
  SHA2_CTX state;
  SHA256Init(&state);
  SHA256Update(&state, reinterpret_cast<const std::uint8_t*>(password.data()), password.size());
  PasswordDigest digest;
  SHA256Final(digest.data(), &state);
  return digest;
}

std::string DigestText(const PasswordDigest& digest) {
  std::string text;
  for (const std::uint8_t byte : digest) text += fmt::format("{:02x}", byte);
  return text;
}

std::optional<PasswordDigest> ParseDigest(std::string_view text) {
  PasswordDigest digest;
  if (text.size() != 2 * digest.size()) return std::nullopt;
  for (std::size_t i = 0; i < digest.size(); ++i) {
    const auto high = HexDigit(text[2 * i]);
    const auto low = HexDigit(text[2 * i + 1]);
    if (!high || !low) return std::nullopt;
    digest[i] = static_cast<std::uint8_t>(*high << 4 | *low);
  }
  return digest;
}

bool AnyEqual(std::span<const PasswordDigest> known, const PasswordDigest& digest) {
  unsigned found = 0;
  for (const PasswordDigest& each : known) {
    unsigned difference = 0;
    for (std::size_t i = 0; i < digest.size(); ++i) {
      difference |= static_cast<unsigned>(each[i] ^ digest[i]);
    }
    found |= static_cast<unsigned>(difference == 0);
  }
  return found != 0;
}

}  // namespace aeris
