#include "src/tls_connection.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "src/base/check.h"
#include "src/memory_info.h"
#include "src/tls_settings.h"
#include "storage/allocated_bytes.h"

namespace aeris {
namespace {

// The most that a record carries.
constexpr std::size_t kRecordBytes = SSL3_RT_MAX_PLAIN_LENGTH;
// Of one WriteV(): the socket's buffer does not bound it while a fast peer empties it.
constexpr std::size_t kWriteBytesMax = 16 * kRecordBytes;

// Of one Read(): records may have one byte each.
constexpr int kRecordsPerRead = 256;

// A place among pieces.
struct Cursor {
  std::span<const iovec> pieces;
  std::size_t offset = 0;  // in the first of them

  std::string_view piece() const {
    return {static_cast<const char*>(pieces[0].iov_base) + offset, pieces[0].iov_len - offset};
  }
  void Advance(std::size_t bytes) {
    while (bytes > 0 || (!pieces.empty() && piece().empty())) {
      const std::size_t here = std::min(bytes, piece().size());
      offset += here;
      bytes -= here;
      if (!piece().empty()) return;
      pieces = pieces.subspan(1);
      offset = 0;
    }
  }
};

// The bytes of the next record: where they lie, or gathered. A record that was half sent is offered
// again with the same bytes in front, since as many are taken as there are.
std::string_view NextRecord(Cursor cursor, std::span<char, kRecordBytes> gathered) {
  cursor.Advance(0);
  if (cursor.pieces.empty()) return {};
  if (cursor.pieces.size() == 1 || cursor.piece().size() >= kRecordBytes) {
    return cursor.piece().substr(0, kRecordBytes);
  }
  std::size_t size = 0;
  while (!cursor.pieces.empty() && size < kRecordBytes) {
    const std::string_view bytes = cursor.piece().substr(0, kRecordBytes - size);
    bytes.copy(gathered.data() + size, bytes.size());
    size += bytes.size();
    cursor.Advance(bytes.size());
  }
  return {gathered.data(), size};
}

}  // namespace

// What OpenSSL allocates and frees meanwhile belongs to the connection.
class TlsConnection::Measured {
 public:
  explicit Measured(TlsConnection& connection)
      : connection_(connection), before_(connection.allocation_.net_bytes()) {}
  Measured(const Measured&) = delete;
  Measured& operator=(const Measured&) = delete;
  ~Measured() { connection_.bytes_ += connection_.allocation_.net_bytes() - before_; }

 private:
  TlsConnection& connection_;
  std::int64_t before_;
};

TlsConnection::TlsConnection(ssl_ctx_st& settings, int fd, const TlsBio& bio,
                             const ThreadAllocation& allocation)
    : settings_(&settings), bio_(bio), allocation_(allocation), fd_(fd) {
  SSL_CTX_up_ref(settings_);
}

TlsConnection::~TlsConnection() {
  if (ssl_ != nullptr && !shaking_ && !failed_ && !write_pending_) {
    ERR_clear_error();
    SSL_shutdown(ssl_);
  }
  SSL_free(ssl_);
  SSL_CTX_free(settings_);
}

bool TlsConnection::Open() {
  const Measured measured(*this);
  ssl_ = SSL_new(settings_);
  BIO* const bio = ssl_ == nullptr ? nullptr : bio_.Make(*this);
  if (bio == nullptr) return false;
  SSL_set_bio(ssl_, bio, bio);
  SSL_set_accept_state(ssl_);
  return true;
}

TlsConnection::Handshake TlsConnection::Shake() {
  AERIS_DCHECK(shaking_);
  if (ssl_ == nullptr && !Open()) {
    failed_ = true;
    error_ = TakeTlsErrors();
    return Handshake::kFailed;
  }
  const Measured measured(*this);
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_);
  if (result == 1) {
    shaking_ = false;
    // With its last step, the peer may have sent its first requests.
    has_more_ = SSL_has_pending(ssl_) != 0;
    return Handshake::kDone;
  }
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_WANT_READ:
      return Handshake::kWantsRead;
    case SSL_ERROR_WANT_WRITE:
      return Handshake::kWantsWrite;
    default:
      break;
  }
  left_ = Failed(result).kind == ae::IoKind::kClosed || io_errno_ != 0;
  failed_ = true;
  return Handshake::kFailed;
}

