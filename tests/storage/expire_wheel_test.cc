#include "storage/expire_wheel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <vector>

#include "src/base/random.h"

namespace aeris::storage {
namespace {

constexpr UnixMs kStart = 1'700'000'000'000;
constexpr std::int64_t kSecond = 1000;
constexpr std::int64_t kMinute = 60 * kSecond;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;

// What holds the wheel's bytes, in its simplest form: a code per key. The multimap is the oracle.
class Keys {
 public:
  struct Key {
    UnixMs deadline = kNoDeadline;
    std::uint8_t code = 0;
    unsigned looks = 0;
  };

  explicit Keys(std::size_t count) : keys_(count) {}

  void SetDeadline(std::size_t key, UnixMs deadline) {
    Forget(key);
    Key& changed = keys_[key];
    changed.deadline = deadline;
    const std::uint8_t code = wheel_.FileCode(deadline);
    if (changed.code == 0 || !wheel_.DueNoLater(changed.code, code)) changed.code = code;
    changed.looks = 0;
    by_deadline_.emplace(deadline, key);
  }
  void Erase(std::size_t key) {
    Forget(key);
    keys_[key] = {};
  }

  // Looks at no more than `keys_max` keys; true when everything due has been looked at.
  bool Sweep(UnixMs now, std::size_t keys_max) {
    wheel_.Observe(now);
    while (wheel_.in_pass() || wheel_.Behind(now)) {
      if (!wheel_.in_pass()) {
        EXPECT_TRUE(wheel_.Begin(now));
        position_ = 0;
      }
      for (; position_ < keys_.size(); ++position_) {
        if (!wheel_.IsDue(keys_[position_].code)) continue;
        if (keys_max-- == 0) return false;
        LookAt(position_, now);
      }
      wheel_.End();
    }
    return true;
  }

  // Every key whose tick has come is gone, and no other.
  void ExpectNoneDue(UnixMs now) const {
    if (by_deadline_.empty()) return;
    const UnixMs first = by_deadline_.begin()->first;
    ASSERT_GE(first / ExpireWheel::kTickMs + 1, now / ExpireWheel::kTickMs + 1)
        << "a key is " << now - first << " ms late";
  }

  void ExpectFloorHolds() const {
    if (by_deadline_.empty()) return;
    ASSERT_LE(wheel_.floor(), by_deadline_.begin()->first);
  }

  std::size_t size() const { return by_deadline_.size(); }
  std::size_t key_count() const { return keys_.size(); }
  const Key& key(std::size_t index) const { return keys_[index]; }
  unsigned looks_max() const { return looks_max_; }
  ExpireWheel& wheel() { return wheel_; }

 private:
  void LookAt(std::size_t index, UnixMs now) {
    Key& key = keys_[index];
    ASSERT_NE(key.deadline, kNoDeadline);
    looks_max_ = std::max(looks_max_, ++key.looks);
    if (now > key.deadline) {
      Erase(index);
    } else {
      key.code = wheel_.FileCode(key.deadline);
    }
  }
  void Forget(std::size_t index) {
    const auto [first, last] = by_deadline_.equal_range(keys_[index].deadline);
    const auto found =
        std::find_if(first, last, [&](const auto& it) { return it.second == index; });
    if (found != last) by_deadline_.erase(found);
  }

  ExpireWheel wheel_;
  std::vector<Key> keys_;
  std::multimap<UnixMs, std::size_t> by_deadline_;
  std::size_t position_ = 0;
  unsigned looks_max_ = 0;
};

std::int64_t RandomSpan(Random& random) {
  constexpr std::int64_t kSpans[] = {100,       5 * kSecond, 5 * kMinute,
                                     5 * kHour, 13 * kDay,   90 * kDay};
  return static_cast<std::int64_t>(
      random.Below(static_cast<std::uint64_t>(kSpans[random.Below(std::size(kSpans))])));
}

TEST(ExpireWheel, GivesEachKeyOnceWhenDue) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    Keys keys(200);
    UnixMs now = kStart;
    for (int step = 0; step < 5000; ++step) {
      for (std::uint64_t i = random.Below(4); i > 0; --i) {
        const std::size_t key = random.Below(keys.key_count());
        if (random.Below(5) == 0) {
          keys.Erase(key);
        } else {
          keys.SetDeadline(key, now + RandomSpan(random));
        }
      }
      now +=
          random.Below(10) == 0 ? RandomSpan(random) : static_cast<std::int64_t>(random.Below(200));
      ASSERT_TRUE(keys.Sweep(now, keys.key_count() * 8));
      ASSERT_NO_FATAL_FAILURE(keys.ExpectNoneDue(now));
      ASSERT_NO_FATAL_FAILURE(keys.ExpectFloorHolds());
      ASSERT_EQ(keys.wheel().floor(), now / ExpireWheel::kTickMs * ExpireWheel::kTickMs);
    }
  }
}

