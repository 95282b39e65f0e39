#include "src/command_line.h"

#include <filesystem>
#include <system_error>

#include "src/quoted_text.h"

namespace aeris {
namespace {

using Words = std::span<const std::string_view>;

bool IsOption(std::string_view word) { return word.starts_with("--"); }

// "--port 6380" in one argument: its value is already there.
bool HoldsValue(std::string_view option) {
  const auto words = SplitConfigLine(option);
  return !words || words->size() != 1;
}

// The lines that LoadConfig reads last: "--hz 20 --save" becomes `hz "20"` and `save ""`.
class Overrides {
 public:
  // `more` are the words behind `option`, which takes at least one of them as its value even if it
  // looks like an option; `--save` alone, or before another option, means `--save ""`.
  void AddOption(std::string_view option, Words more) {
    if (!lines_.empty()) lines_ += '\n';
    lines_.append(option.substr(2)).append(" ");
    wants_value_ = !HoldsValue(option);
    const bool bare = more.empty() || IsOption(more.front());
    if (wants_value_ && bare && option == "--save") {
      lines_ += "\"\"";
      wants_value_ = false;
    }
  }
  void AddValue(std::string_view value) {
    lines_.append(QuotedText(value)).append(" ");
    wants_value_ = false;
  }
  bool wants_value() const { return wants_value_; }
  std::string Take() { return std::move(lines_); }

 private:
  std::string lines_;
  bool wants_value_ = false;
};

std::string AbsolutePath(std::string_view path) {
  std::error_code fault;
  const std::filesystem::path absolute = std::filesystem::absolute(path, fault);
  return fault ? std::string(path) : absolute.string();
}

// Answers that end the process, recognised as the first word only.
std::expected<CommandLine::Action, Error> FirstWordAction(std::string_view word) {
  using Action = CommandLine::Action;
  if (word == "-v" || word == "--version") return Action::kVersion;
  if (word == "-h" || word == "--help") return Action::kHelp;
  if (word == "--check-system") return Action::kCheckSystem;
  if (word == "--test-memory") {
    return std::unexpected(Error::Invalid(
        "--test-memory is not part of aeris; memtester(8) tests a machine's memory"));
  }
  return Action::kRun;
}

}  // namespace

std::expected<CommandLine, Error> ParseCommandLine(std::span<const std::string_view> arguments) {
  CommandLine line;
  if (arguments.empty()) return line;
  const auto action = FirstWordAction(arguments.front());
  if (!action) return std::unexpected(action.error());
  line.action = *action;
  if (line.action != CommandLine::Action::kRun) return line;

  Overrides overrides;
  Words words = arguments;
  if (words.front() == "-") {
    line.source.standard_input = true;
    words = words.subspan(1);
  } else if (!words.front().starts_with('-')) {
    line.source.file = AbsolutePath(words.front());
    words = words.subspan(1);
  }
  for (; !words.empty(); words = words.subspan(1)) {
    const std::string_view word = words.front();
    if (word == "--sentinel") {
      return std::unexpected(Error::Invalid("--sentinel: aeris has no sentinel mode"));
    }
    if (word == "-" && words.size() == 1) {
      line.source.standard_input = true;
    } else if (IsOption(word) && !overrides.wants_value()) {
      overrides.AddOption(word, words.subspan(1));
    } else {
      overrides.AddValue(word);
    }
  }
  line.source.overrides = overrides.Take();
  return line;
}

std::string VersionText(std::string_view version) {
  return "aeris server v=" + std::string(version) + " bits=" + std::to_string(sizeof(void*) * 8) +
         " compiler=" + __VERSION__;
}

std::string HelpText(std::string_view program) {
  const std::string name(program);
  return "Usage: " + name +
         " [config-file] [-] [--directive value ...]\n"
         "       " +
         name +
         " -            read the configuration from standard input\n"
         "       " +
         name +
         " -v, --version\n"
         "       " +
         name +
         " -h, --help\n"
         "       " +
         name +
         " --check-system\n"
         "\n"
         "A directive given here wins over the file; every directive of redis.conf can be given.\n"
         "\n"
         "Examples:\n"
         "       " +
         name +
         "                                 the defaults, port 6379\n"
         "       " +
         name +
         " /etc/aeris/redis.conf\n"
         "       " +
         name +
         " --port 7777 --bind 127.0.0.1 ::1\n"
         "       " +
         name +
         " redis.conf --loglevel verbose --save ''\n"
         "       echo 'maxclients 100' | " +
         name + " -\n";
}

}  // namespace aeris
