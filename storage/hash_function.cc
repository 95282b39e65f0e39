#include "storage/hash_function.h"

#include <bit>
#include <cstring>

#include "src/base/check.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace aeris::storage {
namespace {

static_assert(std::endian::native == std::endian::little, "loads below are little endian");

template <typename Word>
Word Load(const char* bytes) {
  Word word;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

struct SipState {
  std::uint64_t v0, v1, v2, v3;

  void Round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }
};

#if defined(__x86_64__)

#define AERIS_AES __attribute__((target("aes,sse2")))

// The bytes of a key of at most 16, zero-filled. Overlapping loads: never outside the key. Keys
// that differ only in trailing zeros differ in length, which is mixed in elsewhere.
AERIS_AES inline __m128i LoadShort(const char* bytes, std::size_t size) {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  if (size >= 8) {
    low = Load<std::uint64_t>(bytes);
    high = Load<std::uint64_t>(bytes + size - 8);
  } else if (size >= 4) {
    low = Load<std::uint32_t>(bytes);
    high = Load<std::uint32_t>(bytes + size - 4);
  } else if (size > 0) {
    low = static_cast<std::uint8_t>(bytes[0]);
    high = static_cast<std::uint64_t>(static_cast<std::uint8_t>(bytes[size / 2])) << 8 |
           static_cast<std::uint8_t>(bytes[size - 1]);
  }
  return _mm_set_epi64x(static_cast<long long>(high), static_cast<long long>(low));
}

AERIS_AES inline __m128i LoadBlock(const char* bytes) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
}

struct AesKeys {
  __m128i first, second, third;
};

AERIS_AES inline __m128i Scramble(__m128i lane, const AesKeys& keys) {
  lane = _mm_aesenc_si128(lane, keys.second);
  lane = _mm_aesenc_si128(lane, keys.third);
  return _mm_aesenc_si128(lane, keys.first);
}

AERIS_AES inline std::uint64_t Finish(__m128i joined, const AesKeys& keys) {
  return static_cast<std::uint64_t>(_mm_cvtsi128_si64(_mm_aesenc_si128(joined, keys.second)));
}

// Keys above 32 bytes: four lanes over blocks of 64 bytes; the last block ends with the key and may
// overlap the one before. From 33 to 64 bytes the four loads overlap instead.
AERIS_AES std::uint64_t AesHashLong(const char* bytes, std::size_t size, __m128i seed,
                                    const AesKeys& keys) {
  __m128i lanes[4] = {seed, _mm_xor_si128(seed, keys.second), _mm_xor_si128(seed, keys.third),
                      _mm_xor_si128(_mm_xor_si128(seed, keys.second), keys.third)};
  // The starts are XORs of one another; a round of their own hides how they are related.
  for (int i = 0; i < 4; ++i) lanes[i] = _mm_aesenc_si128(lanes[i], lanes[i]);
  if (size <= 64) {
    const char* const last = bytes + size - 32;
    lanes[0] = _mm_xor_si128(lanes[0], LoadBlock(bytes));
    lanes[1] = _mm_xor_si128(lanes[1], LoadBlock(bytes + 16));
    lanes[2] = _mm_xor_si128(lanes[2], LoadBlock(last));
    lanes[3] = _mm_xor_si128(lanes[3], LoadBlock(last + 16));
    for (int i = 0; i < 4; ++i) lanes[i] = Scramble(lanes[i], keys);
  } else {
    const char* const last = bytes + size - 64;
    for (const char* block = bytes;; block += 64) {
      if (block > last) block = last;
      for (int i = 0; i < 4; ++i) {
        lanes[i] = Scramble(_mm_xor_si128(lanes[i], LoadBlock(block + 16 * i)), keys);
      }
      if (block == last) break;
    }
  }
  return Finish(_mm_xor_si128(_mm_xor_si128(lanes[0], lanes[1]), _mm_xor_si128(lanes[2], lanes[3])),
                keys);
}

AERIS_AES std::uint64_t AesHash(const std::byte* secret, const char* bytes, std::size_t size) {
  const auto* const blocks = reinterpret_cast<const __m128i*>(secret);
  // The size goes into the round keys. Added to the data it would meet the data's own bits: a key
  // of 10 bytes that starts with 1 and one of 11 zero bytes would be the same.
  const __m128i length = _mm_cvtsi64_si128(static_cast<long long>(size));
  const AesKeys keys{_mm_load_si128(blocks), _mm_xor_si128(_mm_load_si128(blocks + 1), length),
                     _mm_load_si128(blocks + 2)};
  const __m128i seed = keys.first;
  if (size <= 16) {
    return Finish(Scramble(_mm_xor_si128(seed, LoadShort(bytes, size)), keys), keys);
  }
  if (size <= 32) {
    // The second lane starts from another secret, so equal halves do not cancel.
    const __m128i head = Scramble(_mm_xor_si128(seed, LoadBlock(bytes)), keys);
    const __m128i other = _mm_aesenc_si128(seed, keys.third);
    const __m128i tail = Scramble(_mm_xor_si128(other, LoadBlock(bytes + size - 16)), keys);
    return Finish(_mm_xor_si128(head, tail), keys);
  }
  return AesHashLong(bytes, size, seed, keys);
}

#endif

}  // namespace

std::uint64_t SipHash13(const std::byte* key, std::string_view bytes) {
  std::uint64_t k0, k1;
  std::memcpy(&k0, key, sizeof k0);
  std::memcpy(&k1, key + sizeof k0, sizeof k1);
  SipState state{k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261,
                 k1 ^ 0x7465646279746573};
  const char* at = bytes.data();
  const char* const whole_end = at + bytes.size() / 8 * 8;
  for (; at != whole_end; at += 8) {
    const auto word = Load<std::uint64_t>(at);
    state.v3 ^= word;
    state.Round();
    state.v0 ^= word;
  }
  std::uint64_t last = static_cast<std::uint64_t>(bytes.size()) << 56;
  for (std::size_t i = 0; i < bytes.size() % 8; ++i) {
    last |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(at[i])) << (8 * i);
  }
  state.v3 ^= last;
  state.Round();
  state.v0 ^= last;
  state.v2 ^= 0xff;
  for (int i = 0; i < 3; ++i) state.Round();
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

KeyHasher::KeyHasher(const Secret& secret)
    : KeyHasher(secret, CpuHasAes() ? Kind::kAes : Kind::kSipHash) {}

KeyHasher::KeyHasher(const Secret& secret, Kind kind) : secret_(secret), kind_(kind) {
  AERIS_CHECK(kind != Kind::kAes || CpuHasAes());
}

std::uint64_t KeyHasher::operator()(std::string_view key) const {
#if defined(__x86_64__)
  if (kind_ == Kind::kAes) [[likely]] {
    return AesHash(secret_.data(), key.data(), key.size());
  }
#endif
  return SipHash13(secret_.data(), key);
}

bool KeyHasher::CpuHasAes() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("aes") != 0;
#else
  return false;
#endif
}

}  // namespace aeris::storage
