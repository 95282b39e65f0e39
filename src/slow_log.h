// SlowLog: the last commands that took longer than slowlog-log-slower-than.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aeris {

class SlowLog {
 public:
  struct Record {
    std::uint64_t id;
    std::int64_t unix_seconds;
    std::int64_t microseconds;
    std::vector<std::string> arguments;  // cut: see kArgumentsMax
    std::string peer;
    std::string client_name;
  };
  // Arguments kept of one command, and bytes of one argument; the rest is told in words, as Redis
  // does ("... (3 more arguments)", "... (100 more bytes)").
  static constexpr std::size_t kArgumentsMax = 32;
  static constexpr std::size_t kArgumentBytesMax = 128;

  struct Command {
    std::span<const std::string_view> arguments;
    std::int64_t unix_seconds;
    std::int64_t microseconds;
    std::string_view peer;
    std::string_view client_name;
  };
  void Add(const Command& command, std::size_t records_max);
  void Trim(std::size_t records_max);
  void Clear() { records_.clear(); }

  // Newest first.
  const std::deque<Record>& records() const { return records_; }

 private:
  std::deque<Record> records_;
  std::uint64_t next_id_ = 0;
};

}  // namespace aeris
