#include "storage/reuse_sketch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace aeris::storage {
namespace {

constexpr UnixMs kNow = 1'700'000'000'000;
constexpr double kTwoPoints = 0.02;

// As the keyed hash of a key: bits without a pattern (SplitMix64).
std::uint64_t HashOf(std::uint64_t key) {
  std::uint64_t x = (key + 1) * 0x9e3779b97f4a7c15;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

// Keys that are in a sample of one in 128, for tests that name each.
class SampledKeys {
 public:
  std::uint64_t Next() {
    while (!sketch_.Samples(HashOf(next_))) ++next_;
    return HashOf(next_++);
  }

 private:
  ReuseSketch sketch_;
  std::uint64_t next_ = 0;
};

// Zipf's law by the inverse of its sums.
class Zipf {
 public:
  Zipf(std::size_t keys, double exponent) {
    double sum = 0;
    for (std::size_t i = 1; i <= keys; ++i) {
      sums_.push_back(sum += 1 / std::pow(static_cast<double>(i), exponent));
    }
  }
  std::size_t operator()(std::mt19937_64& random) const {
    std::uniform_real_distribution<double> draw(0, sums_.back());
    return static_cast<std::size_t>(std::lower_bound(sums_.begin(), sums_.end(), draw(random)) -
                                    sums_.begin());
  }

 private:
  std::vector<double> sums_;
};

// The distance of each request among all keys: what the sketch estimates.
class ExactDistances {
 public:
  ExactDistances(std::size_t keys, std::size_t requests) : last_(keys), sums_(requests + 1) {}

  // Infinite for a first request.
  double Request(std::size_t key, std::size_t bytes) {
    double distance = INFINITY;
    if (last_[key] != 0) {
      distance = static_cast<double>(all_ - Until(last_[key]) + bytes);
      Add(last_[key], -static_cast<std::int64_t>(bytes));
    } else {
      all_ += bytes;
    }
    last_[key] = ++now_;
    Add(now_, static_cast<std::int64_t>(bytes));
    distances_.push_back(distance);
    return distance;
  }
  double HitRatio(double bytes) const {
    const auto hits = std::count_if(distances_.begin(), distances_.end(),
                                    [&](double distance) { return distance <= bytes; });
    return static_cast<double>(hits) / static_cast<double>(distances_.size());
  }

 private:
  void Add(std::size_t at, std::int64_t bytes) {
    for (; at < sums_.size(); at += at & -at) sums_[at] += static_cast<std::uint64_t>(bytes);
  }
  std::uint64_t Until(std::size_t at) const {
    std::uint64_t sum = 0;
    for (; at != 0; at -= at & -at) sum += sums_[at];
    return sum;
  }

  std::vector<std::size_t> last_;
  std::vector<std::uint64_t> sums_;
  std::vector<double> distances_;
  std::uint64_t all_ = 0;
  std::size_t now_ = 0;
};

// Clients that ask, and store what was not there, over a cache that keeps what was used last.
struct LookAside {
  static constexpr std::size_t kKeys = 300'000;
  static constexpr std::size_t kRequests = 600'000;
  static constexpr double kCacheBytes = 4e6;

  static std::size_t BytesOf(std::size_t key) { return 16 + HashOf(~key) % 400; }

  LookAside(double exponent, std::uint64_t seed) : exact(kKeys, kRequests) {
    std::mt19937_64 random(seed);
    const Zipf zipf(kKeys, exponent);
    sketch.SetRange(static_cast<std::size_t>(4 * kCacheBytes));
    for (std::size_t i = 0; i < kRequests; ++i) {
      const std::size_t key = zipf(random);
      const std::uint64_t hash = HashOf(key + seed * kKeys);
      const bool hit = exact.Request(key, BytesOf(key)) <= kCacheBytes;
      const ReuseSketch::Item item{.bytes = BytesOf(key)};
      if (sketch.Samples(hash) && !(hit && sketch.RequestedAgain(hash))) {
        sketch.Requested(hash, hit ? item : ReuseSketch::Item(), kNow);
      }
      ++(hit ? totals.hits : totals.misses);
      if (!hit && sketch.Samples(hash)) sketch.Stored(hash, item);
      if (i % 1000 == 0) sketch.CountAll(totals);
    }
    sketch.CountAll(totals);
  }

  ExactDistances exact;
  ReuseSketch sketch;
  ReuseSketch::Totals totals;
};

TEST(ReuseSketch, IsWithinTwoPointsOfExactDistancesOnZipfTraffic) {
  for (const double exponent : {0.8, 1.0, 1.2}) {
    const LookAside run(exponent, 1);
    run.sketch.CheckInvariants();
    for (const double multiple : {0.5, 1.0, 2.0, 4.0}) {
      const double bytes = multiple * LookAside::kCacheBytes;
      const double exact = run.exact.HitRatio(bytes);
      EXPECT_NEAR(run.sketch.HitRatio(LookAside::kCacheBytes, bytes), exact, kTwoPoints)
          << exponent << " " << multiple;
      // Of 2,340 keys in the sample alone.
      EXPECT_NEAR(run.sketch.ModelHitRatio(bytes), exact, 2 * kTwoPoints)
          << exponent << " " << multiple;
    }
  }
}

TEST(ReuseSketch, SaysWhatWasMeasuredAtThePresentSize) {
  // Two requests in three hit, whatever the model says.
  SampledKeys keys;
  ReuseSketch sketch;
  ReuseSketch::Totals totals;
  for (int i = 0; i < 3000; ++i) {
    totals = {.hits = totals.hits + 256, .misses = totals.misses + 128};
    sketch.Requested(keys.Next(), {}, kNow);
    sketch.CountAll(totals);
  }
  EXPECT_NEAR(sketch.HitRatio(1e6, 1e6), 2.0 / 3, 1e-9);
  EXPECT_GE(sketch.HitRatio(1e6, 2e6), sketch.HitRatio(1e6, 1e6));
  EXPECT_LE(sketch.HitRatio(1e6, 5e5), sketch.HitRatio(1e6, 1e6));
}

TEST(ReuseSketch, NeverSaysThatMoreMemoryIsWorse) {
  std::mt19937_64 random(5);
  SampledKeys keys;
  std::vector<std::uint64_t> names;
  for (int i = 0; i < 500; ++i) names.push_back(keys.Next());
  ReuseSketch sketch;
  ReuseSketch::Totals totals;
  for (int i = 0; i < 20000; ++i) {
    const bool hit = random() % 3 != 0;
    sketch.Requested(names[random() % names.size()], {.bytes = hit ? 1 + random() % 1000 : 0},
                     kNow);
    totals.hits += hit ? random() % 256 : 0;
    totals.misses += random() % 64;
    sketch.CountAll(totals);
  }
  double before = 0;
  for (double bytes = 0; bytes < 1e9; bytes = bytes * 1.1 + 100) {
    const double ratio = sketch.HitRatio(1e7, bytes);
    EXPECT_GE(ratio, before);
    EXPECT_LE(ratio, 1.0);
    before = ratio;
  }
}

// One request of each key in turn, so that a cache with room for all hits and a smaller one never.
struct Loop {
  explicit Loop(int keys_count, ReuseSketch::Item item = {.bytes = 100}) {
    SampledKeys keys;
    std::vector<std::uint64_t> names;
    for (int i = 0; i < keys_count; ++i) names.push_back(keys.Next());
    if (item.bytes != 0) {
      for (const std::uint64_t name : names) sketch.Stored(name, item);
    }
    for (int turn = 0; turn < 20; ++turn) {
      for (const std::uint64_t name : names) {
        sketch.Requested(name, {}, kNow);
        if (item.bytes != 0) sketch.Stored(name, item);
        totals.misses += 128;
        sketch.CountAll(totals);
      }
    }
  }
  ReuseSketch sketch;
  ReuseSketch::Totals totals;
};

TEST(ReuseSketch, KnowsTheSizeFromWhichALoopFits) {
  const Loop loop(1000);
  EXPECT_EQ(loop.sketch.sampled_keys(), 1000U);
  EXPECT_EQ(loop.sketch.keys_per_sampled(), 128U);
  constexpr double kAll = 1000.0 * 100 * 128;
  EXPECT_LT(loop.sketch.ModelHitRatio(kAll * 0.9), 0.01);
  EXPECT_GT(loop.sketch.ModelHitRatio(kAll * 1.1), 0.99);
}

TEST(ReuseSketch, CountsWhatIsNeverStoredAsMisses) {
  const Loop loop(100, {.bytes = 0});
  EXPECT_LT(loop.sketch.ModelHitRatio(1e18), 0.01);
}

TEST(ReuseSketch, CountsWhatHasExpiredAsMisses) {
  EXPECT_LT(Loop(100, {.bytes = 100, .deadline = kNow - 1}).sketch.ModelHitRatio(1e18), 0.01);
  EXPECT_GT(Loop(100, {.bytes = 100, .deadline = kNow}).sketch.ModelHitRatio(1e18), 0.99);
}

TEST(ReuseSketch, ForgetsWhatWasDeleted) {
  SampledKeys keys;
  ReuseSketch sketch;
  const std::uint64_t name = keys.Next();
  sketch.Removed(name);  // before there is any
  ReuseSketch::Totals totals;
  for (int i = 0; i < 100; ++i) {
    sketch.Stored(name, {.bytes = 100});
    sketch.Removed(name);
    EXPECT_EQ(sketch.sampled_keys(), 0U);
    EXPECT_FALSE(sketch.RequestedAgain(name));
    sketch.Requested(name, {}, kNow);
    totals.misses += 128;
    sketch.CountAll(totals);
  }
  EXPECT_LT(sketch.ModelHitRatio(1e18), 0.02);
  sketch.CheckInvariants();
}

TEST(ReuseSketch, CountsARequestOfTheLastKeyAtOnce) {
  SampledKeys keys;
  ReuseSketch sketch;
  const std::uint64_t hot = keys.Next(), other = keys.Next();
  EXPECT_FALSE(sketch.RequestedAgain(hot));
  sketch.Requested(hot, {.bytes = 100}, kNow);
  EXPECT_TRUE(sketch.RequestedAgain(hot));
  EXPECT_FALSE(sketch.RequestedAgain(other));
  sketch.Requested(other, {}, kNow);
  EXPECT_FALSE(sketch.RequestedAgain(other));  // it was not there
  EXPECT_TRUE(sketch.RequestedAgain(hot));
  sketch.Stored(other, {.bytes = 100});
  EXPECT_FALSE(sketch.RequestedAgain(hot));
  EXPECT_TRUE(sketch.RequestedAgain(other));
  EXPECT_EQ(sketch.sampled_requests(), 5);
}

TEST(ReuseSketch, TakesFewerKeysIntoTheSampleWhenTheyAreMany) {
  ReuseSketch sketch;
  constexpr std::uint64_t kKeys = 4'000'000;
  for (std::uint64_t key = 0; key < kKeys; ++key) {
    if (sketch.Samples(HashOf(key))) sketch.Stored(HashOf(key), {.bytes = 100});
  }
  sketch.CheckInvariants();
  EXPECT_EQ(sketch.keys_per_sampled(), 512U);
  EXPECT_NEAR(static_cast<double>(sketch.sampled_keys()), kKeys / 512.0, 400);
}

TEST(ReuseSketch, ForgetsWhatIsBeyondTheRangeInstead) {
  ReuseSketch sketch;
  sketch.SetRange(50'000'000);  // bytes of half a million keys
  constexpr std::uint64_t kKeys = 4'000'000;
  for (std::uint64_t key = 0; key < kKeys; ++key) {
    if (sketch.Samples(HashOf(key))) sketch.Stored(HashOf(key), {.bytes = 100});
  }
  sketch.CheckInvariants();
  EXPECT_EQ(sketch.keys_per_sampled(), 128U);
  EXPECT_EQ(sketch.sampled_keys(), ReuseSketch::kKeysMax);
}

TEST(ReuseSketch, BeginsAnewForAMuchSmallerCache) {
  SampledKeys keys;
  ReuseSketch sketch;
  sketch.SetRange(1'000'000);
  sketch.Stored(keys.Next(), {.bytes = 100});
  sketch.SetRange(300'000);
  EXPECT_EQ(sketch.sampled_keys(), 1U);
  sketch.SetRange(70'000);
  EXPECT_EQ(sketch.sampled_keys(), 0U);
  EXPECT_EQ(sketch.HitRatio(1e6, 1e6), 0);
}

TEST(ReuseSketch, ForgetsOldTraffic) {
  Loop loop(100);  // all hits, given room
  const double requests_before = loop.sketch.sampled_requests();
  // Keys that are never seen again.
  for (int i = 0; i < 600'000; ++i) {
    loop.sketch.Requested(HashOf(static_cast<std::uint64_t>(i)) & ~std::uint64_t{0xffffffff}, {},
                          kNow);
    loop.totals.misses += 128;
    loop.sketch.CountAll(loop.totals);
  }
  loop.sketch.CheckInvariants();
  EXPECT_GT(loop.sketch.sampled_requests(), requests_before);
  EXPECT_LT(loop.sketch.sampled_requests(), 200'000);
  EXPECT_LT(loop.sketch.ModelHitRatio(1e18), 0.01);
}

TEST(ReuseSketch, GoesOnKnowingTheKeysWhenRequestsAreForgotten) {
  SampledKeys keys;
  ReuseSketch sketch;
  sketch.ForgetRequests();  // before there are any
  const std::uint64_t one = keys.Next(), other = keys.Next();
  ReuseSketch::Totals totals;
  const auto ask = [&](std::uint64_t key) {
    totals.misses += 128;
    sketch.CountAll(totals);
    sketch.Requested(key, {}, kNow);
    sketch.Stored(key, {.bytes = 100});
  };
  for (int i = 0; i < 10; ++i) ask(keys.Next());
  ask(one), ask(other);
  EXPECT_EQ(sketch.ModelHitRatio(1e9), 0);
  sketch.ForgetRequests();
  EXPECT_EQ(sketch.sampled_requests(), 0);
  ask(one), ask(other);
  EXPECT_EQ(sketch.sampled_requests(), 2);
  EXPECT_EQ(sketch.ModelHitRatio(1e9), 1);
}

TEST(ReuseSketch, TakesTotalsThatBeginAgain) {
  SampledKeys keys;
  ReuseSketch sketch;
  sketch.Stored(keys.Next(), {.bytes = 1});
  sketch.CountAll({.hits = 12800, .misses = 0});
  sketch.CountAll({.hits = 0, .misses = 12800});
  EXPECT_NEAR(sketch.HitRatio(1e6, 1e6), 0.5, 1e-9);
}

TEST(ReuseSketch, KeepsItsOrderUnderRandomCalls) {
  std::mt19937_64 random(7);
  ReuseSketch sketch;
  ReuseSketch::Totals totals;
  for (int i = 0; i < 200'000; ++i) {
    const std::uint64_t name = HashOf(random() % 20'000) & 0xffffffff'00ffffff;
    if (!sketch.Samples(name)) continue;
    switch (random() % 4) {
      case 0:
        sketch.Stored(name, {.bytes = 1 + random() % 5000});
        break;
      case 1:
        sketch.Removed(name);
        break;
      default:
        sketch.Requested(name, {.bytes = random() % 2 * 100}, kNow);
        ++totals.hits;
        sketch.CountAll(totals);
    }
    if (i % 20'000 == 0) sketch.CheckInvariants();
    if (i == 150'000) sketch.SetRange(1'000'000);
  }
  sketch.CheckInvariants();
}

}  // namespace
}  // namespace aeris::storage
