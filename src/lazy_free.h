// LazyFree: gives to the lazyfree thread what takes long to destroy.
//
// What waits for the thread is memory that no limit sees. Usually that is what a few milliseconds
// have brought. Beyond kWaitingBytesMax of values the loop destroys some by itself, in steps of at
// most 0.4 ms per turn, so that who removes more than the thread frees pays for it. What is too
// large for a step still goes to the thread: to make it has taken the loop longer than it takes to
// destroy it, so that such do not pile up either. A flushed database is given away whole, and does
// not count.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>

#include "ae/completion.h"
#include "src/base/error.h"
#include "src/server_stats.h"
#include "storage/keyspace.h"

namespace aeris {

class LazyFree final : public storage::Disposal {
 public:
  static constexpr std::size_t kWaitingBytesMax = std::size_t{16} << 20;
  // In allocations, of 0.1 us each.
  static constexpr std::size_t kWorkPerTurn = 4096;

  explicit LazyFree(ServerStats& stats) : stats_(stats) {}
  std::expected<void, Error> Start(ae::EventLoop& loop);
  // Finishes what was given away, and ends the thread; what comes later is destroyed by the caller.
  void Stop() { worker_.reset(); }

  // Another turn of the loop begins, with a step of its own.
  void BeginTurn() { work_left_ = kWorkPerTurn; }

  // A keyspace; a small one is destroyed here.
  void Discard(std::unique_ptr<storage::Keyspace> keyspace);
  void Dispose(std::unique_ptr<storage::Collection> collection) override;
  void Dispose(storage::BlobRef blob) override;

  // Bytes of the allocator in what was given away and is not known to be freed yet.
  std::size_t pending_bytes() const { return pending_bytes_; }
  // Values alone, with what of them is mapped.
  std::size_t waiting_bytes() const { return waiting_bytes_; }
  // What the thread has allocated less what it has freed (memory_info.h), when the last job that is
  // known to be done ended.
  std::int64_t thread_net_bytes() const { return thread_net_bytes_; }

 private:
  struct Load {
    std::size_t objects = 1;
    std::size_t allocated_bytes = 0;
    std::size_t value_bytes = 0;
  };
  template <typename Owner>
  void Give(Owner owner, const Load& load);
  bool DestroysHere(std::size_t work);

  ServerStats& stats_;
  std::size_t pending_bytes_ = 0;
  std::size_t waiting_bytes_ = 0;
  std::size_t work_left_ = kWorkPerTurn;
  std::int64_t thread_net_bytes_ = 0;
  std::unique_ptr<ae::Worker> worker_;
};

}  // namespace aeris
