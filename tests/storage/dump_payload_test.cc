#include "storage/dump_payload.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "storage/rdb_format.h"
#include "tests/storage/keyspace_fixture.h"
#include "tests/storage/payload_properties.h"

namespace aeris::storage {
namespace {

using payload::Signed;
using testing::kNow;
using testing::Pattern;
using testing::Set;
using testing::Shared;

std::string Hex(std::string_view bytes) {
  std::string hex;
  for (const char byte : bytes) {
    hex += "0123456789abcdef"[static_cast<std::uint8_t>(byte) >> 4];
    hex += "0123456789abcdef"[byte & 0xf];
  }
  return hex;
}

class DumpPayloadTest : public ::testing::Test {
 protected:
  std::string Dump(std::string_view value) {
    Set(keyspace_, "key", value);
    return DumpPayload(keyspace_.Find(keyspace_.Hash("key"), kNow, kPeek), kNow);
  }

 private:
  Shared shared_;
  Keyspace keyspace_{shared_.context};
};

// The text of a string.
std::expected<std::string, PayloadFault> Parse(std::string_view payload) {
  auto value = payload::Parse(payload);
  if (!value) return std::unexpected(value.error());
  return value->text;
}

PayloadFault FaultOf(std::string_view payload) {
  const auto parsed = Parse(payload);
  EXPECT_FALSE(parsed.has_value()) << Hex(payload);
  return parsed ? PayloadFault{} : parsed.error();
}

// What redis-server 7.0.15 answers to DUMP after SET.
TEST_F(DumpPayloadTest, WritesTheBytesOfRedis) {
  const std::pair<std::string, const char*> cases[] = {
      {"", "00000a005d9b5c400f7fa2da"},
      {"a", "0001610a00bffeef9b8f367db4"},
      {"0", "00c0000a009840a778f8500308"},
      {"-1", "00c0ff0a000c937e2485089dc5"},
      {"128", "00c180000a00eb7ab3b510cf4b65"},
      {"-32769", "00c2ff7fffff0a00aee34c4d06c68536"},
      {"2147483648", "000a323134373438333634380a00e7b129a34c1d76ee"},
      {"007", "00033030370a007258e27b4c69bad9"},
      {"hello world", "000b68656c6c6f20776f726c640a000bfc49b9a6c7a034"},
      {std::string(21, 'x'), "00c30615017878e00a000a00941a83676017192f"},
      {std::string(300, 'x'), "00c30c412c017878e0ff00e017000178780a00f033195a8b660d84"},
  };
  for (const auto& [value, payload] : cases) EXPECT_EQ(Hex(Dump(value)), payload) << value;
}

TEST_F(DumpPayloadTest, ReadsBackWhatItWrites) {
  std::mt19937_64 engine(1);
  for (const std::size_t size : {0u, 1u, 11u, 12u, 20u, 21u, 22u, 24u, 63u, 64u, 1000u, 2048u,
                                 2049u, 4096u, 4097u, 16383u, 16384u, 70'000u}) {
    std::string noise(size, '\0');
    for (char& byte : noise) byte = static_cast<char>(engine() & 0xff);
    for (const std::string& value : {noise, std::string(size, 'x'), Pattern(size, 3)}) {
      EXPECT_EQ(Parse(Dump(value)), value) << size;
    }
  }
  for (int shift = 0; shift < 64; ++shift) {
    for (const std::uint64_t integer : {std::uint64_t{1} << shift, ~(std::uint64_t{1} << shift)}) {
      const std::string value = std::to_string(static_cast<std::int64_t>(integer));
      EXPECT_EQ(Parse(Dump(value)), value);
    }
  }
}

TEST_F(DumpPayloadTest, RefusesEveryCutAndEveryFlippedBit) {
  for (const std::string& value :
       {std::string("12345"), std::string("hello"), std::string(100, 'x')}) {
    const std::string payload = Dump(value);
    for (std::size_t size = 0; size < payload.size(); ++size) {
      EXPECT_EQ(FaultOf(payload.substr(0, size)), PayloadFault::kChecksum);
    }
    for (std::size_t bit = 0; bit < payload.size() * 8; ++bit) {
      std::string flipped = payload;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
      EXPECT_EQ(FaultOf(flipped), PayloadFault::kChecksum);
    }
  }
}

TEST_F(DumpPayloadTest, TakesOlderVersionsAndRefusesNewer) {
  const std::string body("\0\2ab", 4);
  EXPECT_EQ(Parse(Signed(body, 10)), "ab");
  EXPECT_EQ(Parse(Signed(body, 6)), "ab");
  EXPECT_EQ(Parse(Signed(body, 12)), "ab");
  EXPECT_EQ(FaultOf(Signed(body, 13)), PayloadFault::kChecksum);
  EXPECT_EQ(FaultOf(Signed(body, 0xffff)), PayloadFault::kChecksum);
}

TEST_F(DumpPayloadTest, TakesAnyChecksumWhereItIsIgnored) {
  std::string damaged = Dump("hello");
  damaged.back() = static_cast<char>(damaged.back() ^ 1);
  EXPECT_EQ(FaultOf(damaged), PayloadFault::kChecksum);
  const auto value = ParseDumpPayload(damaged, Checksum::kIgnored);
  ASSERT_TRUE(value.has_value());
  EXPECT_EQ(value->text, "hello");
  const auto newer = ParseDumpPayload(Signed(std::string("\0\2ab", 4), 13), Checksum::kIgnored);
  ASSERT_FALSE(newer.has_value());
  EXPECT_EQ(newer.error(), PayloadFault::kChecksum);
}

TEST_F(DumpPayloadTest, RefusesSignedBodiesThatAreNoValues) {
  using namespace std::string_view_literals;
  const std::string_view bodies[] = {
      ""sv,
      "\0"sv,
      "\1\0"sv,  // nothing in it
      "\2\0"sv,
      "\2\2\1a\1a"sv,  // the same member twice
      "\2\2\1a"sv,
      "\2\x80\xff\xff\xff\xff\1a"sv,
      "\x0b\0"sv,
      "\x0b\x08\2\0\0\0\0\0\0\0"sv,
      "\x0b\x0c\2\0\0\0\2\0\0\0\2\0\1\0"sv,  // not ascending
      "\x0b\x0b\2\0\0\0\2\0\0\0\1\0\2"sv,
      "\xff"sv,
      "\0\5ab"sv,  // longer than what is there
      "\0\x0c"
      "ab"sv,  // would end inside the footer
      "\0\x40"sv,
      "\0\x80\0\0\0"sv,
      "\0\x80\xff\xff\xff\xff"sv,
      "\0\x81\xff\xff\xff\xff\xff\xff\xff\xff"sv,
      "\0\x82\0"sv,  // no such length
      "\0\xc0"sv,
      "\0\xc1\5"sv,
      "\0\xc2\5\0\0"sv,
      "\0\xc4"sv,  // no such encoding
      "\0\xff"sv,
      "\0\xc3"sv,
      "\0\xc3\0\0"sv,
      "\0\xc3\2\2\0a"sv,                    // says two bytes, holds one
      "\0\xc3\3\1\x20\5a"sv,                // refers to before its beginning
      "\0\xc3\2\x80\xff\xff\xff\xff\0a"sv,  // 4 GiB out of two bytes
      "\0\xc3\xc0\1\0a"sv,
      "\0\xc3\2\x81\xff\xff\xff\xff\xff\xff\xff\xff\0a"sv,
      "\0\xc3\x81\xff\xff\xff\xff\xff\xff\xff\xff\1\0a"sv,
  };
  for (const std::string_view body : bodies) {
    EXPECT_EQ(FaultOf(Signed(body)), PayloadFault::kFormat) << Hex(body);
  }
}

// Damage under a valid signature: any answer but a crash, and no text that is larger than promised.
TEST_F(DumpPayloadTest, SurvivesDamagedBodiesUnderValidSignature) {
  constexpr std::uint64_t kSeed = 21;
  SCOPED_TRACE(::testing::Message() << "seed " << kSeed);
  std::mt19937_64 engine(kSeed);
  for (const std::string& value : {Pattern(40, 1), std::string(500, 'x'), std::string("-70000")}) {
    const std::string payload = Dump(value);
    const std::string body = payload.substr(0, payload.size() - 10);
    for (int i = 0; i < 5'000; ++i) {
      std::string damaged = body;
      for (std::uint64_t n = 1 + engine() % 3; n > 0; --n) {
        damaged[engine() % damaged.size()] = static_cast<char>(engine() & 0xff);
      }
      if (engine() % 4 == 0) damaged.resize(engine() % (damaged.size() + 1));
      const auto parsed = Parse(Signed(damaged));
      if (parsed) {
        EXPECT_LE(parsed->size(), 264 * damaged.size());
      } else {
        EXPECT_EQ(parsed.error(), PayloadFault::kFormat);
      }
    }
  }
}

}  // namespace
}  // namespace aeris::storage
