// BroadcastLog: messages that many clients receive, each encoded once. Reply buffers refer to them
// (ReplyBuffer::AppendShared) instead of copying them.
//
//   log --> block [message 1][message 2][message 3] .. room
//                  ^---- client A ------^  ^- B -^
//
// What is written next stands behind what was written last, so a client that gets every message of
// a turn refers to one range, which one send(2) takes from memory that is in cache.
//
// Holds:   bytes of a block never change while a reply buffer refers to it; when none does any
//          more, the log writes it anew.
// Cost:    O(bytes) per message, O(1) per receiver and message.
// Memory:  one block of 16 KiB, none before the first message; what receivers hold beyond the end
//          of their turn they copy (ReplyBuffer::CopyShared), or it is most of its block.
// Thread:  one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace aeris::protocol {

// A counted block of bytes. Made and written by the log alone.
class SharedBlock {
 public:
  SharedBlock(const SharedBlock&) = delete;
  SharedBlock& operator=(const SharedBlock&) = delete;

  [[nodiscard]] static SharedBlock* Create(std::size_t capacity);
  void Retain() { ++references_; }
  void Release();
  bool shared() const { return references_ != 1; }
  std::size_t capacity() const { return capacity_; }

 private:
  friend class BroadcastLog;
  explicit SharedBlock(std::size_t capacity) : capacity_(capacity) {}
  char* bytes() { return reinterpret_cast<char*>(this + 1); }

  std::size_t references_ = 1;
  std::size_t capacity_;
  std::size_t used_ = 0;
};

class BroadcastLog {
 public:
  static constexpr std::size_t kBlockBytes = 16 * 1024;

  // `resp` is 2 or 3: messages are arrays or pushes.
  explicit BroadcastLog(int resp) : resp_(resp) {}
  BroadcastLog(const BroadcastLog&) = delete;
  BroadcastLog& operator=(const BroadcastLog&) = delete;
  ~BroadcastLog();

  // An encoded message. Valid until the next Add(), and beyond it for whom refers to the block.
  struct Message {
    std::string_view bytes;
    SharedBlock* block = nullptr;
  };
  // Adds a message of bulk strings.
  Message Add(std::span<const std::string_view> parts);

  // Adds one that is encoded already, in two pieces.
  Message AddEncoded(std::string_view head, std::string_view rest);

  // Bytes held, those included that only receivers still refer to no longer.
  std::size_t memory() const { return block_ != nullptr ? block_->capacity() : 0; }

 private:
  char* Reserve(std::size_t bytes);

  int resp_;
  SharedBlock* block_ = nullptr;
};

}  // namespace aeris::protocol