TEST(ExpireWheel, FollowsAClockThatJumpsBothWaysWhileSweepsAreCutShort) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    Keys keys(200);
    UnixMs now = kStart;
    for (int step = 0; step < 5000; ++step) {
      for (std::uint64_t i = random.Below(4); i > 0; --i) {
        keys.SetDeadline(random.Below(keys.key_count()), now + RandomSpan(random));
      }
      switch (random.Below(8)) {
        case 0:
          now += RandomSpan(random);
          break;
        case 1:
          now -= RandomSpan(random);
          break;
        default:
          now += static_cast<std::int64_t>(random.Below(200));
      }
      if (keys.Sweep(now, random.Below(20))) {
        ASSERT_NO_FATAL_FAILURE(keys.ExpectNoneDue(now));
      }
      ASSERT_NO_FATAL_FAILURE(keys.ExpectFloorHolds());
    }
    while (!keys.Sweep(now, 20)) {
    }
    ASSERT_NO_FATAL_FAILURE(keys.ExpectNoneDue(now));
  }
}

// What is filed between the jump and the next sweep, which notices it, is as much on time as what
// is filed later.
TEST(ExpireWheel, AKeyFiledAfterTheClockWasSetBackIsOnTime) {
  for (std::int64_t back = 0; back < 200; ++back) {
    for (const std::int64_t far : {std::int64_t{0}, kHour, kDay}) {
      Keys keys(1);
      ASSERT_TRUE(keys.Sweep(kStart, 1));
      const UnixMs now = kStart - far - back * ExpireWheel::kTickMs / 2;
      keys.SetDeadline(0, now + 100);
      for (UnixMs later = now; later < now + kSecond; later += 20) {
        ASSERT_TRUE(keys.Sweep(later, 10));
        ASSERT_NO_FATAL_FAILURE(keys.ExpectNoneDue(later)) << back << " and " << far;
      }
      EXPECT_EQ(keys.size(), 0U);
    }
  }
}

TEST(ExpireWheel, LooksAtAKeyNoMoreThanOncePerLevel) {
  Random random(7);
  Keys keys(100);
  UnixMs now = kStart;
  ASSERT_TRUE(keys.Sweep(now, 1));
  for (std::size_t key = 0; key < keys.key_count(); ++key) {
    keys.SetDeadline(key, now + RandomSpan(random) % (5 * kHour));
  }
  while (keys.size() != 0) {
    now += ExpireWheel::kTickMs;
    ASSERT_TRUE(keys.Sweep(now, keys.key_count()));
    ASSERT_NO_FATAL_FAILURE(keys.ExpectNoneDue(now));
  }
  EXPECT_LE(keys.looks_max(), ExpireWheel::kLevels);
}

TEST(ExpireWheel, FindsNothingDueBetweenTicks) {
  ExpireWheel wheel;
  wheel.Reset(kStart);
  EXPECT_FALSE(wheel.Behind(kStart + ExpireWheel::kTickMs - 1 - kStart % ExpireWheel::kTickMs));
  EXPECT_FALSE(wheel.Begin(kStart));
  EXPECT_FALSE(wheel.in_pass());
  ASSERT_TRUE(wheel.Begin(kStart + ExpireWheel::kTickMs));
  EXPECT_LE(wheel.due_codes().size(), std::size_t{ExpireWheel::kLevels});
  wheel.End();
  EXPECT_TRUE(wheel.due_codes().empty());
}

TEST(ExpireWheel, ALaterDeadlineKeepsTheOldCode) {
  ExpireWheel wheel;
  wheel.Reset(kStart);
  const std::uint8_t soon = wheel.FileCode(kStart + kSecond);
  const std::uint8_t late = wheel.FileCode(kStart + kHour);
  EXPECT_TRUE(wheel.DueNoLater(soon, late));
  EXPECT_FALSE(wheel.DueNoLater(late, soon));
  EXPECT_TRUE(wheel.DueNoLater(late, late));
}

TEST(ExpireWheel, AcceptsEveryDeadline) {
  constexpr UnixMs kMax = std::numeric_limits<UnixMs>::max();
  for (const UnixMs now : {UnixMs{0}, kStart, kMax}) {
    ExpireWheel wheel;
    wheel.Reset(now);
    for (const UnixMs deadline : {std::numeric_limits<UnixMs>::min(), UnixMs{0}, kStart, kMax}) {
      const std::uint8_t code = wheel.FileCode(deadline);
      EXPECT_GE(code, 1);
      EXPECT_LT(code, ExpireWheel::kCodes);
      if (deadline <= now) {
        EXPECT_EQ(code, wheel.DelayCode());
      }
    }
  }
}

}  // namespace
}  // namespace aeris::storage
