#include "src/admin/allowed_host.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <string>

#include "src/text.h"

namespace aeris {
namespace {

bool IsAddress(int family, std::string_view text) {
  std::array<std::byte, sizeof(in6_addr)> address;
  return inet_pton(family, std::string(text).c_str(), address.data()) == 1;
}

bool IsPort(std::string_view text) {
  return text.size() <= 5 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

bool IsAllowedHost(std::string_view host, std::string_view admin_bind) {
  // A NUL would end it early for inet_pton.
  if (host.find('\0') != std::string_view::npos) return false;
  if (host.starts_with('[')) {
    const std::size_t end = host.find(']');
    if (end == std::string_view::npos) return false;
    const std::string_view rest = host.substr(end + 1);
    const bool port = rest.empty() || (rest.starts_with(':') && IsPort(rest.substr(1)));
    return port && IsAddress(AF_INET6, host.substr(1, end - 1));
  }
  const std::size_t colon = std::min(host.find(':'), host.size());
  if (colon < host.size() && !IsPort(host.substr(colon + 1))) return false;
  const std::string_view name = host.substr(0, colon);
  return EqualsIgnoringCase(name, "localhost") || IsAddress(AF_INET, name) ||
         (!name.empty() && EqualsIgnoringCase(name, admin_bind));
}

}  // namespace aeris
