#include "storage/score_tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "src/base/random.h"

namespace aeris::storage {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Members under references that use all 36 bits. What is freed is overwritten, so that a tree that
// still reads it is out of order.
class TestMembers final : public MemberTexts {
 public:
  std::string_view Text(Ref ref) const override { return texts_[Index(ref)]; }

  Ref Add(std::string text) {
    if (free_.empty()) {
      texts_.emplace_back();
      free_.push_back(texts_.size() | (texts_.size() % 16) << 32);
    }
    const Ref ref = free_.back();
    free_.pop_back();
    texts_[Index(ref)] = std::move(text);
    return ref;
  }
  void Remove(Ref ref) {
    texts_[Index(ref)] = "freed";
    free_.push_back(ref);
  }

 private:
  static std::size_t Index(Ref ref) { return static_cast<std::size_t>(ref & 0xFFFFFFFF) - 1; }
  std::vector<std::string> texts_;
  std::vector<Ref> free_;
};

using Key = std::pair<double, std::string>;

// A tree and the set that it should be.
class Pair {
 public:
  Pair() : tree_(members_) {}

  ScoreTree& tree() { return tree_; }
  const std::set<Key>& model() const { return model_; }
  TestMembers& members() { return members_; }

  void Insert(double score, const std::string& member) {
    if (!model_.emplace(score, member).second) return;
    tree_.Insert(score, member, members_.Add(member));
  }
  // By value: the key may be the model's own.
  void Erase(Key key) {
    ASSERT_EQ(model_.erase(key), 1U);
    const Ref ref = tree_.Erase(key.first, key.second);
    ASSERT_EQ(members_.Text(ref), key.second);
    members_.Remove(ref);
  }
  void SetScore(const Key& key, double score) {
    const auto old = model_.find(key);
    const auto previous = old == model_.begin() ? model_.end() : std::prev(old);
    const auto next = std::next(old);
    const Key moved(score, key.second);
    const bool stays =
        (previous == model_.end() || *previous < moved) && (next == model_.end() || moved < *next);
    model_.erase(old);
    if (!model_.insert(moved).second) {
      model_.insert(key);  // It is there with that score too.
      return;
    }
    ASSERT_EQ(tree_.SetScore(key.first, key.second, score), stays);
  }
  void ReplaceRef(const Key& key) {
    const Ref old = tree_.Find(key.first, key.second).ref();
    const Ref fresh = members_.Add(key.second);
    ASSERT_NE(old, fresh);
    tree_.ReplaceRef(key.first, key.second, fresh);
    members_.Remove(old);
    ASSERT_EQ(tree_.Find(key.first, key.second).ref(), fresh);
  }
  void EraseRange(std::size_t first, std::size_t count) {
    auto it = std::next(model_.begin(), static_cast<std::ptrdiff_t>(first));
    std::size_t visited = 0;
    tree_.EraseRange(first, count, [&](double score, Ref ref) {
      EXPECT_EQ(score, it->first);
      EXPECT_EQ(members_.Text(ref), it->second);
      members_.Remove(ref);
      it = model_.erase(it);
      ++visited;
    });
    ASSERT_EQ(visited, count);
  }

  void TakeRange(std::size_t first, std::size_t count) {
    const std::size_t bytes = tree_.memory_bytes();
    std::vector<ScoreTree> pieces;
    tree_.TakeRange(first, count, pieces);
    auto it = std::next(model_.begin(), static_cast<std::ptrdiff_t>(first));
    std::size_t taken = 0;
    std::size_t taken_bytes = 0;
    for (ScoreTree& piece : pieces) {
      ASSERT_GT(piece.size(), 0U);
      taken_bytes += piece.memory_bytes();
      piece.CheckInvariants();
      taken += piece.size();
      piece.EraseRange(0, piece.size(), [&](double score, Ref ref) {
        EXPECT_EQ(score, it->first);
        EXPECT_EQ(members_.Text(ref), it->second);
        members_.Remove(ref);
        it = model_.erase(it);
      });
      ASSERT_EQ(piece.memory_bytes(), 0U);
    }
    ASSERT_EQ(taken, count);
    // Two parts of leaves may have become leaves of their own.
    ASSERT_LE(tree_.memory_bytes() + taken_bytes, bytes + 3 * score_tree::kBlockBytes);
    tree_.CheckInvariants();
  }

