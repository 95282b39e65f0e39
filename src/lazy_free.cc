#include "src/lazy_free.h"

#include <memory>
#include <utility>

#include "src/memory_info.h"

namespace aeris {

std::expected<void, Error> LazyFree::Start(ae::EventLoop& loop) {
  auto worker = ae::Worker::Create(loop, "lazyfree");
  if (!worker) return std::unexpected(worker.error());
  worker_ = std::move(*worker);
  return {};
}

// What `owner` owns is destroyed with it, by the thread.
template <typename Owner>
void LazyFree::Give(Owner owner, std::size_t objects, std::size_t bytes) {
  stats_.lazyfree_pending += objects;
  pending_bytes_ += bytes;
  // Of the job and of its completion, which runs after it.
  auto net_bytes = std::make_shared<std::int64_t>();
  worker_->Submit(
      [dead = std::move(owner), net_bytes]() mutable {
        { const Owner last(std::move(dead)); }
        *net_bytes = ThreadAllocation().net_bytes();
      },
      [this, objects, bytes, net_bytes] {
        stats_.lazyfree_pending -= objects;
        stats_.lazyfreed_objects += objects;
        pending_bytes_ -= bytes;
        thread_net_bytes_ = *net_bytes;
      });
}

void LazyFree::Discard(std::unique_ptr<storage::Keyspace> keyspace) {
  if (worker_ == nullptr || !keyspace->large()) return;
  const std::size_t keys = keyspace->size();
  const std::size_t bytes = keyspace->memory().allocated();
  Give(std::move(keyspace), keys, bytes);
}

void LazyFree::Dispose(std::unique_ptr<storage::Collection> collection) {
  if (worker_ == nullptr) return;
  const std::size_t bytes = collection->memory_bytes() - collection->mapped_bytes();
  Give(std::move(collection), 1, bytes);
}

void LazyFree::Dispose(storage::BlobRef blob) {
  if (worker_ == nullptr) return;
  const std::size_t bytes = blob.memory_bytes();
  Give(std::move(blob), 1, bytes);
}

bool LazyFree::MakeHugePage(std::move_only_function<void(storage::HugePage)> done) {
  if (worker_ == nullptr) return false;
  // Of the job and of its completion, which runs after it.
  auto made = std::make_shared<storage::HugePage>();
  worker_->Submit([made] { *made = storage::HugePage::Make(); },
                  [made, done = std::move(done)]() mutable { done(std::move(*made)); });
  return true;
}

}  // namespace aeris
