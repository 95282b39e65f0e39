#include "storage/packed_block.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace aeris::storage {
namespace {

using Position = PackedView::Position;

std::vector<std::string> Items(PackedView view) {
  std::vector<std::string> items;
  for (Position at = view.First(); at != PackedView::kEnd; at = view.Next(at)) {
    items.push_back(view.Get(at).String());
  }
  return items;
}

TEST(PackedBlock, IsRedisListpackByteForByte) {
  PackedBlock block;
  EXPECT_EQ(block.bytes(), std::string_view("\x07\0\0\0\0\0\xff", 7));
  block.Append("a");
  block.Append("1");
  block.Append("-1");
  block.Append("300");
  block.Append("70000");
  EXPECT_EQ(block.bytes(), std::string_view("\x17\0\0\0\5\0"
                                            "\x81"
                                            "a\2"
                                            "\1\1"
                                            "\xdf\xff\2"
                                            "\xc1\x2c\2"
                                            "\xf2\x70\x11\1\4"
                                            "\xff",
                                            23));
}

TEST(PackedBlock, KeepsIntegersOfEveryWidth) {
  for (const std::int64_t integer :
       {std::int64_t{0}, std::int64_t{127}, std::int64_t{128}, std::int64_t{-1}, std::int64_t{4095},
        std::int64_t{-4096}, std::int64_t{4096}, std::int64_t{-4097}, std::int64_t{32767},
        std::int64_t{-32768}, std::int64_t{32768}, std::int64_t{8388607}, std::int64_t{-8388608},
        std::int64_t{8388608}, std::int64_t{2147483647}, std::int64_t{-2147483648},
        std::int64_t{2147483648}, std::numeric_limits<std::int64_t>::max(),
        std::numeric_limits<std::int64_t>::min()}) {
    PackedBlock block;
    block.Append(std::to_string(integer));
    const PackedItem item = block.view().Get(block.view().First());
    EXPECT_TRUE(item.is_integer);
    EXPECT_EQ(item.integer, integer);
    EXPECT_TRUE(PackedView::Valid(block.bytes()));
    EXPECT_EQ(block.bytes().size(),
              PackedView::kEmptyBytes + PackedView::BytesFor(std::to_string(integer)));
  }
  PackedBlock block;
  for (const char* text : {"", "-", "01", "+1", "-0", "9223372036854775808", "1 "}) {
    block.Append(text);
    EXPECT_FALSE(block.view().Get(block.view().Last()).is_integer) << text;
  }
}

TEST(PackedBlock, KeepsTextsOfEverySize) {
  for (const std::size_t size :
       {0U, 1U, 63U, 64U, 126U, 127U, 4093U, 4095U, 4096U, 16383U, 16384U, 70000U, 2100000U}) {
    PackedBlock block;
    block.Append("first");
    block.Append(std::string(size, 'x'));
    block.Append("last");
    ASSERT_TRUE(PackedView::Valid(block.bytes())) << size;
    const PackedView view = block.view();
    EXPECT_EQ(view.Get(view.Previous(view.Last())).text.size(), size);
    EXPECT_EQ(view.Get(view.At(-3)).text, "first");
  }
}

// Against a vector of texts.
TEST(PackedBlock, AgreesWithAModel) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  const auto text = [&]() -> std::string {
    switch (random() % 4) {
      case 0:
        return std::to_string(static_cast<std::int64_t>(random()) - (1 << 30));
      case 1:
        return std::to_string(random() % 200);
      case 2:
        return std::string(random() % 200, static_cast<char>('a' + random() % 26));
      default:
        return std::string(random() % 5000, 'z');
    }
  };
  PackedBlock block;
  std::vector<std::string> model;
  for (int step = 0; step < 4000; ++step) {
    const std::size_t index = model.empty() ? 0 : random() % (model.size() + 1);
    const auto place = static_cast<std::ptrdiff_t>(index);
    const Position at = block.view().At(static_cast<std::int64_t>(index));
    const unsigned action = model.size() > 60 ? 3 + random() % 2 : random() % 6;
    if (action <= 1) {
      const std::string item = text();
      const Position put = block.Insert(at, item);
      ASSERT_EQ(block.view().Get(put).String(), item);
      model.insert(model.begin() + place, item);
    } else if (action == 2 && index < model.size()) {
      model[index] = text();
      block.Replace(at, model[index]);
    } else if (action <= 4 && index < model.size()) {
      const std::size_t count = 1 + random() % 4;
      const Position next = block.Erase(at, count);
      model.erase(model.begin() + place, model.begin() + static_cast<std::ptrdiff_t>(std::min(
                                                             index + count, model.size())));
      ASSERT_EQ(next, block.view().At(static_cast<std::int64_t>(index)));
    } else if (!model.empty()) {
      const std::string& wanted = model[random() % model.size()];
      const auto found = std::ranges::find(model, wanted) - model.begin();
      ASSERT_EQ(block.view().Find(block.view().First(), wanted), block.view().At(found));
    }
    ASSERT_EQ(Items(block.view()), model);
    ASSERT_EQ(block.size(), model.size());
    ASSERT_TRUE(PackedView::Valid(block.bytes()));
  }
}

TEST(PackedBlock, FindsEverySecondItemOnly) {
  PackedBlock block;
  for (const char* item : {"k", "v", "v", "k"}) block.Append(item);
  const PackedView view = block.view();
  EXPECT_EQ(view.Find(view.First(), "v", 1), view.At(2));
  EXPECT_EQ(view.Find(view.First(), "none", 1), PackedView::kEnd);
}

TEST(PackedBlock, CopiesItemsOfAnother) {
  PackedBlock from, to;
  for (int i = 0; i < 10; ++i) from.Append(std::int64_t{i} * 1000);
  const PackedView view = from.view();
  to.Append("x");
  to.AppendItems(view, view.At(3), view.At(5), 2);
  to.AppendItems(view, view.At(9), PackedView::kEnd, 1);
  EXPECT_EQ(Items(to.view()), (std::vector<std::string>{"x", "3000", "4000", "9000"}));
  EXPECT_TRUE(PackedView::Valid(to.bytes()));
}

TEST(PackedBlock, CountsMoreItemsThanItsFieldHolds) {
  PackedBlock block;
  for (int i = 0; i < 65540; ++i) block.Append("7");
  EXPECT_EQ(block.size(), 65540U);
  block.Erase(block.view().First(), 10);
  EXPECT_EQ(block.size(), 65530U);
  EXPECT_TRUE(PackedView::Valid(block.bytes()));
}

TEST(PackedBlock, NoDamagedByteMakesReadingGoAstray) {
  PackedBlock block;
  for (const char* item : {"1", "300", "text", "-70000", "9000000000", ""}) block.Append(item);
  block.Append(std::string(100, 'y'));
  block.Append(std::string(5000, 'y'));
  const std::string good(block.bytes());
  for (std::size_t size = 0; size < good.size(); ++size) {
    ASSERT_FALSE(PackedView::Valid(good.substr(0, size)));
  }
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      // Of its own size, so that a sanitizer sees every byte beyond it.
      std::string bad = good;
      bad[at] = static_cast<char>(static_cast<unsigned char>(bad[at]) ^ 1u << bit);
      bad.shrink_to_fit();
      if (PackedView::Valid(bad)) Items(PackedView(bad));
    }
  }
}

}  // namespace
}  // namespace aeris::storage
