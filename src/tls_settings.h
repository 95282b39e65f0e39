// TlsSettings: what the tls directives say, made into what OpenSSL takes; and whether the files
// that they name have changed.
//
// Made as a whole or not at all, so that a fault in any of the directives or files leaves what
// serves now as it is.
// Cost: some ms, mostly for reading keys and certificates. FileIdentities: a stat(2) per file.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "src/config.h"

// OpenSSL's types, so that its headers stay in the files that call it.
struct ssl_ctx_st;

namespace aeris {

struct TlsSettingsDeleter {
  void operator()(ssl_ctx_st* settings) const;
};
using TlsSettings = std::unique_ptr<ssl_ctx_st, TlsSettingsDeleter>;

// The error is one line for the log: what failed, with which file, and why.
std::expected<TlsSettings, std::string> MakeTlsSettings(const Config& config);

// A line for the log when the certificate is of no use to clients that look at its dates; else
// empty. Not a fault: a server that starts with it can still be told to take another.
std::string TlsCertificateWarning(const ssl_ctx_st& settings, const Config& config);

// OpenSSL's errors of this thread as one line, which are forgotten then. "unknown error" when there
// are none.
std::string TakeTlsErrors();

// Which files there are, as far as stat(2) tells. A file that is replaced, written, or reached
// through other links has another identity; one that is missing has none.
class FileIdentities {
 public:
  FileIdentities() = default;
  // Of all files and folders that the tls directives name.
  static FileIdentities Of(const Config& config);
  bool operator==(const FileIdentities&) const = default;

 private:
  struct Identity {
    dev_t device = 0;
    ino_t inode = 0;
    off_t bytes = 0;
    std::int64_t changed_ns = 0;
    bool operator==(const Identity&) const = default;
  };
  std::vector<Identity> files_;
};

}  // namespace aeris
