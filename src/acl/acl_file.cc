#include "src/acl/acl_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "protocol/inline_parser.h"
#include "src/acl/acl_description.h"
#include "src/text.h"

namespace aeris {
namespace {

// Nobody reads more at once, and it becomes one error reply.
constexpr std::size_t kErrorBytesMax = std::size_t{16} << 10;

std::string_view Trimmed(std::string_view text, std::string_view blanks) {
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) + 1 - begin);
}

std::vector<std::string_view> SplitAtSpaces(std::string_view line) {
  std::vector<std::string_view> words;
  for (std::size_t at = 0; at <= line.size();) {
    const std::size_t end = std::min(line.find(' ', at), line.size());
    words.push_back(line.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

class Parser {
 public:
  Parser(std::string_view name, const AclRuleContext& context) : name_(name), context_(context) {}

  void ReadLine(std::string_view line, std::size_t number) {
    const std::vector<std::string_view> words = SplitAtSpaces(line);
    if (words[0] != "user" || words.size() < 2) {
      return Complain(fmt::format("{}:{} should start with user keyword followed by the username. ",
                                  name_, number));
    }
    const std::string_view user = words[1];
    if (HasSpaceOrNul(user)) {
      return Complain(fmt::format("'{}:{}: username '{}' contains invalid characters. ", name_,
                                  number, EchoedText(user)));
    }
    const auto [at, fresh] = users_.try_emplace(std::string(user));
    if (!fresh) {
      return Complain(
          fmt::format("WARNING: Duplicate user '{}' found on line {}. ", EchoedText(user), number));
    }
    at->second = std::make_unique<AclUser>(std::string(user), context_.default_all_channels);
    Apply(at->second->rights(), std::span(words).subspan(2), number);
  }

  AclUserMap TakeUsers() { return std::move(users_); }
  const std::string& errors() const { return errors_; }

 private:
  void Apply(AclUser::Rights& rights, std::span<const std::string_view> words, std::size_t number) {
    const auto rules = JoinSelectors(words);
    if (!rules) {
      return Complain(
          fmt::format("{}:{}: Unmatched parenthesis in selector definition.", name_, number));
    }
    bool told = false;
    for (const std::string& each : *rules) {
      const std::string_view rule = Trimmed(each, "\t\r\n");
      const auto done = ApplyAclRule(rights, rule, context_);
      if (done) continue;
      const std::string_view text = AclFaultText(done.error());
      if (done.error() == AclFault::kUnknownCommand) {
        // The name is no secret; of other rules nothing is shown, as in Redis.
        Complain(fmt::format("{}:{}: Error in applying operation '{}': {}. ", name_, number,
                             EchoedText(rule, kEchoedWholeBytesMax), text));
      } else if (!std::exchange(told, true)) {
        Complain(fmt::format("{}:{}: {}. ", name_, number, text));
      }
    }
  }

  void Complain(const std::string& text) {
    if (errors_.size() < kErrorBytesMax) errors_ += text;
  }

  std::string_view name_;
  const AclRuleContext& context_;
  AclUserMap users_;
  std::string errors_;
};

}  // namespace

std::expected<AclUserMap, std::string> ParseAclFile(std::string_view name, std::string_view text,
                                                    const AclRuleContext& context) {
  Parser parser(name, context);
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = Trimmed(text.substr(0, end), " \t\r\n");
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (!line.empty()) parser.ReadLine(line, number);
  }
  if (!parser.errors().empty()) return std::unexpected(parser.errors());
  return parser.TakeUsers();
}

std::expected<std::unique_ptr<AclUser>, std::string> ParseConfigUser(
    std::string_view line, const AclRuleContext& context) {
  const auto fault = [](std::string_view rule, std::string_view text) {
    return std::unexpected(fmt::format("Error in user declaration '{}': {}",
                                       EchoedText(rule, kEchoedWholeBytesMax), text));
  };
  const auto words = protocol::SplitArguments(line);
  if (!words || words->empty()) return fault(line, "Unbalanced quotes");
  const std::string& name = words->front();
  if (HasSpaceOrNul(name)) return fault(name, "Spaces not allowed in ACL usernames");
  const std::vector<std::string_view> rest(words->begin() + 1, words->end());
  const auto rules = JoinSelectors(rest);
  if (!rules) return fault(rest[rules.error()], "Unmatched parenthesis in selector definition");
  auto user = std::make_unique<AclUser>(name, context.default_all_channels);
  for (const std::string& rule : *rules) {
    const auto done = ApplyAclRule(user->rights(), rule, context);
    if (!done) return fault(rule, AclFaultText(done.error()));
  }
  return user;
}

std::string AclFileText(const AclUserMap& users, const AclCatalogue& catalogue) {
  std::string text;
  for (const auto& [name, user] : users) text.append(DescribeUser(*user, catalogue)) += '\n';
  return text;
}

}  // namespace aeris
