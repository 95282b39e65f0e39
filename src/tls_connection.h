// TlsConnection: TLS between the bytes of one client and its socket, as ae/socket.h's calls would
// be without it.
//
//   shaking --Shake()--> open --error--> failed: every later call fails alike
//
// OpenSSL may have taken more from the socket than it has given out; has_more() tells, and the
// socket may never be ready again for that. Either direction may wait for the other one of the
// socket (a key update must be answered before more is read); CanRead(), CanWrite() and Interest()
// translate.
//
// Cost:     a read(2) and its decryption for all records that are there; small pieces of a reply
//           are gathered into records of 16 KiB, larger ones are encrypted from where they lie.
//           One send(2) per record. A client without TLS pays one test per read and per write.
// Memory:   memory() is exact with jemalloc. OpenSSL keeps 15.6 KiB for an idle connection, 8 KiB
//           more where the client has shown a certificate; redis-server takes 34 KiB. Nothing
//           before the first byte has come.
// Rejected: kernel TLS. OpenSSL 3.0 gives the kernel only the sending side of TLS 1.3, so the SSL
//           object would stay; the module is not there on every machine.
//           Two memory BIOs instead of one over the socket: a copy and 34 KiB more per connection.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "ae/poller.h"
#include "ae/socket.h"

struct bio_method_st;
struct bio_st;
struct ssl_ctx_st;
struct ssl_st;

namespace aeris {

class ThreadAllocation;
class TlsBio;

class TlsConnection {
 public:
  enum class Handshake : std::uint8_t { kDone, kWantsRead, kWantsWrite, kFailed };

  // Of the server's end. `settings` is kept alive; `fd`, `bio` and `allocation` outlive the
  // connection.
  TlsConnection(ssl_ctx_st& settings, int fd, const TlsBio& bio,
                const ThreadAllocation& allocation);
  TlsConnection(const TlsConnection&) = delete;
  TlsConnection& operator=(const TlsConnection&) = delete;
  // Says goodbye (close_notify) if the socket takes it at once.
  ~TlsConnection();

  // The next step of the handshake, as far as the bytes that have come allow. At most one
  // signature: a millisecond with an RSA key of 2048 bits.
  Handshake Shake();
  bool shaking() const { return shaking_; }
  // Why the last call failed, one line.
  const std::string& error() const { return error_; }
  // The peer went, or was reset, before it had said anything that could be wrong.
  bool left() const { return left_; }

  // As ae::ReadV and ae::WriteV, which may move less than they could. kFailed's errno is EPROTO
  // when error() knows more.
  [[nodiscard]] ae::IoResult ReadV(std::span<const iovec> pieces);
  [[nodiscard]] ae::IoResult Read(std::span<char> bytes);
  [[nodiscard]] ae::IoResult WriteV(std::span<const iovec> pieces);

  // Read() has something to give, or to tell, without the socket.
  bool has_more() const { return has_more_; }
  // The next read has to wait until the socket can be written to.
  bool read_wants_write() const { return read_wants_write_; }
  // What the socket's readiness allows.
  bool CanRead(ae::Ready ready) const {
    return ae::Has(ready, ae::Ready::kRead) ||
           (read_wants_write_ && ae::Has(ready, ae::Ready::kWrite));
  }
  bool CanWrite(ae::Ready ready) const {
    return ae::Has(ready, ae::Ready::kWrite) ||
           (write_wants_read_ && ae::Has(ready, ae::Ready::kRead));
  }
  // What to watch the socket for when `wanted` is to be done with the connection.
  ae::Ready Interest(ae::Ready wanted) const;

  // "TLSv1.3", "TLS_AES_256_GCM_SHA384"; for the log.
  std::string Description() const;
  // Bytes of the heap.
  std::size_t memory() const;

 private:
  friend class TlsBio;
  class Measured;

  bool Open();
  // Sorts what SSL_get_error says about a call that returned `result`.
  ae::IoResult Failed(int result);

  ssl_ctx_st* settings_;
  const TlsBio& bio_;
  const ThreadAllocation& allocation_;
  ssl_st* ssl_ = nullptr;
  int fd_;
  int io_errno_ = 0;  // of the socket's last failure
  std::int64_t bytes_ = 0;
  std::string error_;
  bool shaking_ = true;
  bool failed_ = false;
  bool left_ = false;
  bool has_more_ = false;
  bool read_wants_write_ = false;
  bool write_wants_read_ = false;
  bool write_pending_ = false;  // a record is half sent
};

// How OpenSSL reads and writes sockets: by ae/socket.h, so that no SIGPIPE comes. One for all
// connections.
class TlsBio {
 public:
  TlsBio();
  TlsBio(const TlsBio&) = delete;
  TlsBio& operator=(const TlsBio&) = delete;
  ~TlsBio();
  // Null without memory.
  bio_st* Make(TlsConnection& connection) const;

 private:
  static int ReadSocket(bio_st* bio, char* out, int room);
  static int WriteSocket(bio_st* bio, const char* bytes, int count);
  static long Control(bio_st* bio, int command, long number, void* argument);
  static int Create(bio_st* bio);

  bio_method_st* method_;
};

}  // namespace aeris
