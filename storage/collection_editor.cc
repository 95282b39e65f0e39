#include "storage/collection_editor.h"

#include <utility>

#include "storage/entry_codec.h"

namespace aeris::storage {
namespace {

// Blocks that have shrunk below this move back into their entry.
constexpr std::size_t kBackInlineBytes = kInlineBlockMax / 2;

}  // namespace

CollectionEditor::CollectionEditor(Keyspace& keyspace, const HashedKey& key, ValueType type,
                                   std::optional<UnixMs> deadline, UnixMs now)
    : keyspace_(keyspace), key_(key), type_(type), now_(now), replaces_(true), deadline_(deadline) {
  block_ = &keyspace.scratch_block(now);
  block_->Clear();
}

CollectionEditor::CollectionEditor(Keyspace& keyspace, const HashedKey& key, EntryView entry,
                                   ValueType type, UnixMs now)
    : keyspace_(keyspace), key_(key), type_(type), now_(now), existed_(entry) {
  if (!entry) {
    block_ = &keyspace.scratch_block(now);
    block_->Clear();
    return;
  }
  AERIS_DCHECK(entry.type() == type);
  stored_ = ValueObject(entry.bytes());
  if (stored_ != nullptr) {
    block_ = stored_->block();
    if (block_ == nullptr) {
      structure_ = stored_;
    } else {
      form_ = entry.form();
    }
    return;
  }
  form_ = entry.form();
  inside_ = entry;
  block_ = &keyspace.scratch_block(now);
  block_->Assign(entry.block());
}

void CollectionEditor::Become(std::unique_ptr<Collection> structure) {
  made_ = std::move(structure);
  structure_ = made_.get();
  block_ = nullptr;
}

StoreResult CollectionEditor::Commit(bool now_empty) {
  if (now_empty) {
    if (existed_ || replaces_) keyspace_.Delete(key_, now_);
    return StoreResult::kStored;
  }
  if (made_ != nullptr) return keyspace_.SetObject(key_, made_, deadline_, now_);
  if (stored_ != nullptr && (structure_ != nullptr || block_->bytes().size() > kBackInlineBytes)) {
    keyspace_.ObjectChanged(key_, *stored_, now_);
    return StoreResult::kStored;
  }
  if (inside_ && keyspace_.OverwritePacked(inside_, form_, block_->bytes())) {
    return StoreResult::kStored;
  }
  return keyspace_.SetPacked(key_, type_, form_, block_->bytes(), deadline_, now_);
}

}  // namespace aeris::storage
