// Pollers for tests: one that plays a script, one that never sleeps.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <expected>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "ae/poller.h"
#include "src/base/check.h"
#include "src/base/error.h"
#include "tests/support/manual_clock.h"

namespace aeris::testing {

// Knows no descriptors, only numbers: a test says what each wait reports. A wait without a script
// sleeps its timeout out by moving the clock, so time passes exactly when the loop would sleep.
class FakePoller final : public ae::Poller {
 public:
  explicit FakePoller(ManualClock& clock) : clock_(clock) {}

  // What the next wait without a script of its own reports.
  void Script(std::vector<ae::Fired> fired) { script_.push_back(std::move(fired)); }
  // What the next call of Add or Change answers.
  void FailNext(int sys_errno) { fail_next_ = sys_errno; }

  const std::map<int, ae::Ready>& interests() const { return interests_; }
  const std::vector<std::chrono::milliseconds>& timeouts() const { return timeouts_; }
  std::size_t change_count() const { return change_count_; }

  std::expected<void, Error> Add(int fd, ae::Ready interest) override {
    AERIS_CHECK(!interests_.contains(fd));
    if (fail_next_ != 0) return Fail();
    interests_[fd] = interest;
    return {};
  }
  std::expected<void, Error> Change(int fd, ae::Ready interest) override {
    AERIS_CHECK(interests_.contains(fd));
    if (fail_next_ != 0) return Fail();
    interests_[fd] = interest;
    ++change_count_;
    return {};
  }
  void Remove(int fd) override { AERIS_CHECK(interests_.erase(fd) == 1); }
  void Wait(std::chrono::milliseconds timeout, std::vector<ae::Fired>& fired) override {
    timeouts_.push_back(timeout);
    fired.clear();
    if (!script_.empty()) {
      fired = std::move(script_.front());
      script_.pop_front();
    } else {
      AERIS_CHECK(timeout >= std::chrono::milliseconds(0));  // else the loop would hang for ever
      clock_.Advance(timeout);
    }
  }
  std::string_view name() const override { return "fake"; }

 private:
  std::expected<void, Error> Fail() {
    return std::unexpected(Error::System("scripted", std::exchange(fail_next_, 0)));
  }

  ManualClock& clock_;
  std::deque<std::vector<ae::Fired>> script_;
  std::map<int, ae::Ready> interests_;
  std::vector<std::chrono::milliseconds> timeouts_;
  std::size_t change_count_ = 0;
  int fail_next_ = 0;
};

// Real descriptors, simulated time: asks the real poller without waiting, and where that would have
// slept moves the clock instead. Counts the waits, which are the turns of the loop.
class SleeplessPoller final : public ae::Poller {
 public:
  SleeplessPoller(ae::Poller& real, ManualClock& clock) : real_(real), clock_(clock) {}

  std::size_t wait_count() const { return wait_count_; }

  std::expected<void, Error> Add(int fd, ae::Ready interest) override {
    return real_.Add(fd, interest);
  }
  std::expected<void, Error> Change(int fd, ae::Ready interest) override {
    return real_.Change(fd, interest);
  }
  void Remove(int fd) override { real_.Remove(fd); }
  void Wait(std::chrono::milliseconds timeout, std::vector<ae::Fired>& fired) override {
    ++wait_count_;
    real_.Wait(std::chrono::milliseconds(0), fired);
    if (!fired.empty()) return;
    if (timeout < std::chrono::milliseconds(0)) {
      real_.Wait(timeout, fired);
    } else {
      clock_.Advance(timeout);
    }
  }
  std::string_view name() const override { return real_.name(); }

 private:
  ae::Poller& real_;
  ManualClock& clock_;
  std::size_t wait_count_ = 0;
};

}  // namespace aeris::testing
