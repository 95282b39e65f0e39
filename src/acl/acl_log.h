// AclLog: the last requests that were refused for want of rights, and logins that failed.
//
// An event like one of the ten newest, less than a minute after it, is counted there. Names and
// the line about the client, which has a name too, are kept up to kAclNameBytesMax, so that a log
// of big keys stays small.
//
// Memory: acllog-max-len records of at most 3 KiB.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>

#include "src/acl/acl_selector.h"
#include "src/base/clock.h"

namespace aeris {

class AclLog {
 public:
  enum class Context : std::uint8_t { kTopLevel, kMulti };
  struct Event {
    AclReason reason;
    Context context;
    std::string_view object;  // the command, key or channel; of a login the command that failed
    std::string_view user;
    std::string_view client_info;
    MonotonicTime now;
  };
  struct Record {
    std::uint64_t count = 1;
    AclReason reason;
    Context context;
    std::string object;
    std::string user;
    std::string client_info;
    MonotonicTime time;  // of the last event
  };

  void Add(const Event& event, std::size_t records_max);
  void Trim(std::size_t records_max);
  void Clear() { records_.clear(); }

  // Newest first.
  const std::list<Record>& records() const { return records_; }

 private:
  std::list<Record> records_;
};

std::string_view AclReasonName(AclReason reason);
std::string_view AclContextName(AclLog::Context context);

}  // namespace aeris
