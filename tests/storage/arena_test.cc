#include "storage/arena.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <random>
#include <set>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace aeris::storage {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

TEST(SizeClass, HoldsEverySizeWithLittleSlack) {
  for (std::size_t bytes = 1; bytes <= Arena::kSlotBytesMax; ++bytes) {
    const std::size_t size_class = SizeClass::Of(bytes);
    ASSERT_LT(size_class, SizeClass::kCount);
    const std::size_t slot = SizeClass::Bytes(size_class);
    ASSERT_GE(slot, bytes);
    ASSERT_LE(slot - bytes, bytes <= 256 ? 3 : bytes <= 512 ? 7 : bytes / 8) << bytes;
    if (size_class > 0) {
      ASSERT_LT(SizeClass::Bytes(size_class - 1), bytes);
    }
    ASSERT_EQ(slot % Arena::kGranuleBytes, 0u);
  }
}

TEST(Arena, CostsNothingBeforeFirstAllocation) {
  const Arena arena;
  EXPECT_EQ(arena.reserved_bytes(), 0u);
  EXPECT_EQ(arena.bytes_held(), 0u);
  EXPECT_EQ(arena.bytes_in_use(), 0u);
  arena.CheckInvariants();
}

TEST(Arena, ReservesAddressesOnlyForWhatTheMachineCanHold) {
  Arena arena;
  arena.Free(arena.Allocate(10));
  EXPECT_GE(arena.reserved_bytes(), 256 * kMiB);
  EXPECT_LE(arena.reserved_bytes(), Arena::kReserveBytesMax);
  EXPECT_LE(arena.bytes_held(), 4096u);
}

TEST(Arena, GivesReferencesThatTableCanStore) {
  Arena arena;
  for (std::size_t bytes = 1; bytes <= Arena::kSlotBytesMax; bytes += 97) {
    const Ref ref = arena.Allocate(bytes);
    EXPECT_NE(static_cast<std::uint32_t>(ref), 0u);
    EXPECT_EQ(ref >> 36, 0u);
    EXPECT_EQ(arena.RefOf(arena.At(ref)), ref);
    EXPECT_EQ(arena.SlotBytes(ref), SizeClass::Bytes(SizeClass::Of(bytes)));
    EXPECT_TRUE(arena.Contains(arena.At(ref)));
  }
  arena.CheckInvariants();
}

TEST(Arena, UsesWholeRangeOfTinyReserve) {
  Arena arena({.reserve_bytes = kMiB});
  // Sixteen pages, one of them for headers.
  std::vector<Ref> refs;
  for (int i = 0; i < 15 * 8; ++i) refs.push_back(arena.Allocate(Arena::kSlotBytesMax));
  EXPECT_EQ(arena.bytes_in_use(), 15 * Arena::kPageBytes);
  EXPECT_EQ(arena.bytes_held(), 15 * Arena::kPageBytes);
  arena.CheckInvariants();
  for (const Ref ref : refs) arena.Free(ref);
  arena.CheckInvariants();
  EXPECT_EQ(arena.bytes_in_use(), 0u);
}

TEST(Arena, GivesNoSlotWhenRangeIsUsedUp) {
  Arena arena({.reserve_bytes = kMiB});
  std::vector<Ref> refs;
  for (int i = 0; i < 15 * 8; ++i) refs.push_back(arena.Allocate(Arena::kSlotBytesMax));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(arena.Allocate(Arena::kSlotBytesMax), 0u);
  EXPECT_EQ(arena.Allocate(10), 0u);
  arena.CheckInvariants();
  // What becomes free serves again, a whole page any class.
  arena.Free(refs.back());
  EXPECT_EQ(arena.Allocate(Arena::kSlotBytesMax), refs.back());
  for (std::size_t i = 0; i < 8; ++i) arena.Free(refs[i]);
  EXPECT_NE(arena.Allocate(10), 0u);
  EXPECT_EQ(arena.Allocate(Arena::kSlotBytesMax), 0u);
  arena.CheckInvariants();
}

TEST(Arena, GivesEmptyPagesBackToKernelAndToOtherClasses) {
  Arena arena({.reserve_pages = 2});
  std::vector<Ref> refs;
  for (int i = 0; i < 100 * 64; ++i) {
    refs.push_back(arena.Allocate(1000));
    std::memset(arena.At(refs.back()), 'x', 1000);
  }
  const std::size_t held = arena.bytes_held();
  EXPECT_GT(held, 99 * Arena::kPageBytes);
  for (const Ref ref : refs) arena.Free(ref);
  EXPECT_LE(arena.bytes_held(), 6 * Arena::kPageBytes);
  arena.CheckInvariants();
  // The same memory serves another class; the range does not get longer.
  refs.clear();
  for (int i = 0; i < 100 * 16; ++i) refs.push_back(arena.Allocate(4096));
  for (const Ref ref : refs) EXPECT_LT(Arena::PageOf(ref), 110u + Arena::PageOf(refs.back()));
  EXPECT_LE(arena.bytes_held(), held + Arena::kPageBytes);
  arena.CheckInvariants();
}