  // Some element, found without a walk over the set.
  Key RandomKey(Random& random) const {
    const double top = model_.rbegin()->first;
    const std::string member = std::to_string(random.Below(20'000));
    const std::uint64_t rank = random.Below(model_.size());
    const double score = random.Below(8) == 0 ? top : tree_.At(rank).score();
    const auto it = model_.lower_bound({score, member});
    return it == model_.end() ? *model_.rbegin() : *it;
  }

  void ExpectAt(const ScoreTree::Position& position, std::set<Key>::const_iterator it) {
    const auto rank = static_cast<std::uint64_t>(std::distance(model_.begin(), it));
    ASSERT_EQ(position.rank(), rank);
    ASSERT_EQ(static_cast<bool>(position), it != model_.end());
    if (it == model_.end()) return;
    ASSERT_EQ(position.score(), it->first);
    ASSERT_EQ(members_.Text(position.ref()), it->second);
  }
  // Every question about a score and a member that may or may not be there.
  void ExpectAnswers(double score, const std::string& member) {
    const auto it = model_.lower_bound({score, member});
    ASSERT_NO_FATAL_FAILURE(ExpectAt(tree_.Find(score, member), it));
    const auto rank = static_cast<std::uint64_t>(std::distance(model_.begin(), it));
    ASSERT_EQ(tree_.Rank(score, member), rank);
    ASSERT_NO_FATAL_FAILURE(ExpectAt(tree_.At(rank), it));
    ASSERT_NO_FATAL_FAILURE(ExpectAt(tree_.LowerBound(score), model_.lower_bound({score, ""})));
    const double above = std::nextafter(score, kInfinity);
    ASSERT_NO_FATAL_FAILURE(
        ExpectAt(tree_.UpperBound(score),
                 score == kInfinity ? model_.end() : model_.lower_bound({above, ""})));
  }
  void ExpectSame() {
    ASSERT_EQ(tree_.size(), model_.size());
    auto position = tree_.At(0);
    for (auto it = model_.begin(); it != model_.end(); ++it, position.Next()) {
      ASSERT_TRUE(position);
      ASSERT_EQ(position.score(), it->first);
      ASSERT_EQ(members_.Text(position.ref()), it->second);
    }
    ASSERT_FALSE(position);
    ASSERT_EQ(position.rank(), model_.size());
    position = tree_.At(model_.size());
    for (auto it = model_.rbegin(); it != model_.rend(); ++it) {
      position.Previous();
      ASSERT_TRUE(position);
      ASSERT_EQ(position.score(), it->first);
      ASSERT_EQ(members_.Text(position.ref()), it->second);
    }
    tree_.CheckInvariants();
  }

 private:
  TestMembers members_;
  ScoreTree tree_;
  std::set<Key> model_;
};

std::string Number(std::uint64_t number) { return std::to_string(number); }

std::string Padded(std::uint64_t number) {
  std::string digits = std::to_string(number);
  return std::string(10 - digits.size(), '0') + digits;
}

// Scores of which many are equal, or all of which are.
double RandomScore(Random& random, std::uint64_t distinct) {
  const std::uint64_t number = random.Below(distinct + 3);
  if (number == distinct) return kInfinity;
  if (number == distinct + 1) return -kInfinity;
  if (number == distinct + 2) return -0.0;
  return (static_cast<double>(number) - static_cast<double>(distinct) / 2) / 4;
}

std::string RandomMember(Random& random) {
  std::string member = Number(random.Below(20'000));
  if (random.Below(10) == 0) member.push_back('\0');
  if (random.Below(10) == 0) member.push_back('\xFF');
  return member;
}

void ChangeSomething(Pair& pair, Random& random, std::uint64_t distinct, bool growing) {
  const std::uint64_t action = random.Below(100);
  const bool insert = pair.model().empty() || action < (growing ? 60U : 25U);
  if (insert) {
    pair.Insert(RandomScore(random, distinct), RandomMember(random));
  } else if (action < 85) {
    pair.Erase(pair.RandomKey(random));
  } else if (action < 92) {
    const Key key = pair.RandomKey(random);
    pair.SetScore(key, random.Below(2) == 0 ? RandomScore(random, distinct)
                                            : std::nextafter(key.first, 1000.0));
  } else if (action < 99) {
    pair.ReplaceRef(pair.RandomKey(random));
  } else {
    // Mostly a few elements, so that the tree grows all the same.
    const std::size_t first = random.Below(pair.model().size());
    const std::size_t few = random.Below(20) == 0 ? 300 : 4;
    const std::size_t count = random.Below(std::min(pair.model().size() - first, few) + 1);
    random.Below(2) == 0 ? pair.EraseRange(first, count) : pair.TakeRange(first, count);
  }
}

TEST(ScoreTree, IsTheSetThatTheSameChangesMake) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    Pair pair;
    const std::uint64_t distinct = std::uint64_t{1} << random.Below(14);
    for (int i = 0; i < 4000; ++i) {
      pair.Insert(RandomScore(random, distinct), RandomMember(random));
    }
    for (int step = 0; step < 12'000; ++step) {
      ASSERT_NO_FATAL_FAILURE(ChangeSomething(pair, random, distinct, step < 6000));
      if (step % 64 == 0) {
        ASSERT_NO_FATAL_FAILURE(
            pair.ExpectAnswers(RandomScore(random, distinct), RandomMember(random)));
      }
      if (step % 1000 == 0) {
        ASSERT_NO_FATAL_FAILURE(pair.ExpectSame());
      }
    }
    ASSERT_NO_FATAL_FAILURE(pair.ExpectSame());
  }
}

TEST(ScoreTree, AnswersAtTheInfinitiesAndBothZeros) {
  Pair pair;
  for (const double score : {-kInfinity, -1.0, -0.0, 1.0, kInfinity}) {
    for (int i = 0; i < 100; ++i) pair.Insert(score, Number(static_cast<std::uint64_t>(i)));
  }
  ASSERT_NO_FATAL_FAILURE(pair.ExpectSame());
  for (const double score : {-kInfinity, -1.0, -0.0, 0.0, 1.0, kInfinity, 0.5}) {
    ASSERT_NO_FATAL_FAILURE(pair.ExpectAnswers(score, "50"));
    ASSERT_NO_FATAL_FAILURE(pair.ExpectAnswers(score, ""));
    ASSERT_NO_FATAL_FAILURE(pair.ExpectAnswers(score, "\xFF"));
  }
  EXPECT_EQ(pair.tree().UpperBound(0.0).rank() - pair.tree().LowerBound(0.0).rank(), 100U);
  EXPECT_EQ(pair.tree().LowerBound(-kInfinity).rank(), 0U);
  EXPECT_EQ(pair.tree().UpperBound(kInfinity).rank(), 500U);
}

TEST(ScoreTree, OrdersMembersAsBytesAndPrefixesFirst) {
  Pair pair;
  const std::string members[] = {
      "", std::string(1, '\0'), "a", std::string("a\0", 2), "aa", "b", "\x80", "\xFF"};
  for (auto it = std::rbegin(members); it != std::rend(members); ++it) pair.Insert(1, *it);
  for (std::size_t i = 0; i < std::size(members); ++i) {
    EXPECT_EQ(pair.tree().Rank(1, members[i]), i);
    EXPECT_EQ(pair.tree().LowerBound(std::string_view(members[i])).rank(), i);
    EXPECT_EQ(pair.tree().UpperBound(std::string_view(members[i])).rank(), i + 1);
  }
}

TEST(ScoreTree, FindsLexicographicBoundsAmongEqualScores) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    Pair pair;
    for (int i = 0; i < 10'000; ++i) pair.Insert(0, RandomMember(random));
    pair.tree().CheckInvariants();
    for (int i = 0; i < 500; ++i) {
      const std::string member = RandomMember(random);
      ASSERT_NO_FATAL_FAILURE(pair.ExpectAt(pair.tree().LowerBound(std::string_view(member)),
                                            pair.model().lower_bound({0, member})));
      ASSERT_NO_FATAL_FAILURE(pair.ExpectAt(pair.tree().UpperBound(std::string_view(member)),
                                            pair.model().upper_bound({0, member})));
    }
  }
}

TEST(ScoreTree, AnswersLexicographicBoundsOfMixedScoresWithSomePosition) {
  Random random(5);
  Pair pair;
  for (int i = 0; i < 3000; ++i) pair.Insert(RandomScore(random, 50), RandomMember(random));
  for (int i = 0; i < 500; ++i) {
    const auto position = pair.tree().LowerBound(std::string_view(RandomMember(random)));
    ASSERT_LE(position.rank(), pair.tree().size());
    ASSERT_EQ(static_cast<bool>(position), position.rank() < pair.tree().size());
  }
}

enum class Order { kAscending, kDescending, kRandom };

std::vector<std::uint64_t> Numbers(std::size_t count, Order order) {
  std::vector<std::uint64_t> numbers(count);
  for (std::size_t i = 0; i < count; ++i) {
    numbers[i] = order == Order::kDescending ? count - 1 - i : i;
  }
  if (order != Order::kRandom) return numbers;
  Random random(1);
  for (std::size_t i = count; i > 1; --i) std::swap(numbers[i - 1], numbers[random.Below(i)]);
  return numbers;
}

// To as many elements and back to none, with 8 elements of every score.
TEST(ScoreTree, GrowsAndShrinksInEveryOrder) {
  for (const Order grow : {Order::kAscending, Order::kDescending, Order::kRandom}) {
    for (const Order shrink : {Order::kAscending, Order::kDescending, Order::kRandom}) {
      const bool random = grow == Order::kRandom && shrink == Order::kRandom;
      const std::size_t count = random ? 200'000 : 30'000;
      TestMembers members;
      ScoreTree tree(members);
      const auto score = [](std::uint64_t number) { return static_cast<double>(number / 8); };
      std::size_t step = 0;
      for (const std::uint64_t number : Numbers(count, grow)) {
        const std::string member = Padded(number);
        tree.Insert(score(number), member, members.Add(member));
        if (++step % 10'000 == 0) tree.CheckInvariants();
      }
      ASSERT_EQ(tree.size(), count);
      const double per_element =
          static_cast<double>(tree.memory_bytes()) / static_cast<double>(count);
      EXPECT_LE(per_element, grow == Order::kRandom ? 18.0 : 14.5);
      for (std::uint64_t number = 0; number < count; number += 999) {
        ASSERT_EQ(tree.Rank(score(number), Padded(number)), number);
        ASSERT_EQ(members.Text(tree.At(number).ref()), Padded(number));
      }
      for (const std::uint64_t number : Numbers(count, shrink)) {
        members.Remove(tree.Erase(score(number), Padded(number)));
        if (++step % 10'000 == 0) {
          tree.CheckInvariants();
          ASSERT_LE(tree.memory_bytes(), tree.size() * 33);
        }
      }
      ASSERT_EQ(tree.size(), 0U);
      ASSERT_EQ(tree.memory_bytes(), 0U);
    }
  }
}

TEST(ScoreTree, BuildsNearlyFullNodesFromSortedElements) {
  for (const std::size_t count : {0UL, 1UL, 7UL, 8UL, 72UL, 73UL, 77UL, 145UL, 2000UL, 2100UL,
                                  61'000UL, 62'000UL, 200'000UL}) {
    SCOPED_TRACE(testing::Message() << count << " elements");
    TestMembers members;
    ScoreTree tree(members);
    tree.Insert(7, "gone", members.Add("gone"));
    std::vector<ScoreTree::Element> sorted(count);
    for (std::size_t i = 0; i < count; ++i) {
      sorted[i] = {.score = static_cast<double>(i / 3), .ref = members.Add(Padded(i))};
    }
    tree.Build(sorted);
    tree.CheckInvariants();
    ASSERT_EQ(tree.size(), count);
    for (std::size_t i = 0; i < count; i += 97) ASSERT_EQ(tree.At(i).ref(), sorted[i].ref);
    if (count > 10'000) {
      EXPECT_LE(tree.memory_bytes(), count * 15);
    }
    // And it takes changes.
    for (std::size_t i = 0; i < count; i += 2) {
      tree.Insert(static_cast<double>(i / 3), Padded(i) + "x", members.Add(Padded(i) + "x"));
    }
    tree.CheckInvariants();
    for (std::size_t i = 0; i < count; ++i) tree.Erase(static_cast<double>(i / 3), Padded(i));
    tree.CheckInvariants();
    ASSERT_EQ(tree.size(), (count + 1) / 2);
  }
}

TEST(ScoreTree, ErasesRangesOfEverySize) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    Pair pair;
    for (int round = 0; round < 60; ++round) {
      while (pair.model().size() < 6000) {
        pair.Insert(RandomScore(random, 100), RandomMember(random));
      }
      const std::size_t first = random.Below(3) == 0 ? 0 : random.Below(6001);
      const std::size_t count =
          random.Below(3) == 0 ? 6000 - first : random.Below(6000 - first + 1);
      ASSERT_NO_FATAL_FAILURE(pair.EraseRange(first, count));
      ASSERT_NO_FATAL_FAILURE(pair.ExpectSame());
    }
    ASSERT_NO_FATAL_FAILURE(pair.EraseRange(0, pair.model().size()));
    EXPECT_EQ(pair.tree().memory_bytes(), 0U);
  }
}

TEST(ScoreTree, RangesOfEverySizeLeaveAsTrees) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    Pair pair;
    for (int round = 0; round < 60; ++round) {
      // Four levels in some rounds.
      const std::size_t size = round % 8 == 0 ? 60'000 : 6000;
      for (std::size_t i = 0; pair.model().size() < size; ++i) {
        pair.Insert(RandomScore(random, 100), Number(i) + RandomMember(random));
      }
      const std::size_t all = pair.model().size();
      const std::size_t first = random.Below(3) == 0 ? 0 : random.Below(all + 1);
      const std::size_t count = random.Below(3) == 0 ? all - first : random.Below(all - first + 1);
      ASSERT_NO_FATAL_FAILURE(pair.TakeRange(first, count));
      ASSERT_NO_FATAL_FAILURE(pair.ExpectSame());
    }
    ASSERT_NO_FATAL_FAILURE(pair.TakeRange(0, pair.model().size()));
    EXPECT_EQ(pair.tree().memory_bytes(), 0U);
  }
}

