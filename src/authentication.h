// Passwords of the default user, the only one so far.
#pragma once

#include <string_view>

namespace aeris {

class Client;
class CommandContext;

// The comparison takes the same time wherever the first difference is (its length alone may show).
bool SecretsEqual(std::string_view a, std::string_view b);

// Whether `user` may log in with `password`; replies with WRONGPASS when not.
bool CheckCredentials(const CommandContext& context, std::string_view user,
                      std::string_view password);

// What a name given by a client may look like: printable, no spaces.
bool IsValidClientName(std::string_view name);

}  // namespace aeris
