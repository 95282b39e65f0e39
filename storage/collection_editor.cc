#include "storage/collection_editor.h"

#include <utility>

#include "storage/entry_codec.h"

namespace aeris::storage {
namespace {

// Blocks that have shrunk below this move back into their entry.
constexpr std::size_t kBackInlineBytes = kInlineValueMax / 2;

}  // namespace

CollectionEditor::CollectionEditor(Keyspace& keyspace, const HashedKey& key, ValueType type,
                                   UnixMs now)
    : keyspace_(keyspace), key_(key), type_(type), now_(now), replaces_(true) {
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
  structure_ = entry.structure();
  if (structure_ != nullptr) return;
  form_ = entry.form();
  if (Collection* const object = ValueObject(entry.bytes()); object != nullptr) {
    block_ = object->block();
    in_place_ = true;
    return;
  }
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
  if (made_ != nullptr) return keyspace_.SetObject(key_, made_, !replaces_, now_);
  if (structure_ != nullptr || (in_place_ && block_->bytes().size() > kBackInlineBytes)) {
    keyspace_.ObjectChanged(key_, now_);
    return StoreResult::kStored;
  }
  return keyspace_.SetPacked(key_, type_, form_, block_->bytes(), !replaces_, now_);
}

}  // namespace aeris::storage
