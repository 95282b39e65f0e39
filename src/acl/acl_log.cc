#include "src/acl/acl_log.h"

#include "src/acl/acl_limits.h"

namespace aeris {
namespace {

constexpr std::size_t kComparedRecords = 10;
constexpr std::chrono::seconds kSameEventMax{60};

}  // namespace

void AclLog::Add(const Event& event, std::size_t records_max) {
  const std::string_view object = event.object.substr(0, kAclNameBytesMax);
  const std::string_view user = event.user.substr(0, kAclNameBytesMax);
  const std::string_view client_info = event.client_info.substr(0, kAclNameBytesMax);
  std::size_t left = kComparedRecords;
  for (auto at = records_.begin(); at != records_.end() && left > 0; ++at, --left) {
    if (at->reason != event.reason || at->context != event.context || at->object != object ||
        at->user != user || event.now - at->time > kSameEventMax) {
      continue;
    }
    ++at->count;
    at->time = event.now;
    at->client_info = client_info;
    records_.splice(records_.begin(), records_, at);
    return;
  }
  records_.push_front({.reason = event.reason,
                       .context = event.context,
                       .object = std::string(object),
                       .user = std::string(user),
                       .client_info = std::string(client_info),
                       .time = event.now});
  Trim(records_max);
}

void AclLog::Trim(std::size_t records_max) {
  while (records_.size() > records_max) records_.pop_back();
}

std::string_view AclReasonName(AclReason reason) {
  switch (reason) {
    case AclReason::kCommand:
      return "command";
    case AclReason::kKey:
      return "key";
    case AclReason::kChannel:
      return "channel";
    case AclReason::kAuth:
      break;
  }
  return "auth";
}

std::string_view AclContextName(AclLog::Context context) {
  return context == AclLog::Context::kMulti ? "multi" : "toplevel";
}

}  // namespace aeris