ae::IoResult TlsConnection::Failed(int result) {
  const int kind = SSL_get_error(ssl_, result);
  if (kind == SSL_ERROR_ZERO_RETURN) {
    error_ = "the connection was closed";
    return {.kind = ae::IoKind::kClosed};
  }
  failed_ = true;
  if (kind == SSL_ERROR_SYSCALL && io_errno_ != 0) {
    error_ = std::strerror(io_errno_);
    return {.kind = ae::IoKind::kFailed, .sys_errno = io_errno_};
  }
  if (kind == SSL_ERROR_SYSCALL && ERR_peek_error() == 0) {
    error_ = "the connection was closed";
    return {.kind = ae::IoKind::kClosed};
  }
  error_ = TakeTlsErrors();
  return {.kind = ae::IoKind::kFailed, .sys_errno = EPROTO};
}

ae::IoResult TlsConnection::Read(std::span<char> bytes) {
  AERIS_DCHECK(!shaking_ && !bytes.empty());
  has_more_ = false;
  read_wants_write_ = false;
  if (failed_) return {.kind = ae::IoKind::kFailed, .sys_errno = EPROTO};
  const Measured measured(*this);
  std::size_t got = 0;
  int records = 0;
  do {
    std::size_t now = 0;
    ERR_clear_error();
    const int result = SSL_read_ex(ssl_, bytes.data() + got, bytes.size() - got, &now);
    if (result == 1) {
      got += now;
      continue;
    }
    const int kind = SSL_get_error(ssl_, result);
    read_wants_write_ = kind == SSL_ERROR_WANT_WRITE;
    const bool waits = read_wants_write_ || kind == SSL_ERROR_WANT_READ;
    const ae::IoResult failure =
        waits ? ae::IoResult{.kind = ae::IoKind::kWouldBlock} : Failed(result);
    if (got == 0) return failure;
    // What came before is given out first; the next call meets the same again.
    has_more_ = !waits;
    return {.kind = ae::IoKind::kDone, .bytes = got};
  } while (got < bytes.size() && ++records < kRecordsPerRead && SSL_has_pending(ssl_) != 0);
  has_more_ = SSL_has_pending(ssl_) != 0;
  return {.kind = ae::IoKind::kDone, .bytes = got};
}

ae::IoResult TlsConnection::ReadV(std::span<const iovec> pieces) {
  std::size_t got = 0;
  for (const iovec& piece : pieces) {
    if (piece.iov_len == 0) continue;
    const ae::IoResult result = Read({static_cast<char*>(piece.iov_base), piece.iov_len});
    if (result.kind != ae::IoKind::kDone) {
      if (got == 0) return result;
      has_more_ = result.kind != ae::IoKind::kWouldBlock;
      break;
    }
    got += result.bytes;
    if (result.bytes < piece.iov_len || !has_more_) break;
  }
  return {.kind = ae::IoKind::kDone, .bytes = got};
}

ae::IoResult TlsConnection::WriteV(std::span<const iovec> pieces) {
  AERIS_DCHECK(!shaking_);
  write_wants_read_ = false;
  if (failed_) return {.kind = ae::IoKind::kFailed, .sys_errno = EPROTO};
  const Measured measured(*this);
  std::array<char, kRecordBytes> gathered;
  Cursor cursor{.pieces = pieces};
  std::size_t written = 0;
  while (written < kWriteBytesMax) {
    const std::string_view record = NextRecord(cursor, gathered);
    if (record.empty()) break;
    std::size_t taken = 0;
    ERR_clear_error();
    const int result = SSL_write_ex(ssl_, record.data(), record.size(), &taken);
    if (result != 1) {
      const int kind = SSL_get_error(ssl_, result);
      write_wants_read_ = kind == SSL_ERROR_WANT_READ;
      write_pending_ = kind == SSL_ERROR_WANT_WRITE;
      const bool waits = write_wants_read_ || write_pending_;
      const ae::IoResult failure =
          waits ? ae::IoResult{.kind = ae::IoKind::kWouldBlock} : Failed(result);
      if (written == 0) return failure;
      break;
    }
    write_pending_ = false;
    written += taken;
    cursor.Advance(taken);
  }
  return {.kind = ae::IoKind::kDone, .bytes = written};
}