TEST(ScoreTree, AQueueKeepsItsMemoryAndInvariants) {
  TestMembers members;
  ScoreTree tree(members);
  const auto push = [&](std::uint64_t number) {
    tree.Insert(static_cast<double>(number), Number(number), members.Add(Number(number)));
  };
  for (std::uint64_t i = 0; i < 5000; ++i) push(i);
  const std::size_t before = tree.memory_bytes();
  for (std::uint64_t i = 5000; i < 100'000; ++i) {
    push(i);
    members.Remove(tree.Erase(static_cast<double>(i - 5000), Number(i - 5000)));
    if (i % 5000 == 0) tree.CheckInvariants();
  }
  EXPECT_LE(tree.memory_bytes(), before + 8 * 1024);
}

// A stack that goes up and down over the end of a leaf.
TEST(ScoreTree, KeepsItsInvariantsWhileTheLastElementsComeAndGo) {
  Random random(9);
  Pair pair;
  std::uint64_t top = 0;
  for (; top < 2400; ++top) pair.Insert(static_cast<double>(top), "m");
  for (int round = 0; round < 300; ++round) {
    for (std::uint64_t n = random.Below(120); n > 0; --n) {
      pair.Insert(static_cast<double>(top++), "m");
    }
    for (std::uint64_t n = random.Below(120); n > 0 && top > 0; --n) {
      pair.Erase({static_cast<double>(--top), "m"});
    }
    pair.tree().CheckInvariants();
  }
  ASSERT_NO_FATAL_FAILURE(pair.ExpectSame());
}

