// AdminConnection: one connection of the admin port, from its bytes to its answers.
//
//   reading --request--> answering --sent--> reading ...
//      |                     |
//      |                     +--last answer--> draining --end--> closed
//      +--refused: an answer that is the last
//      +--no HTTP, or too slow: closed
//
// The last answer, of a request that was refused or that asked for it, is followed by the end of
// our stream; what the peer still sends is read and dropped for a while, since closing a socket
// that has unread bytes would take back the answer.
//
// Time: a request has kRequestTime from its first byte on, or from the connection's begin; its
// answer kAnswerTime to be taken; a connection that waits for its next request kIdleTime.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "ae/event_loop.h"
#include "src/admin/http_reply.h"
#include "src/admin/http_request.h"
#include "src/base/clock.h"
#include "src/base/error.h"
#include "src/base/unique_fd.h"

namespace aeris {

class AdminServer;

class AdminConnection final : private ae::FileHandler {
 public:
  static constexpr std::chrono::milliseconds kRequestTime{5'000};
  static constexpr std::chrono::milliseconds kAnswerTime{10'000};
  static constexpr std::chrono::milliseconds kIdleTime{75'000};
  static constexpr std::chrono::milliseconds kDrainTime{1'000};
  // Dropped while draining; a peer that sends more is cut.
  static constexpr std::size_t kDrainBytesMax = 65536;

  // `server` closes it, and outlives it.
  AdminConnection(AdminServer& server, UniqueFd fd, std::string peer);
  AdminConnection(const AdminConnection&) = delete;
  AdminConnection& operator=(const AdminConnection&) = delete;
  ~AdminConnection() = default;

  std::expected<void, Error> Start();
  // It waits for a request of which nothing has come, or has had its last answer.
  bool idle() const {
    return phase_ == Phase::kDraining || (phase_ == Phase::kReading && input_size_ == 0);
  }
  MonotonicTime idle_since() const { return idle_since_; }

 private:
  enum class Phase : std::uint8_t { kReading, kAnswering, kDraining };

  // Those that return false have closed the connection, which is gone then.
  void OnReady(ae::Ready ready) override;
  bool ReadSome();
  bool Serve();
  bool Send(HttpReply reply, bool last);
  bool WriteSome();
  bool AnswerIsSent();
  bool BeginDraining();
  void Drain();
  bool WaitFor(ae::Ready ready);
  void SetDeadline(std::chrono::milliseconds time);
  bool CloseNow();

  AdminServer& server_;
  UniqueFd fd_;
  std::string peer_;
  Phase phase_ = Phase::kReading;
  HttpRequestParser parser_;
  std::array<char, kHttpRequestBytesMax> input_;
  std::size_t input_size_ = 0;
  bool unserved_input_ = false;  // it may hold a request: look there before reading on
  std::string output_;
  std::size_t sent_ = 0;
  bool last_answer_ = false;
  std::size_t drained_ = 0;
  MonotonicTime idle_since_{};
  ae::TimeEvent deadline_;
  ae::FileEvent event_;  // ends before fd_ closes
};

}  // namespace aeris
