#include "storage/member_entry.h"

#include "src/base/check.h"

namespace aeris::storage {

using namespace member_layout;

namespace {

bool IsWide(std::size_t size) { return size > 0xFF; }
// Of the field that holds a size.
std::size_t SizeBytes(std::size_t size) { return IsWide(size) ? 4 : 1; }

bool IsShort(const MemberParts& parts) {
  return !parts.has_value && !parts.has_score && parts.deadline == kNoDeadline &&
         parts.member_blob == nullptr && parts.member.size() <= kShortSizeMax;
}

unsigned HeadOf(const MemberParts& parts) {
  unsigned head = 0;
  if (parts.member_blob != nullptr) head |= kBlobMember;
  if (parts.member_blob == nullptr && IsWide(parts.member.size())) head |= kWideMember;
  if (parts.has_value) head |= kHasValue;
  if (parts.value_blob != nullptr) head |= kBlobValue;
  if (parts.value_blob == nullptr && IsWide(parts.value.size())) head |= kWideValue;
  if (parts.has_score) head |= kHasScore;
  if (parts.deadline != kNoDeadline) head |= kHasDeadline;
  return head;
}

// Appends to an entry that is being written.
class EntryWriter {
 public:
  explicit EntryWriter(std::byte* entry) : next_(entry) {}

  void Byte(std::size_t byte) { *next_++ = static_cast<std::byte>(byte); }
  void Bytes(const void* bytes, std::size_t size) {
    if (size != 0) std::memcpy(next_, bytes, size);
    next_ += size;
  }
  void Size(std::size_t size) {
    if (!IsWide(size)) return Byte(size);
    const auto wide = static_cast<std::uint32_t>(size);
    Bytes(&wide, sizeof wide);
  }
  void Text(std::string_view text, Blob* const& blob) {
    if (blob != nullptr) return Bytes(&blob, sizeof blob);
    Bytes(text.data(), text.size());
  }

 private:
  std::byte* next_;
};

}  // namespace

std::size_t MemberParts::EntryBytes() const {
  if (IsShort(*this)) return 1 + member.size();
  std::size_t bytes = 1;
  bytes += member_blob != nullptr ? sizeof(Blob*) : SizeBytes(member.size()) + member.size();
  if (has_value) {
    bytes += value_blob != nullptr ? sizeof(Blob*) : SizeBytes(value.size()) + value.size();
  }
  if (has_score) bytes += sizeof score;
  if (deadline != kNoDeadline) bytes += sizeof deadline;
  return bytes;
}

void MemberParts::Write(std::byte* entry) const {
  EntryWriter writer(entry);
  if (IsShort(*this)) {
    writer.Byte(member.size() << 1 | kShort);
    writer.Bytes(member.data(), member.size());
    return;
  }
  writer.Byte(HeadOf(*this));
  if (member_blob == nullptr) writer.Size(member.size());
  if (has_value && value_blob == nullptr) writer.Size(value.size());
  if (deadline != kNoDeadline) writer.Bytes(&deadline, sizeof deadline);
  if (has_score) writer.Bytes(&score, sizeof score);
  writer.Text(member, member_blob);
  if (has_value) writer.Text(value, value_blob);
}

MemberParts MemberView::parts() const {
  const Fields fields = Decode();
  MemberParts parts;
  parts.member = TextOfMember(fields);
  if (fields.has(kBlobMember)) parts.member_blob = Load<Blob*>(entry_ + fields.member_offset);
  parts.has_value = fields.has(kHasValue);
  parts.value = TextOfValue(fields);
  if (fields.has(kBlobValue)) parts.value_blob = Load<Blob*>(entry_ + fields.value_offset());
  parts.has_score = fields.has(kHasScore);
  parts.score = score();
  parts.deadline = deadline();
  return parts;
}

}  // namespace aeris::storage
