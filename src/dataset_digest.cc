#include "src/dataset_digest.h"

#include <fmt/format.h>
#include <sha1.h>

#include <string_view>

#include "storage/hash_value.h"
#include "storage/set_value.h"

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

// A field and its value belong together, whatever their order in the hash.
void AddField(Digest& digest, const storage::HashField& field) {
  constexpr std::string_view kHasDeadline = "!!hexpire!!";
  Digest of_field{};
  storage::IntegerText scratch;
  Mix(of_field, field.name.Text(scratch));
  Mix(of_field, field.value.Text(scratch));
  if (field.deadline() != kNoDeadline) {
    Xor(of_field, kHasDeadline.data(), kHasDeadline.size());
  }
  Xor(digest, of_field.data(), of_field.size());
}

void AddContents(Digest& digest, storage::EntryView entry) {
  switch (entry.type()) {
    case storage::ValueType::kString: {
      storage::IntegerText scratch;
      return Mix(digest, entry.Text(scratch));
    }
    case storage::ValueType::kSet:
      return storage::SetView(entry).ForEach([&](std::string_view member) { Xor(digest, member); });
    case storage::ValueType::kHash:
      return storage::HashView(entry, 0).ForEach(
          [&](const storage::HashField& field) { AddField(digest, field); });
    default:
      return;
  }
}

void AddValue(Digest& digest, storage::EntryView entry) {
  constexpr std::string_view kHasDeadline = "!!expire!!";
  MixNumber(digest, static_cast<std::uint32_t>(entry.type()));
  AddContents(digest, entry);
  if (entry.deadline() != kNoDeadline) Xor(digest, kHasDeadline.data(), kHasDeadline.size());
}

}  // namespace

Digest DigestOfValue(storage::EntryView entry) {
  Digest digest{};
  AddValue(digest, entry);
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
        AddValue(of_key, entry);
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
