#include "src/authentication.h"

#include <algorithm>

#include "src/command_context.h"
#include "src/error_replies.h"
#include "src/server.h"

namespace aeris {

bool SecretsEqual(std::string_view a, std::string_view b) {
  // Every byte of `b` is looked at, whatever `a` is, so time tells nothing of the secret `a`.
  unsigned difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < b.size(); ++i) {
    const char of_a = i < a.size() ? a[i] : static_cast<char>(~b[i]);
    difference |= static_cast<unsigned>(static_cast<unsigned char>(of_a ^ b[i]));
  }
  return difference == 0;
}

bool CheckCredentials(const CommandContext& context, std::string_view user,
                      std::string_view password) {
  const std::string& secret = context.server().config().requirepass;
  // The comparison runs for unknown users too, so that time does not tell which exist.
  const bool password_right = secret.empty() || SecretsEqual(secret, password);
  if (user == "default" && password_right) return true;
  context.reply().Error(err::kWrongPass);
  return false;
}

bool IsValidClientName(std::string_view name) {
  return std::ranges::all_of(name, [](char c) { return c >= '!' && c <= '~'; });
}

}  // namespace aeris
