// Whose name a browser may ask the admin port by.
//
// A web page elsewhere that has its own name resolve to 127.0.0.1 (DNS rebinding) could otherwise
// read what the port answers, as if it were its own server. Its requests bear that name in the
// field Host; an address does not need to be resolved, so it cannot be turned round.
#pragma once

#include <string_view>

namespace aeris {

// `host` is the field's value, with or without a port. True for IPv4 and IPv6 addresses, localhost,
// and the name that `admin_bind` is, if it is one; in any case.
bool IsAllowedHost(std::string_view host, std::string_view admin_bind);

}  // namespace aeris