ae::Ready TlsConnection::Interest(ae::Ready wanted) const {
  ae::Ready interest = ae::Ready::kNone;
  if (ae::Has(wanted, ae::Ready::kRead)) {
    interest |= ae::Ready::kRead;
    if (read_wants_write_) interest |= ae::Ready::kWrite;
  }
  if (ae::Has(wanted, ae::Ready::kWrite)) {
    interest |= write_wants_read_ ? ae::Ready::kRead : ae::Ready::kWrite;
  }
  return interest;
}

std::string TlsConnection::Description() const {
  if (ssl_ == nullptr || shaking_) return "no handshake yet";
  return std::string(SSL_get_version(ssl_)) + " " + SSL_get_cipher_name(ssl_);
}

std::size_t TlsConnection::memory() const {
  return storage::AllocatedBytes(sizeof *this) +
         static_cast<std::size_t>(std::max<std::int64_t>(bytes_, 0));
}

// ---- The sockets

TlsBio::TlsBio() {
  const int index = BIO_get_new_index();
  AERIS_CHECK(index != -1);
  method_ = BIO_meth_new(index | BIO_TYPE_SOURCE_SINK, "aeris client");
  AERIS_CHECK(method_ != nullptr);
  BIO_meth_set_read(method_, ReadSocket);
  BIO_meth_set_write(method_, WriteSocket);
  BIO_meth_set_ctrl(method_, Control);
  BIO_meth_set_create(method_, Create);
}

TlsBio::~TlsBio() { BIO_meth_free(method_); }

bio_st* TlsBio::Make(TlsConnection& connection) const {
  BIO* const bio = BIO_new(method_);
  if (bio != nullptr) BIO_set_data(bio, &connection);
  return bio;
}

int TlsBio::Create(bio_st* bio) {
  BIO_set_init(bio, 1);
  return 1;
}

int TlsBio::ReadSocket(bio_st* bio, char* out, int room) {
  auto& connection = *static_cast<TlsConnection*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (room <= 0) return 0;
  const ae::IoResult result = ae::Read(connection.fd_, {out, static_cast<std::size_t>(room)});
  switch (result.kind) {
    case ae::IoKind::kDone:
      return static_cast<int>(result.bytes);
    case ae::IoKind::kWouldBlock:
      BIO_set_retry_read(bio);
      return -1;
    case ae::IoKind::kClosed:
      BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
      return 0;
    case ae::IoKind::kFailed:
      break;
  }
  connection.io_errno_ = result.sys_errno;
  return -1;
}

int TlsBio::WriteSocket(bio_st* bio, const char* bytes, int count) {
  auto& connection = *static_cast<TlsConnection*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (count <= 0) return 0;
  const ae::IoResult result = ae::Write(connection.fd_, {bytes, static_cast<std::size_t>(count)});
  if (result.kind == ae::IoKind::kDone) return static_cast<int>(result.bytes);
  if (result.kind == ae::IoKind::kWouldBlock) {
    BIO_set_retry_write(bio);
  } else {
    connection.io_errno_ = result.sys_errno;
  }
  return -1;
}

// What a socket's does; kernel TLS is among what it does not know.
long TlsBio::Control(bio_st* bio, int command, long, void*) {
  if (command == BIO_CTRL_FLUSH) return 1;
  if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
  return 0;
}

}  // namespace aeris