TEST(ScoreTree, ASmallSetTakesASmallBlock) {
  Pair pair;
  EXPECT_EQ(pair.tree().memory_bytes(), 0U);
  EXPECT_FALSE(pair.tree().At(0));
  EXPECT_FALSE(pair.tree().LowerBound(0.0));
  EXPECT_EQ(pair.tree().Rank(0, "m"), 0U);
  pair.Insert(1, "m");
  EXPECT_EQ(pair.tree().memory_bytes(), 128U);
  for (int i = 0; i < 128; ++i) pair.Insert(i, "n");
  EXPECT_LE(pair.tree().memory_bytes(), 129U * 18);
  while (pair.model().size() > 1) pair.Erase(*pair.model().begin());
  EXPECT_EQ(pair.tree().memory_bytes(), 128U);
  pair.tree().CheckInvariants();
  pair.tree().Clear();
  EXPECT_EQ(pair.tree().size(), 0U);
  EXPECT_EQ(pair.tree().memory_bytes(), 0U);
}

TEST(ScoreTree, LooksAheadOverTheNextLeafAndBack) {
  Pair pair;
  for (int i = 0; i < 1000; ++i) pair.Insert(i, Number(static_cast<std::uint64_t>(i)));
  const auto last = static_cast<std::ptrdiff_t>(pair.tree().size()) - 1;
  for (auto position = pair.tree().At(0); position; position.Next()) {
    const auto rank = static_cast<std::ptrdiff_t>(position.rank());
    for (const std::ptrdiff_t distance : {-16, -1, 0, 1, 16}) {
      const std::ptrdiff_t ahead = rank + distance;
      const Ref ref = position.Ahead(distance);
      if (ahead < 0 || ahead > last) {
        ASSERT_EQ(ref, 0U);
      } else if (ref != 0 || std::abs(distance) <= 1) {
        ASSERT_EQ(ref, pair.tree().At(static_cast<std::uint64_t>(ahead)).ref());
      }
    }
  }
}

// With scores that differ, only the element that is asked for is read.
class CountingMembers final : public MemberTexts {
 public:
  std::string_view Text(Ref /*ref*/) const override {
    ++reads;
    return "m";
  }
  mutable std::uint64_t reads = 0;
};

TEST(ScoreTree, ReadsNoMemberWhereScoresDiffer) {
  CountingMembers members;
  ScoreTree tree(members);
  for (std::uint64_t i = 0; i < 10'000; ++i) tree.Insert(static_cast<double>(i), "m", i + 1);
  EXPECT_EQ(tree.LowerBound(500.0).rank(), 500U);
  EXPECT_EQ(tree.UpperBound(500.0).rank(), 501U);
  EXPECT_EQ(tree.At(700).score(), 700);
  tree.EraseRange(100, 1000, [](double, Ref) {});
  EXPECT_EQ(members.reads, 0U);
  EXPECT_EQ(tree.Rank(5001, "m"), 4001U);
  EXPECT_LE(members.reads, 4U);
}

}  // namespace
}  // namespace aeris::storage
