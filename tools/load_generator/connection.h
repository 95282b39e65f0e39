// Connection: one connection to the server under load, with the batches that wait for replies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/clock.h"
#include "src/base/unique_fd.h"
#include "tools/load_generator/options.h"
#include "tools/load_generator/reply_scanner.h"
#include "tools/load_generator/request_tape.h"

namespace aeris::load {

// Prints one line and ends the program: a load that went wrong has no result.
[[noreturn]] void Fail(std::string_view what, int sys_errno = 0);
// Likewise when Options::timeout_seconds have passed, with a status of its own.
[[noreturn]] void FailTimeout(const Options& options);

// A connection of its own, in blocking mode; does not return without one.
UniqueFd ConnectTo(const Options& options);

class Connection {
 public:
  // Connects, and registers with `epoll_fd`; the events carry this object's address.
  Connection(const Options& options, int epoll_fd);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // One write. What the socket does not take is kept, and sent when the socket is writable again.
  void Send(const Batch& batch, MonotonicTime due);
  void Flush();

  // One read, and one that drops a large payload. Calls on_batch(due) for each batch whose last
  // reply has arrived.
  template <typename OnBatch>
  void Receive(OnBatch on_batch) {
    for (std::size_t complete = ReadReplies(); complete > 0;) {
      if (waiting_.empty()) Fail("a reply that nobody asked for");
      Waiting& front = waiting_.front();
      const std::size_t taken = complete < front.replies ? complete : front.replies;
      complete -= taken;
      front.replies -= taken;
      if (front.replies != 0) break;
      const MonotonicTime due = front.due;
      waiting_.pop_front();
      on_batch(due);
    }
  }

  // Each reply from now on appends whether it held a value.
  void NoteValues(std::vector<bool>& held_value) { scanner_->NoteValues(&held_value); }

  bool idle() const { return waiting_.empty(); }
  std::size_t batches_waiting() const { return waiting_.size(); }
  const ReplyCounts& counts() const { return scanner_->counts(); }

 private:
  struct Waiting {
    MonotonicTime due;
    std::size_t replies;
  };

  // Replies that this read completed; 0 when there was nothing to read.
  std::size_t ReadReplies();
  // Bytes that recv(2) took, 0 when it would block.
  std::size_t Receive(char* buffer, std::size_t bytes, int flags);
  void SetWritable(bool wanted);

  int epoll_fd_;
  UniqueFd fd_;
  std::unique_ptr<ReplyScanner> scanner_;
  std::size_t read_bytes_;  // at most, of one read
  std::deque<Waiting> waiting_;
  std::string unsent_;
  std::size_t unsent_begin_ = 0;
};

}  // namespace aeris::load