TEST(Arena, NamesBlocksThatAreInUseAsAWhole) {
  Arena arena;
  EXPECT_EQ(arena.blocks(), 0u);
  constexpr std::size_t kBytes = 1000;
  std::vector<Ref> refs;
  while (arena.blocks() < 3) refs.push_back(arena.Allocate(kBytes));
  // All but the page that is being filled, which no block before the last holds.
  for (std::size_t i = 0; i < 2; ++i) {
    const std::span<std::byte> block = arena.FullBlock(i);
    ASSERT_EQ(block.size(), HugePage::kBytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block.data()) % HugePage::kBytes, 0u);
    EXPECT_TRUE(arena.Contains(block.data()));
    EXPECT_TRUE(arena.Contains(block.data() + block.size() - 1));
  }
  EXPECT_EQ(arena.FullBlock(0).data() + HugePage::kBytes, arena.FullBlock(1).data());
  // A page without a slot in use is not: its memory may be given back any time.
  const std::byte* const begin = arena.FullBlock(1).data();
  std::erase_if(refs, [&](Ref ref) {
    const bool in_first_page = arena.At(ref) >= begin && arena.At(ref) < begin + 64 * 1024;
    if (in_first_page) arena.Free(ref);
    return in_first_page;
  });
  EXPECT_TRUE(arena.FullBlock(1).empty());
  EXPECT_FALSE(arena.FullBlock(0).empty());
  for (const Ref ref : refs) arena.Free(ref);
  EXPECT_TRUE(arena.FullBlock(0).empty());
  arena.CheckInvariants();
}

TEST(Arena, FillsFullPagesBeforeSparseOnes) {
  Arena arena;
  constexpr std::size_t kSlots = Arena::kPageBytes / 64;
  std::vector<Ref> refs;
  for (std::size_t i = 0; i < 4 * kSlots; ++i) refs.push_back(arena.Allocate(64));
  const std::size_t sparse = Arena::PageOf(refs[0]);
  const std::size_t fuller = Arena::PageOf(refs[kSlots]);
  for (std::size_t i = 1; i < kSlots; ++i) arena.Free(refs[i]);       // leaves one
  for (std::size_t i = 0; i < 10; ++i) arena.Free(refs[kSlots + i]);  // takes ten
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Arena::PageOf(arena.Allocate(64)), fuller);
  EXPECT_EQ(arena.InfoOf(sparse).used, 1u);
  std::size_t pages = 0, used = 0;
  arena.VisitPages([&](const Arena::PageInfo& info) {
    ++pages;
    used += info.used;
    EXPECT_EQ(info.slots, kSlots);
  });
  EXPECT_EQ(pages, 4u);
  EXPECT_EQ(used, 3 * kSlots + 1);
}

TEST(Arena, HandsOutWhatIsInUseOfSparsePages) {
  for (const std::size_t bytes : {4u, 12u, 52u, 500u, 3000u, 8192u}) {
    SCOPED_TRACE(bytes);
    Arena arena({.reserve_pages = 0});
    const std::size_t pages = bytes < 50 ? 3 : 10;
    const std::size_t slots = pages * (Arena::kPageBytes / SizeClass::Bytes(SizeClass::Of(bytes)));
    std::vector<Ref> refs;
    for (std::size_t i = 0; i < slots; ++i) refs.push_back(arena.Allocate(bytes));
    std::vector<Ref> moved(61);
    EXPECT_EQ(arena.SlotsToMove(moved), 0u);  // nothing to gain
    std::mt19937_64 engine(bytes);
    std::shuffle(refs.begin(), refs.end(), engine);
    for (std::size_t i = 0; i < slots * 3 / 4; ++i) {
      arena.Free(refs.back());
      refs.pop_back();
    }
    std::set<Ref> live(refs.begin(), refs.end());
    while (const std::size_t count = arena.SlotsToMove(moved)) {
      for (std::size_t i = 0; i < count; ++i) {
        ASSERT_EQ(live.erase(moved[i]), 1u) << "not a slot in use";
        const Ref to = arena.Allocate(bytes);
        ASSERT_NE(Arena::PageOf(to), Arena::PageOf(moved[i]));
        live.insert(to);
        arena.Free(moved[i]);
        // Others leave meanwhile.
        if (engine() % 8 == 0) {
          const Ref leaves = *live.begin();
          if (std::find(moved.begin() + static_cast<std::ptrdiff_t>(i),
                        moved.begin() + static_cast<std::ptrdiff_t>(count),
                        leaves) == moved.begin() + static_cast<std::ptrdiff_t>(count)) {
            live.erase(leaves);
            arena.Free(leaves);
          }
        }
      }
      arena.CheckInvariants();
    }
    const std::size_t least = live.size() * SizeClass::Bytes(SizeClass::Of(bytes));
    EXPECT_EQ(arena.bytes_in_use(), least);
    EXPECT_LE(arena.bytes_held(), least + least / 16 + 2 * Arena::kPageBytes);
  }
}

