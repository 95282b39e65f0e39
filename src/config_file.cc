#include "src/config_file.h"

#include <fcntl.h>
#include <glob.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <span>
#include <unordered_set>
#include <utility>

#include "protocol/inline_parser.h"
#include "src/acl/acl_file.h"
#include "src/base/unique_fd.h"
#include "src/config_value.h"
#include "src/text.h"

namespace aeris {
namespace {

constexpr std::string_view kBadDirective = "Bad directive or wrong number of arguments";

// Lines that Redis still accepts and ignores.
constexpr std::array<std::string_view, 3> kRetired = {
    "list-max-ziplist-entries", "list-max-ziplist-value", "lua-replicate-commands"};

std::string_view Trimmed(std::string_view line) {
  const std::size_t begin = line.find_first_not_of(" \t\r\n");
  if (begin == line.npos) return {};
  return line.substr(begin, line.find_last_not_of(" \t\r\n") + 1 - begin);
}

std::expected<std::string, Error> ReadAll(int fd, const std::string& name) {
  std::string text;
  std::array<char, 16384> block;
  for (;;) {
    const ssize_t got = ::read(fd, block.data(), block.size());
    if (got == 0) return text;
    if (got > 0) {
      text.append(block.data(), static_cast<std::size_t>(got));
    } else if (errno != EINTR) {
      return std::unexpected(
          Error::System("Fatal error, can't read config file '" + name + "'", errno));
    }
  }
}

std::expected<std::string, Error> ReadFile(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) {
    return std::unexpected(
        Error::System("Fatal error, can't open config file '" + path + "'", errno));
  }
  return ReadAll(fd.get(), path);
}

// Paths that `pattern` names: itself unless it has glob characters, when it may name none.
std::vector<std::string> IncludedPaths(const std::string& pattern) {
  if (pattern.find_first_of("*?[") == pattern.npos) return {pattern};
  std::vector<std::string> paths;
  glob_t found{};
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  ::globfree(&found);
  return paths;
}

// Reads one text and, by recursion bounded by kConfigIncludeDepthMax, what it includes.
class Reader {
 public:
  // Tolerant: lines with faults are passed over, and nothing outside of the table's Config changes.
  enum class Manner : std::uint8_t { kStrict, kTolerant };
  Reader(ConfigTable& table, std::string_view version, Manner manner = Manner::kStrict)
      : table_(table), version_(version), manner_(manner) {}

  std::expected<void, Error> Read(std::string_view text, int depth) {
    int number = 0;
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      const std::string_view line = Trimmed(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
      ++number;
      if (line.empty() || line.front() == '#') continue;
      if (auto read = ReadLine(line, number, depth); !read && manner_ == Manner::kStrict) {
        return read;
      }
    }
    return {};
  }

 private:
  std::expected<void, Error> ReadLine(std::string_view line, int number, int depth) {
    const auto words = SplitConfigLine(line);
    if (!words) return Fault(number, line, "Unbalanced quotes in configuration line");
    if (words->empty()) return {};
    const std::vector<std::string_view> arguments(words->begin() + 1, words->end());
    const std::string name = ToLower(words->front());
    if (name == "include" && arguments.size() == 1) {
      return Include(words->at(1), number, line, depth);
    }
    const ConfigRow* row = table_.Find(name);
    if (row == nullptr) return ReadOther(name, arguments, number, line);
    const ConfigResult set = SetRow(*row, arguments);
    if (!set) return Fault(number, line, set.error());
    return {};
  }

  ConfigResult SetRow(const ConfigRow& row, std::span<const std::string_view> arguments) {
    if (manner_ == Manner::kStrict) return table_.SetFromFile(row, arguments);
    const bool first = seen_.insert(&row).second;
    return ConfigTable::Assign(row, table_.config(), arguments,
                               first ? ConfigOrigin::kFileFirst : ConfigOrigin::kFileAgain);
  }

  std::expected<void, Error> Include(const std::string& pattern, int number, std::string_view line,
                                     int depth) {
    if (depth >= kConfigIncludeDepthMax) return Fault(number, line, "Too many nested includes");
    for (const std::string& path : IncludedPaths(pattern)) {
      const auto text = ReadFile(path);
      if (!text) return std::unexpected(text.error());
      if (auto read = Read(*text, depth + 1); !read) return read;
    }
    return {};
  }

