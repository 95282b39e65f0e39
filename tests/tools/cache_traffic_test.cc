#include "tools/load_generator/cache_traffic.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include "tools/load_generator/zipf_distribution.h"

namespace aeris::load {
namespace {

std::vector<CacheRequest> Take(CacheTraffic traffic, std::size_t count) {
  std::vector<CacheRequest> requests(count);
  for (CacheRequest& request : requests) request = traffic.Next();
  return requests;
}

std::vector<std::uint64_t> Keys(const std::vector<CacheRequest>& requests) {
  std::vector<std::uint64_t> keys;
  for (const CacheRequest& request : requests) keys.push_back(request.key);
  return keys;
}

// Pearson's test: the sum is about the number of classes, give or take the root of twice that.
TEST(ZipfDistribution, DrawsEachRankInProportionToItsWeight) {
  constexpr std::size_t kRanks = 1000;
  constexpr std::size_t kDraws = 1'000'000;
  for (const double exponent : {0.3, 0.8, 1.0, 1.2, 2.5}) {
    const ZipfDistribution ranks(kRanks, exponent);
    Xoshiro random(5);
    std::vector<double> drawn(kRanks + 1);
    for (std::size_t i = 0; i < kDraws; ++i) ++drawn.at(ranks.Draw(random));
    EXPECT_EQ(drawn[0], 0);

    double total = 0;
    for (std::size_t rank = 1; rank <= kRanks; ++rank) {
      total += std::pow(static_cast<double>(rank), -exponent);
    }
    double sum = 0;
    double classes = 0;
    double expected = 0;
    double found = 0;
    for (std::size_t rank = 1; rank <= kRanks; ++rank) {
      expected += kDraws * std::pow(static_cast<double>(rank), -exponent) / total;
      found += drawn[rank];
      if (expected < 20 && rank != kRanks) continue;  // rare ranks are taken together
      sum += (found - expected) * (found - expected) / expected;
      ++classes;
      expected = found = 0;
    }
    EXPECT_LT(sum, classes + 5 * std::sqrt(2 * classes)) << exponent;
  }
}

TEST(ZipfDistribution, DrawsEveryRankOfFew) {
  for (const std::uint64_t count : {1U, 2U, 3U}) {
    const ZipfDistribution ranks(count, 1.0);
    Xoshiro random(1);
    std::set<std::uint64_t> drawn;
    for (int i = 0; i < 1000; ++i) drawn.insert(ranks.Draw(random));
    EXPECT_EQ(drawn.size(), count);
    EXPECT_EQ(*drawn.begin(), 1U);
    EXPECT_EQ(*drawn.rbegin(), count);
  }
}

TEST(CacheTraffic, IsTheSeedsAlone) {
  Options options{.keys = 1000, .drift = 3, .scan_period = 50, .scan_keys = 5, .seed = 9};
  const std::vector<std::uint64_t> keys = Keys(Take(CacheTraffic(options), 5000));
  const std::vector<std::uint32_t> order = CacheTraffic(options).FillOrder();
  EXPECT_EQ(Keys(Take(CacheTraffic(options), 5000)), keys);
  EXPECT_EQ(CacheTraffic(options).FillOrder(), order);
  options.seed = 10;
  EXPECT_NE(Keys(Take(CacheTraffic(options), 5000)), keys);
  EXPECT_NE(CacheTraffic(options).FillOrder(), order);
}

TEST(CacheTraffic, ScansComeByAtTheirTimesAndAskForEachKeyOnce) {
  const CacheTraffic traffic({.keys = 100, .scan_period = 10, .scan_keys = 3});
  const std::vector<CacheRequest> requests = Take(traffic, 13 * 40);
  std::uint64_t next = 100;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    EXPECT_EQ(requests[i].one_time, i % 13 >= 10) << i;
    if (requests[i].one_time) {
      EXPECT_EQ(requests[i].key, next++);
    } else {
      EXPECT_LT(requests[i].key, 100U);
    }
  }
}

TEST(CacheTraffic, ScansDoNotChangeTheOtherRequests) {
  std::vector<CacheRequest> scanned =
      Take(CacheTraffic({.keys = 100, .drift = 7, .scan_period = 10, .scan_keys = 3}), 1300);
  std::erase_if(scanned, [](const CacheRequest& request) { return request.one_time; });
  EXPECT_EQ(Keys(scanned), Keys(Take(CacheTraffic({.keys = 100, .drift = 7}), 1000)));
}

TEST(CacheTraffic, DriftTakesPopularityFromOneKeyToAnother) {
  const auto share_of_first = [](const std::vector<CacheRequest>& requests, std::size_t begin) {
    const auto count = std::count_if(requests.begin() + static_cast<std::ptrdiff_t>(begin),
                                     requests.end(), [](const auto& r) { return r.key == 0; });
    return static_cast<double>(count) / static_cast<double>(requests.size() - begin);
  };
  // Of a hundred keys the most popular one has 19 in a hundred requests, one of any place has 1.
  EXPECT_NEAR(share_of_first(Take(CacheTraffic({.keys = 100}), 50'000), 0), 0.193, 0.01);
  const auto drifting = Take(CacheTraffic({.keys = 100, .drift = 10}), 50'000);
  EXPECT_LT(share_of_first(drifting, 5'000), 0.05);
  EXPECT_LT(std::ranges::max(Keys(drifting)), 100U);
  const std::vector<std::uint64_t> keys = Keys(drifting);
  EXPECT_EQ(std::set(keys.begin(), keys.end()).size(), 100U);
}

TEST(CacheTraffic, FillsEachKeyOnceAndPopularOnesLate) {
  const std::vector<std::uint32_t> order = CacheTraffic({.keys = 10'000}).FillOrder();
  std::vector<std::size_t> place(10'000, 0);
  std::set<std::uint32_t> keys;
  for (std::size_t i = 0; i < order.size(); ++i) {
    keys.insert(order[i]);
    place.at(order[i]) = i;
  }
  EXPECT_EQ(keys.size(), 10'000U);
  EXPECT_GT(place[0], 9'900U);
  double popular = 0;
  double others = 0;
  for (std::size_t key = 0; key < 100; ++key) {
    popular += static_cast<double>(place[key]) / 100;
    others += static_cast<double>(place[9'900 + key]) / 100;
  }
  EXPECT_GT(popular, 9'500);
  EXPECT_LT(others, 5'500);
}

TEST(CacheTraffic, SizesAreAPropertyOfTheKey) {
  const CacheTraffic traffic({.value_bytes = 16, .value_bytes_max = 4096, .seed = 1});
  const CacheTraffic other({.value_bytes = 16, .value_bytes_max = 4096, .seed = 2});
  std::vector<std::size_t> sizes;
  for (std::uint64_t key = 0; key < 20'000; ++key) {
    sizes.push_back(traffic.ValueBytes(key));
    EXPECT_EQ(other.ValueBytes(key), sizes.back());
  }
  std::ranges::sort(sizes);
  EXPECT_GE(sizes.front(), 16U);
  EXPECT_LE(sizes.back(), 4096U);
  // Of a normal distribution, the median and the places one deviation below and above it.
  EXPECT_NEAR(static_cast<double>(sizes[10'000]), 256, 10);
  EXPECT_NEAR(static_cast<double>(sizes[3'173]), 94, 5);
  EXPECT_NEAR(static_cast<double>(sizes[16'827]), 696, 30);
}

TEST(CacheTraffic, SizesAreAllTheSameWithoutARange) {
  for (const std::size_t max : {0U, 64U}) {
    const CacheTraffic traffic({.value_bytes = 64, .value_bytes_max = max});
    for (std::uint64_t key = 0; key < 100; ++key) EXPECT_EQ(traffic.ValueBytes(key), 64U);
  }
}

}  // namespace
}  // namespace aeris::load