// Who has pages with few slots in use emptied pays for the search as well.
TEST(Arena, CountsTheSlotsThatItLooksThrough) {
  constexpr std::size_t kBytes = 52;
  constexpr std::size_t kSlots = Arena::kPageBytes / kBytes;
  Arena arena;
  std::vector<Ref> refs;
  for (std::size_t i = 0; i < 8 * kSlots; ++i) refs.push_back(arena.Allocate(kBytes));
  // Two of each page stay.
  for (std::size_t i = 0; i < refs.size(); ++i) {
    if (i % kSlots > 1) arena.Free(refs[i]);
  }
  std::vector<Ref> one(1);
  for (std::size_t begun = 1; begun <= 4; ++begun) {
    for (int i = 0; i < 2; ++i) {
      ASSERT_EQ(arena.SlotsToMove(one), 1u);
      EXPECT_EQ(arena.slots_searched(), begun * kSlots);
      ASSERT_NE(arena.Allocate(kBytes), 0u);
      arena.Free(one[0]);
    }
  }
  arena.CheckInvariants();
}

TEST(Arena, UsesThePageAgainWhoseEmptyingStops) {
  Arena arena;
  std::vector<Ref> refs;
  for (int i = 0; i < 64; ++i) refs.push_back(arena.Allocate(4096));
  for (std::size_t i = 0; i < 64; i += 2) arena.Free(refs[i]);
  std::vector<Ref> some(2);
  ASSERT_EQ(arena.SlotsToMove(some), 2u);
  arena.StopEmptying();
  arena.StopEmptying();
  arena.CheckInvariants();
  for (std::size_t i = 0; i < 64; i += 2) {
    EXPECT_LE(Arena::PageOf(arena.Allocate(4096)), Arena::PageOf(refs.back()));
  }
  arena.CheckInvariants();
}

TEST(Arena, ReturnsPagesThatAReserveForMoreKept) {
  Arena arena({.reserve_pages = 2});
  std::vector<Ref> refs;
  for (int i = 0; i < 512 * 8; ++i) refs.push_back(arena.Allocate(8192));
  // The first pages to become empty stay, as long as there are many others.
  while (refs.size() > 8) {
    arena.Free(refs.back());
    refs.pop_back();
  }
  EXPECT_GE(arena.bytes_held(), 5 * Arena::kPageBytes);
  EXPECT_TRUE(arena.ReturnPages(1));
  EXPECT_FALSE(arena.ReturnPages(100));
  EXPECT_EQ(arena.bytes_held(), 3 * Arena::kPageBytes);
  arena.CheckInvariants();
  arena.Free(refs[0]);
}

// Random allocations and frees against a map of what every slot should hold.
TEST(Arena, KeepsContentsApartUnderRandomUse) {
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937_64 engine(seed);
    Arena arena({.reserve_bytes = 64 * kMiB, .reserve_pages = 1});
    std::map<Ref, std::pair<std::size_t, unsigned char>> live;
    std::size_t in_use = 0;
    for (int step = 0; step < 30'000; ++step) {
      const bool filling = step / 5'000 % 2 == 0;
      if (live.empty() || engine() % 8 < (filling ? 6u : 2u)) {
        const std::size_t bytes = 1 + engine() % (engine() % 16 == 0 ? 8192 : 300);
        const auto mark = static_cast<unsigned char>(engine());
        const Ref ref = arena.Allocate(bytes);
        std::memset(arena.At(ref), mark, bytes);
        ASSERT_TRUE(live.emplace(ref, std::pair(bytes, mark)).second);
        in_use += SizeClass::Bytes(SizeClass::Of(bytes));
      } else {
        auto victim = live.lower_bound(engine() % live.rbegin()->first);
        const auto [ref, content] = *victim;
        const std::byte* const slot = arena.At(ref);
        ASSERT_EQ(std::count(slot, slot + content.first, std::byte{content.second}),
                  static_cast<std::ptrdiff_t>(content.first));
        in_use -= SizeClass::Bytes(SizeClass::Of(content.first));
        arena.Free(ref);
        live.erase(victim);
      }
      ASSERT_EQ(arena.bytes_in_use(), in_use);
      if (step % 5'000 == 0) arena.CheckInvariants();
    }
    for (const auto& [ref, content] : live) arena.Free(ref);
    arena.CheckInvariants();
    EXPECT_EQ(arena.bytes_in_use(), 0u);
    EXPECT_LE(arena.bytes_held(), 2 * Arena::kPageBytes);
  }
}

#if defined(__SANITIZE_ADDRESS__)
TEST(Arena, PoisonsFreedSlots) {
  Arena arena;
  const Ref kept = arena.Allocate(64);
  const Ref freed = arena.Allocate(64);
  EXPECT_FALSE(__asan_address_is_poisoned(arena.At(freed)));
  EXPECT_TRUE(__asan_address_is_poisoned(arena.At(freed) + 64));
  arena.Free(freed);
  EXPECT_TRUE(__asan_address_is_poisoned(arena.At(freed)));
  EXPECT_FALSE(__asan_address_is_poisoned(arena.At(kept)));
}
#endif

}  // namespace
}  // namespace aeris::storage