  // Directives that are no options: they cannot be read or set by CONFIG.
  std::expected<void, Error> ReadOther(std::string_view name,
                                       std::span<const std::string_view> arguments, int number,
                                       std::string_view line) {
    Config& config = table_.config();
    if (name == "rename-command" && arguments.size() == 2) {
      config.renamed_commands.push_back(
          {std::string(arguments[0]), std::string(arguments[1]), number, std::string(line)});
    } else if (name == "user" && !arguments.empty()) {
      return AddUser(arguments[0], number, line);
    } else if (name == "loadmodule" && !arguments.empty()) {
      config.modules.push_back(Rest(line));
      table_.NoteNoEffect(name);
    } else if (arguments.size() == 1 &&
               std::find(kRetired.begin(), kRetired.end(), name) != kRetired.end()) {
      table_.NoteNoEffect(name);
    } else if (name == "sentinel" && !arguments.empty()) {
      return Fault(number, line, "sentinel directive while not in sentinel mode");
    } else {
      return Fault(number, line, kBadDirective);
    }
    return {};
  }

  // Faults in rules are found here, where line and file are known; the server reads them again.
  std::expected<void, Error> AddUser(std::string_view name, int number, std::string_view line) {
    Config& config = table_.config();
    const std::string rest = Rest(line);
    if (manner_ == Manner::kStrict) {
      if (!users_.emplace(name).second) {
        return Fault(number, line,
                     "Error in user declaration '" + std::string(EchoedText(name)) +
                         "': Duplicate user found. A user can only be defined once in config "
                         "files");
      }
      if (!catalogue_) catalogue_ = std::make_unique<AclCatalogue>(CommandTable());
      const bool all_channels = config.acl_pubsub_default == AclPubsubDefault::kAllChannels;
      const auto user = ParseConfigUser(rest, {*catalogue_, all_channels});
      if (!user) return Fault(number, line, user.error());
    }
    config.users.push_back(rest);
    return {};
  }

  // The line behind its first word.
  static std::string Rest(std::string_view line) {
    return std::string(Trimmed(line.substr(std::min(line.find_first_of(" \t"), line.size()))));
  }

  std::unexpected<Error> Fault(int number, std::string_view line, std::string_view reason) const {
    return std::unexpected(Error::Invalid(FatalConfigText(number, line, reason, version_)));
  }

  ConfigTable& table_;
  std::string_view version_;
  Manner manner_;
  std::unordered_set<const ConfigRow*> seen_;  // of a tolerant reader
  std::unordered_set<std::string> users_;      // of a strict one
  std::unique_ptr<AclCatalogue> catalogue_;    // once there is a user
};

}  // namespace

std::expected<std::vector<std::string>, Error> SplitConfigLine(std::string_view line) {
  auto words = protocol::SplitArguments(line);
  if (!words) return std::unexpected(Error::Invalid("unbalanced quotes"));
  return std::move(*words);
}

std::string FatalConfigText(int line, std::string_view text, std::string_view reason,
                            std::string_view version) {
  std::string fault = "\n*** FATAL CONFIG FILE ERROR (aeris ";
  fault.append(version).append(") ***\nReading the configuration file, at line ");
  fault.append(std::to_string(line)).append("\n>>> '").append(text).append("'\n").append(reason);
  return fault;
}

std::expected<void, Error> LoadConfigText(ConfigTable& table, std::string_view text,
                                          std::string_view version) {
  return Reader(table, version).Read(text, 0);
}

Config ConfigAfterReading(std::string_view text) {
  Config config;
  ConfigTable table(config);
  static_cast<void>(Reader(table, "", Reader::Manner::kTolerant).Read(text, 0));
  return config;
}

std::expected<void, Error> LoadConfig(ConfigTable& table, const ConfigSource& source,
                                      std::string_view version) {
  std::string text;
  const auto append = [&](std::string_view part) {
    if (!text.empty() && text.back() != '\n') text += '\n';
    text += part;
  };
  if (!source.file.empty()) {
    const auto file = ReadFile(source.file);
    if (!file) return std::unexpected(file.error());
    append(*file);
  }
  if (source.standard_input) {
    const auto input = ReadAll(STDIN_FILENO, "standard input");
    if (!input) return std::unexpected(input.error());
    append(*input);
  }
  // An empty line first, so that line numbers are those of redis-server.
  if (!source.overrides.empty()) append("\n" + source.overrides);
  return LoadConfigText(table, text, version);
}

}  // namespace aeris
