// Certificates and keys made by the test itself, as files.
#pragma once

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "src/base/check.h"

namespace aeris::testing {

struct SslFree {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(SSL_CTX* settings) const { SSL_CTX_free(settings); }
  void operator()(SSL* connection) const { SSL_free(connection); }
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using Key = std::unique_ptr<EVP_PKEY, SslFree>;
using Certificate = std::unique_ptr<X509, SslFree>;

inline Key MakeKey() { return Key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")); }

struct CertificateOptions {
  std::string name = "localhost";
  long valid_from = -3600;  // seconds from now
  long valid_until = 3600;
  bool authority = false;  // it may sign others
};

// Of `key`, signed by `signer` with its own certificate; by itself when there is none.
inline Certificate MakeCertificate(EVP_PKEY& key, const CertificateOptions& options = {},
                                   const X509* issuer = nullptr, EVP_PKEY* signer = nullptr) {
  static long serial = 0;
  Certificate made(X509_new());
  X509_set_version(made.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), options.valid_from);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), options.valid_until);
  X509_NAME* const name = X509_get_subject_name(made.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(options.name.c_str()), -1, -1,
                             0);
  X509_set_issuer_name(made.get(), issuer != nullptr ? X509_get_subject_name(issuer) : name);
  X509_set_pubkey(made.get(), &key);
  if (options.authority) {
    X509_EXTENSION* const extension =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_basic_constraints, "critical,CA:TRUE");
    AERIS_CHECK(X509_add_ext(made.get(), extension, -1) == 1);
    X509_EXTENSION_free(extension);
  }
  AERIS_CHECK(X509_sign(made.get(), signer != nullptr ? signer : &key, EVP_sha256()) > 0);
  return made;
}

inline void WriteKey(const std::string& path, EVP_PKEY& key, const char* password = nullptr) {
  const std::unique_ptr<std::FILE, SslFree> file(std::fopen(path.c_str(), "we"));
  const EVP_CIPHER* const cipher = password != nullptr ? EVP_aes_256_cbc() : nullptr;
  AERIS_CHECK(PEM_write_PrivateKey(file.get(), &key, cipher, nullptr, 0, nullptr,
                                   const_cast<char*>(password)) == 1);
}

inline void WriteCertificate(const std::string& path, X509& certificate) {
  const std::unique_ptr<std::FILE, SslFree> file(std::fopen(path.c_str(), "we"));
  AERIS_CHECK(PEM_write_X509(file.get(), &certificate) == 1);
}

// A folder with an authority (ca.crt), a server's and a client's certificate that it has signed.
class TlsFiles {
 public:
  TlsFiles() {
    std::string folder = "/tmp/aeris-tls-test-XXXXXX";
    AERIS_CHECK(mkdtemp(folder.data()) != nullptr);
    folder_ = folder;
    authority_key_ = MakeKey();
    authority_ = MakeCertificate(*authority_key_, {.name = "Authority", .authority = true});
    WriteCertificate(path("ca.crt"), *authority_);
    Write("server");
    Write("client");
  }
  TlsFiles(const TlsFiles&) = delete;
  TlsFiles& operator=(const TlsFiles&) = delete;
  ~TlsFiles() { std::filesystem::remove_all(folder_); }

  std::string path(std::string_view name) const { return folder_ + "/" + std::string(name); }
  // NAME.crt and NAME.key, signed by the authority.
  void Write(const std::string& name, const CertificateOptions& options = {}) const {
    const Key key = MakeKey();
    WriteKey(path(name + ".key"), *key);
    WriteCertificate(path(name + ".crt"),
                     *MakeCertificate(*key, options, authority_.get(), authority_key_.get()));
  }

 private:
  std::string folder_;
  Key authority_key_;
  Certificate authority_;
};

}  // namespace aeris::testing
