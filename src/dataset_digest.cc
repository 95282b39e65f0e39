#include "src/dataset_digest.h"

#include <fmt/format.h>
#include <sha1.h>

#include <string_view>

#include "src/base/number_text.h"
#include "storage/hash_value.h"
#include "storage/list_value.h"
#include "storage/set_value.h"
#include "storage/stream_value.h"
#include "storage/zset_value.h"

namespace aeris {
namespace {

constexpr std::size_t kSlotsPerScan = 1000;

Digest Sha1(const void* bytes, std::size_t size) {
  SHA1_CTX state;
  SHA1Init(&state);
  SHA1Update(&state, static_cast<const std::uint8_t*>(bytes), size);
  Digest digest;
  SHA1Final(digest.data(), &state);
  return digest;
}

void Xor(Digest& digest, const void* bytes, std::size_t size) {
  const Digest other = Sha1(bytes, size);
  for (std::size_t i = 0; i < digest.size(); ++i) digest[i] ^= other[i];
}

void Mix(Digest& digest, const void* bytes, std::size_t size) {
  Xor(digest, bytes, size);
  digest = Sha1(digest.data(), digest.size());
}

void Mix(Digest& digest, std::string_view text) { Mix(digest, text.data(), text.size()); }

void MixNumber(Digest& digest, std::uint32_t number) {
  const std::array<std::uint8_t, 4> bytes = {
      static_cast<std::uint8_t>(number >> 24), static_cast<std::uint8_t>(number >> 16),
      static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)};
  Mix(digest, bytes.data(), bytes.size());
}

void Xor(Digest& digest, std::string_view text) { Xor(digest, text.data(), text.size()); }

void Add(Digest& digest, const Digest& element) { Xor(digest, element.data(), element.size()); }

void AddList(Digest& digest, const storage::ListView& list) {
  auto at = list.At(0);
  do {
    storage::IntegerText scratch;
    Mix(digest, at.item().Text(scratch));
  } while (at.Next());
}

constexpr std::string_view kFieldHasDeadline = "!!hexpire!!";

void AddHash(Digest& digest, const storage::HashView& hash) {
  hash.ForEach([&](const storage::HashField& field) {
    storage::IntegerText scratch;
    Digest element{};
    Mix(element, field.name.Text(scratch));
    Mix(element, field.value.Text(scratch));
    if (field.deadline() != kNoDeadline) Xor(element, kFieldHasDeadline);
    Add(digest, element);
  });
}

void AddZset(Digest& digest, const storage::ZsetView& zset) {
  zset.ForEach([&](std::string_view member, double score) {
    char text[kDoubleTextMax];
    Digest element{};
    Mix(element, member);
    Mix(element, {text, FormatDouble(text, score)});
    Add(digest, element);
  });
}

void AddStream(Digest& digest, const storage::Stream& stream) {
  storage::StreamReader reader(stream, {.start = storage::kStreamIdMin});
  while (reader.Next()) {
    Mix(digest, fmt::format("{}.{}", reader.id().ms, reader.id().seq));
    reader.ForEachField([&](storage::PackedItem name, storage::PackedItem value) {
      storage::IntegerText scratch;
      Mix(digest, name.Text(scratch));
      Mix(digest, value.Text(scratch));
    });
  }
}

void AddContents(Digest& digest, storage::EntryView entry, UnixMs now) {
  switch (entry.type()) {
    case storage::ValueType::kString: {
      storage::IntegerText scratch;
      return Mix(digest, entry.Text(scratch));
    }
    case storage::ValueType::kSet:
      return storage::SetView(entry).ForEach([&](std::string_view member) { Xor(digest, member); });
    case storage::ValueType::kList:
      return AddList(digest, storage::ListView(entry));
    case storage::ValueType::kHash:
      return AddHash(digest, storage::HashView(entry, now));
    case storage::ValueType::kZset:
      return AddZset(digest, storage::ZsetView(entry));
    case storage::ValueType::kStream:
      return AddStream(digest, static_cast<const storage::Stream&>(*entry.structure()));
  }
}

// Redis has modules' values between hashes and streams.
std::uint32_t NumberOf(storage::ValueType type) {
  constexpr std::uint32_t kStreams = 6;
  return type == storage::ValueType::kStream ? kStreams : static_cast<std::uint32_t>(type);
}

void AddValue(Digest& digest, storage::EntryView entry, UnixMs now) {
  constexpr std::string_view kHasDeadline = "!!expire!!";
  MixNumber(digest, NumberOf(entry.type()));
  AddContents(digest, entry, now);
  if (entry.deadline() != kNoDeadline) Xor(digest, kHasDeadline.data(), kHasDeadline.size());
}

}  // namespace

Digest DigestOfValue(storage::EntryView entry, UnixMs now) {
  Digest digest{};
  AddValue(digest, entry, now);
  return digest;
}

Digest DigestOfDataset(Databases& databases, UnixMs now) {
  Digest all{};
  for (std::size_t i = 0; i < databases.count(); ++i) {
    storage::Keyspace& keyspace = databases[i];
    if (keyspace.size() == 0) continue;
    MixNumber(all, static_cast<std::uint32_t>(i));
    std::uint64_t cursor = 0;
    do {
      cursor = keyspace.Scan(cursor, kSlotsPerScan, now, [&](storage::EntryView entry) {
        Digest of_key{};
        Mix(of_key, entry.key());
        AddValue(of_key, entry, now);
        Xor(all, of_key.data(), of_key.size());
      });
    } while (cursor != 0);
  }
  return all;
}

std::string HexText(const Digest& digest) {
  std::string text;
  for (const std::uint8_t byte : digest) text += fmt::format("{:02x}", byte);
  return text;
}

}  // namespace aeris
