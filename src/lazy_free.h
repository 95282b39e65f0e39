// LazyFree: gives to the lazyfree thread what takes long to destroy, and what the kernel takes long
// to do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>

#include "ae/completion.h"
#include "src/base/error.h"
#include "src/server_stats.h"
#include "storage/huge_page.h"
#include "storage/keyspace.h"

namespace aeris {

class LazyFree final : public storage::Disposal {
 public:
  explicit LazyFree(ServerStats& stats) : stats_(stats) {}
  std::expected<void, Error> Start(ae::EventLoop& loop);
  // Finishes what was given away, and ends the thread; what comes later is destroyed by the caller.
  void Stop() { worker_.reset(); }

  // A keyspace; a small one is destroyed here.
  void Discard(std::unique_ptr<storage::Keyspace> keyspace);
  void Dispose(std::unique_ptr<storage::Collection> collection) override;
  void Dispose(storage::BlobRef blob) override;

  // Bytes of the allocator in what was given away and is not known to be freed yet.
  std::size_t pending_bytes() const { return pending_bytes_; }
  // What the thread has allocated less what it has freed (memory_info.h), when the last job that is
  // known to be done ended.
  std::int64_t thread_net_bytes() const { return thread_net_bytes_; }

  // `done` gets a page, or an empty one, in a later turn. False, and nothing done, without a
  // thread.
  bool MakeHugePage(std::move_only_function<void(storage::HugePage)> done);

 private:
  // `bytes` are those of the allocator.
  template <typename Owner>
  void Give(Owner owner, std::size_t objects, std::size_t bytes);

  ServerStats& stats_;
  std::size_t pending_bytes_ = 0;
  std::int64_t thread_net_bytes_ = 0;
  std::unique_ptr<ae::Worker> worker_;
};

}  // namespace aeris
