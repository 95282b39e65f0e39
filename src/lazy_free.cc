#include "src/lazy_free.h"

#include <memory>
#include <utility>

#include "src/memory_info.h"

namespace aeris {
namespace {

// The kernel takes 0.1 ms to take a MiB back, as long as so many allocations.
constexpr std::size_t kBytesPerWork = 1024;

}  // namespace

std::expected<void, Error> LazyFree::Start(ae::EventLoop& loop) {
  auto worker = ae::Worker::Create(loop, "lazyfree");
  if (!worker) return std::unexpected(worker.error());
  worker_ = std::move(*worker);
  return {};
}

// What `owner` owns is destroyed with it, by the thread.
template <typename Owner>
void LazyFree::Give(Owner owner, const Load& load) {
  stats_.lazyfree_pending += load.objects;
  pending_bytes_ += load.allocated_bytes;
  waiting_bytes_ += load.value_bytes;
  // Of the job and of its completion, which runs after it.
  auto net_bytes = std::make_shared<std::int64_t>();
  worker_->Submit(
      [dead = std::move(owner), net_bytes]() mutable {
        { const Owner last(std::move(dead)); }
        *net_bytes = ThreadAllocation().net_bytes();
      },
      [this, load, net_bytes] {
        stats_.lazyfree_pending -= load.objects;
        stats_.lazyfreed_objects += load.objects;
        pending_bytes_ -= load.allocated_bytes;
        waiting_bytes_ -= load.value_bytes;
        thread_net_bytes_ = *net_bytes;
      });
}

// Takes it off the turn's step, if too much waits for the thread.
bool LazyFree::DestroysHere(std::size_t work) {
  if (waiting_bytes_ <= kWaitingBytesMax || work > work_left_) return false;
  work_left_ -= work;
  return true;
}

void LazyFree::Discard(std::unique_ptr<storage::Keyspace> keyspace) {
  if (worker_ == nullptr || !keyspace->large()) return;
  const std::size_t keys = keyspace->size();
  const std::size_t bytes = keyspace->memory().allocated();
  Give(std::move(keyspace), {.objects = keys, .allocated_bytes = bytes});
}

void LazyFree::Dispose(std::unique_ptr<storage::Collection> collection) {
  if (worker_ == nullptr || DestroysHere(collection->FreeEffort())) return;
  const std::size_t bytes = collection->memory_bytes();
  const std::size_t allocated = bytes - collection->mapped_bytes();
  Give(std::move(collection), {.allocated_bytes = allocated, .value_bytes = bytes});
}

void LazyFree::Dispose(storage::BlobRef blob) {
  const std::size_t bytes = blob.memory_bytes();
  if (worker_ == nullptr || DestroysHere(bytes / kBytesPerWork)) return;
  Give(std::move(blob), {.allocated_bytes = bytes, .value_bytes = bytes});
}

}  // namespace aeris
