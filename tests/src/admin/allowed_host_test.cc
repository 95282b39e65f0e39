#include "src/admin/allowed_host.h"

#include <gtest/gtest.h>

#include <string>

namespace aeris {
namespace {

TEST(AllowedHost, TakesAddressesAndLocalhost) {
  for (const std::string_view host :
       {"127.0.0.1", "127.0.0.1:9121", "localhost", "LocalHost:80", "[::1]", "[::1]:9121",
        "10.1.2.3:1", "[2001:db8::1]:65535", "[::ffff:127.0.0.1]", "localhost:"}) {
    EXPECT_TRUE(IsAllowedHost(host, "127.0.0.1")) << host;
  }
}

TEST(AllowedHost, RefusesNamesThatMayResolveToAnything) {
  using std::string_view_literals::operator""sv;
  for (const std::string_view host :
       {"evil.example"sv, "evil.example:9121"sv, "localhost.evil.example"sv,
        "127.0.0.1.evil.example"sv, "127.0.0.1.:80"sv, "127.1"sv, "0x7f.0.0.1"sv, "2130706433"sv,
        "::1"sv, "[::1"sv, "[::1].evil.example"sv, "[evil.example]"sv, "[::1]:80x"sv,
        "127.0.0.1:80@evil.example"sv, "127.0.0.1:999999"sv, ""sv, ":80"sv,
        "127.0.0.1\0.evil.example"sv, "localhost."sv}) {
    EXPECT_FALSE(IsAllowedHost(host, "127.0.0.1")) << host;
  }
}

TEST(AllowedHost, TakesTheNameThatIsBound) {
  EXPECT_TRUE(IsAllowedHost("cache1.internal:9121", "cache1.internal"));
  EXPECT_TRUE(IsAllowedHost("CACHE1.internal", "cache1.internal"));
  EXPECT_FALSE(IsAllowedHost("cache2.internal", "cache1.internal"));
  EXPECT_FALSE(IsAllowedHost("", ""));
}

}  // namespace
}  // namespace aeris
