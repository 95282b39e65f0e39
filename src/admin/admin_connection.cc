#include "src/admin/admin_connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "ae/socket.h"
#include "src/admin/admin_server.h"

namespace aeris {

using std::chrono::milliseconds;

AdminConnection::AdminConnection(AdminServer& server, UniqueFd fd, std::string peer)
    : server_(server),
      fd_(std::move(fd)),
      peer_(std::move(peer)),
      idle_since_(server.loop().now()) {}

std::expected<void, Error> AdminConnection::Start() {
  auto event = server_.loop().Watch(fd_.get(), ae::Ready::kRead, *this);
  if (!event) return std::unexpected(std::move(event.error()));
  event_ = std::move(*event);
  SetDeadline(kRequestTime);
  return {};
}

void AdminConnection::OnReady(ae::Ready /*ready*/) {
  if (phase_ == Phase::kDraining) return Drain();
  if (phase_ == Phase::kAnswering) {
    WriteSome();
    return;
  }
  if (!unserved_input_ && !ReadSome()) return;
  Serve();
}

bool AdminConnection::ReadSome() {
  const bool idle_before = idle();
  const auto room = std::span(input_).subspan(input_size_);
  const ae::IoResult result = ae::Read(fd_.get(), room);
  if (result.kind == ae::IoKind::kWouldBlock) return true;
  if (result.kind != ae::IoKind::kDone) return CloseNow();
  input_size_ += result.bytes;
  if (idle_before) SetDeadline(kRequestTime);
  return true;
}

bool AdminConnection::Serve() {
  unserved_input_ = false;
  switch (parser_.Parse({input_.data(), input_size_})) {
    case HttpParse::kNeedMore:
      return WaitFor(ae::Ready::kRead);
    case HttpParse::kNotHttp:
      server_.NoteForeign(peer_);
      return CloseNow();
    case HttpParse::kRefused:
      server_.NoteRefused();
      return Send(StatusReply(parser_.status()), true);
    case HttpParse::kRequest:
      break;
  }
  if (!server_.MayAnswer()) {
    unserved_input_ = true;
    return WaitFor(ae::Ready::kWrite);  // which it is: the next turn comes here
  }
  const bool last = !parser_.request().keep_alive;
  HttpReply reply = server_.Answer(parser_.request());
  const auto rest = std::span(input_).first(input_size_).subspan(parser_.size());
  std::ranges::copy(rest, input_.begin());
  input_size_ = rest.size();
  parser_.Reset();
  return Send(std::move(reply), last);
}

bool AdminConnection::Send(HttpReply reply, bool last) {
  output_ = HttpHead(reply, !last, server_.UnixSeconds());
  output_ += reply.body;
  sent_ = 0;
  last_answer_ = last;
  phase_ = Phase::kAnswering;
  SetDeadline(kAnswerTime);
  return WriteSome();
}

bool AdminConnection::WriteSome() {
  while (sent_ < output_.size()) {
    const ae::IoResult result = ae::Write(fd_.get(), std::span(output_).subspan(sent_));
    if (result.kind == ae::IoKind::kWouldBlock) return WaitFor(ae::Ready::kWrite);
    if (result.kind != ae::IoKind::kDone) return CloseNow();
    sent_ += result.bytes;
  }
  return AnswerIsSent();
}

bool AdminConnection::AnswerIsSent() {
  output_ = {};
  if (last_answer_) return BeginDraining();
  phase_ = Phase::kReading;
  unserved_input_ = input_size_ != 0;
  idle_since_ = server_.loop().now();
  SetDeadline(unserved_input_ ? kRequestTime : kIdleTime);
  return WaitFor(unserved_input_ ? ae::Ready::kWrite : ae::Ready::kRead);
}

bool AdminConnection::BeginDraining() {
  phase_ = Phase::kDraining;
  idle_since_ = server_.loop().now();
  ::shutdown(fd_.get(), SHUT_WR);  // fails when the peer has gone, which the next read tells
  SetDeadline(kDrainTime);
  return WaitFor(ae::Ready::kRead);
}

void AdminConnection::Drain() {
  const ae::IoResult result = ae::Read(fd_.get(), input_);
  if (result.kind == ae::IoKind::kWouldBlock) return;
  drained_ += result.bytes;
  if (result.kind != ae::IoKind::kDone || drained_ > kDrainBytesMax) CloseNow();
}

bool AdminConnection::WaitFor(ae::Ready ready) {
  return event_.SetInterest(ready).has_value() || CloseNow();
}

void AdminConnection::SetDeadline(milliseconds time) {
  deadline_ = server_.loop().AddTimeEvent(time, [this]() -> std::optional<milliseconds> {
    if (phase_ == Phase::kAnswering || (phase_ == Phase::kReading && input_size_ != 0)) {
      server_.NoteTimeout();
    }
    CloseNow();
    return std::nullopt;
  });
}

bool AdminConnection::CloseNow() {
  server_.Close(*this);
  return false;
}

}  // namespace aeris
