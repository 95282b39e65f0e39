#include "storage/bucket.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "src/base/random.h"

namespace aeris::storage {
namespace {

TEST(Bucket, KeepsItsFieldsApart) {
  Random random(51);
  alignas(64) std::byte bytes[sizeof(Bucket)] = {};
  Bucket& bucket = *reinterpret_cast<Bucket*>(bytes);
  struct Fields {
    std::uint8_t fingerprint = 0;
    Ref ref = 0;
    bool displaced = false;
    bool filed = false;
    unsigned policy = 0;
  };
  std::vector<Fields> expected(Bucket::kSlots);
  unsigned spill = 0;
  for (int step = 0; step < 100'000; ++step) {
    const auto slot = static_cast<unsigned>(random.Below(Bucket::kSlots));
    Fields& fields = expected[slot];
    if (fields.ref == 0) {
      fields = {.fingerprint = static_cast<std::uint8_t>(random.Below(8)),
                .ref = (random.Next() >> (64 - kRefBits)) | 1,
                .displaced = random.Below(2) == 0};
      bucket.Put(slot, fields.fingerprint, fields.ref, fields.displaced);
    } else {
      switch (random.Below(4)) {
        case 0:
          bucket.Clear(slot);
          fields = {.fingerprint = fields.fingerprint};
          break;
        case 1:
          bucket.SetRef(slot, fields.ref = (random.Next() >> (64 - kRefBits)) | 1);
          break;
        case 2:
          bucket.SetPolicy(slot, fields.policy = static_cast<unsigned>(random.Below(16)));
          break;
        default:
          bucket.SetFiled(slot, fields.filed = random.Below(2) == 0);
      }
    }
    if (step / 3000 % 2 == 0) {
      bucket.AddSpill();
      ++spill;
    } else if (spill > 0) {
      bucket.RemoveSpill();
      --spill;
    }
    ASSERT_EQ(bucket.spill(), spill);
    for (unsigned i = 0; i < Bucket::kSlots; ++i) {
      ASSERT_EQ(bucket.ref(i), expected[i].ref);
      ASSERT_EQ(bucket.displaced(i), expected[i].displaced);
      ASSERT_EQ(bucket.filed(i), expected[i].filed);
      ASSERT_EQ(bucket.policy(i), expected[i].policy);
      ASSERT_EQ(bucket.FreeMask() >> i & 1U, expected[i].ref == 0 ? 1U : 0U);
    }
    ASSERT_EQ(bucket.FreeMask(), bucket.FreeMaskPlain());
    const auto wanted = static_cast<std::uint8_t>(random.Below(8));
    ASSERT_EQ(bucket.Match(wanted), bucket.MatchPlain(wanted));
  }
}

TEST(Bucket, SpillCountSticksAtItsEnd) {
  alignas(64) std::byte bytes[sizeof(Bucket)] = {};
  Bucket& bucket = *reinterpret_cast<Bucket*>(bytes);
  for (unsigned i = 0; i < Bucket::kSpillMax - 1; ++i) bucket.AddSpill();
  bucket.RemoveSpill();
  EXPECT_EQ(bucket.spill(), Bucket::kSpillMax - 2);
  for (int i = 0; i < 5; ++i) bucket.AddSpill();
  EXPECT_EQ(bucket.spill(), Bucket::kSpillMax);
  bucket.RemoveSpill();
  EXPECT_EQ(bucket.spill(), Bucket::kSpillMax);
}

}  // namespace
}  // namespace aeris::storage
