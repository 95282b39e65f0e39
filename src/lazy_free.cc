#include "src/lazy_free.h"

#include <utility>

namespace aeris {

std::expected<void, Error> LazyFree::Start(ae::EventLoop& loop) {
  auto worker = ae::Worker::Create(loop, "lazyfree");
  if (!worker) return std::unexpected(worker.error());
  worker_ = std::move(*worker);
  return {};
}

template <typename T>
void LazyFree::Give(std::unique_ptr<T> object, std::size_t objects) {
  stats_.lazyfree_pending += objects;
  worker_->Submit([dead = std::move(object)]() mutable { dead.reset(); },
                  [this, objects] {
                    stats_.lazyfree_pending -= objects;
                    stats_.lazyfreed_objects += objects;
                  });
}

void LazyFree::Discard(std::unique_ptr<storage::Keyspace> keyspace) {
  if (worker_ == nullptr || !keyspace->large()) return;
  const std::size_t keys = keyspace->size();
  Give(std::move(keyspace), keys);
}

void LazyFree::Dispose(std::unique_ptr<storage::Collection> collection) {
  if (worker_ != nullptr) Give(std::move(collection), 1);
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
