// Passwords as the server keeps them: SHA-256 of the text.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace aeris {

using PasswordDigest = std::array<std::uint8_t, 32>;

PasswordDigest DigestOf(std::string_view password);
// 64 lower-case hexadecimal digits, and back; nothing for any other text.
std::string DigestText(const PasswordDigest& digest);
std::optional<PasswordDigest> ParseDigest(std::string_view text);

// Whether `digest` is among `known`. All bytes of all of them are looked at, so that the time tells
// nothing of where a difference is.
bool AnyEqual(std::span<const PasswordDigest> known, const PasswordDigest& digest);

}  // namespace aeris
