// CLIENT PAUSE: until when which commands wait.
#pragma once

#include <algorithm>
#include <cstdint>

#include "src/base/clock.h"

namespace aeris {

class ClientPause {
 public:
  enum class Kind : std::uint8_t { kNone, kWrite, kAll };

  // A second pause never shortens the first, nor makes it weaker while it lasts.
  void Begin(Kind kind, MonotonicTime until, MonotonicTime now) {
    if (!active(now)) kind_ = Kind::kNone;
    kind_ = std::max(kind_, kind);
    until_ = std::max(until_, until);
  }
  void End() {
    kind_ = Kind::kNone;
    until_ = {};
  }
  bool active(MonotonicTime now) const { return kind_ != Kind::kNone && now < until_; }
  Kind kind() const { return kind_; }
  MonotonicTime until() const { return until_; }

 private:
  Kind kind_ = Kind::kNone;
  MonotonicTime until_{};
};

}  // namespace aeris
