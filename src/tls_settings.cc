#include "src/tls_settings.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "src/config_value.h"
#include "src/text.h"

namespace aeris {
namespace {

using Result = std::expected<void, std::string>;

struct Protocol {
  std::string_view name;
  int version;
  std::uint64_t off;  // the option that excludes it
};
constexpr std::array<Protocol, 4> kProtocols = {{{"TLSv1", TLS1_VERSION, SSL_OP_NO_TLSv1},
                                                 {"TLSv1.1", TLS1_1_VERSION, SSL_OP_NO_TLSv1_1},
                                                 {"TLSv1.2", TLS1_2_VERSION, SSL_OP_NO_TLSv1_2},
                                                 {"TLSv1.3", TLS1_3_VERSION, SSL_OP_NO_TLSv1_3}}};
// Indices of those that are used when tls-protocols is empty.
constexpr std::size_t kUsualFirst = 2;

// Sessions of one context are not taken by another, so a change of any directive ends them: who
// must show a certificate now is not let in by what was agreed on before.
constexpr std::string_view kSessionContext = "aeris";

std::unexpected<std::string> Fault(std::string text) { return std::unexpected(std::move(text)); }

std::unexpected<std::string> FileFault(std::string_view what, const std::string& file) {
  std::string text(what);
  text += ": " + file + ": ";
  return std::unexpected(text + TakeTlsErrors());
}

const char* PathOrNull(const std::string& path) { return path.empty() ? nullptr : path.c_str(); }

Result SetProtocols(SSL_CTX* settings, const std::string& wanted) {
  std::array<bool, kProtocols.size()> used{};
  for (const std::string_view word : SplitAtBlanks(wanted)) {
    if (word.empty()) continue;
    const auto found = std::find_if(kProtocols.begin(), kProtocols.end(), [&](const Protocol& one) {
      return EqualsIgnoringCase(one.name, word);
    });
    if (found == kProtocols.end()) {
      return Fault(
          "Invalid tls-protocols specified. Use a combination of 'TLSv1', 'TLSv1.1', 'TLSv1.2' and "
          "'TLSv1.3'.");
    }
    used[static_cast<std::size_t>(found - kProtocols.begin())] = true;
  }
  if (std::find(used.begin(), used.end(), true) == used.end()) {
    std::fill(used.begin() + kUsualFirst, used.end(), true);
  }
  const auto first =
      static_cast<std::size_t>(std::find(used.begin(), used.end(), true) - used.begin());
  // The machine's own minimum would stand in the way of an older one that is asked for by name.
  SSL_CTX_set_min_proto_version(settings, kProtocols[first].version);
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (!used[i]) SSL_CTX_set_options(settings, kProtocols[i].off);
  }
  return {};
}

// With ciphers and suites.
Result SetCiphers(SSL_CTX* settings, const Config& config) {
  if (config.tls_prefer_server_ciphers) {
    SSL_CTX_set_options(settings, SSL_OP_CIPHER_SERVER_PREFERENCE);
  }
  if (!config.tls_ciphers.empty() &&
      SSL_CTX_set_cipher_list(settings, config.tls_ciphers.c_str()) != 1) {
    return Fault("Failed to configure ciphers: " + config.tls_ciphers + ": " + TakeTlsErrors());
  }
  if (!config.tls_ciphersuites.empty() &&
      SSL_CTX_set_ciphersuites(settings, config.tls_ciphersuites.c_str()) != 1) {
    return Fault("Failed to configure ciphersuites: " + config.tls_ciphersuites + ": " +
                 TakeTlsErrors());
  }
  return {};
}

void SetSessions(SSL_CTX* settings, const Config& config) {
  SSL_CTX_set_session_id_context(settings,
                                 reinterpret_cast<const unsigned char*>(kSessionContext.data()),
                                 static_cast<unsigned>(kSessionContext.size()));
  if (!config.tls_session_caching) {
    SSL_CTX_set_session_cache_mode(settings, SSL_SESS_CACHE_OFF);
    // Nor are they kept by the client.
    SSL_CTX_set_options(settings, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(settings, 0);
    return;
  }
  SSL_CTX_set_session_cache_mode(settings, SSL_SESS_CACHE_SERVER);
  SSL_CTX_sess_set_cache_size(settings, config.tls_session_cache_size);
  SSL_CTX_set_timeout(settings, config.tls_session_cache_timeout);
}

// OpenSSL asks for the password of a key; without this it would ask the terminal.
int GivePassword(char* out, int room, int, void* config) {
  const std::string& password = static_cast<const Config*>(config)->tls_key_file_pass;
  if (password.empty() || password.size() > static_cast<std::size_t>(room)) return -1;
  password.copy(out, password.size());
  return static_cast<int>(password.size());
}

Result LoadCertificate(SSL_CTX* settings, const Config& config) {
  // Gone when this function returns: the key is read here and now.
  SSL_CTX_set_default_passwd_cb(settings, GivePassword);
  SSL_CTX_set_default_passwd_cb_userdata(settings, const_cast<Config*>(&config));
  Result loaded;
  if (SSL_CTX_use_certificate_chain_file(settings, config.tls_cert_file.c_str()) != 1) {
    loaded = FileFault("Failed to load certificate", config.tls_cert_file);
  } else if (SSL_CTX_use_PrivateKey_file(settings, config.tls_key_file.c_str(), SSL_FILETYPE_PEM) !=
             1) {
    loaded = FileFault("Failed to load private key", config.tls_key_file);
  } else if (SSL_CTX_check_private_key(settings) != 1) {
    loaded = FileFault("The private key does not belong to the certificate " + config.tls_cert_file,
                       config.tls_key_file);
  }
  SSL_CTX_set_default_passwd_cb_userdata(settings, nullptr);
  return loaded;
}

Result SetAuthentication(SSL_CTX* settings, const Config& config) {
  const std::string& file = config.tls_ca_cert_file;
  const std::string& folder = config.tls_ca_cert_dir;
  if (!(file.empty() && folder.empty()) &&
      SSL_CTX_load_verify_locations(settings, PathOrNull(file), PathOrNull(folder)) != 1) {
    return FileFault("Failed to configure CA certificate(s) file/directory",
                     file.empty() ? folder : file);
  }
  int mode = SSL_VERIFY_NONE;
  if (config.tls_auth_clients != TlsAuthClients::kNo) mode = SSL_VERIFY_PEER;
  if (config.tls_auth_clients == TlsAuthClients::kYes) mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  SSL_CTX_set_verify(settings, mode, nullptr);
  return {};
}

struct BioFree {
  void operator()(BIO* bio) const { BIO_free(bio); }
};

Result LoadDhParameters(SSL_CTX* settings, const std::string& path) {
  if (path.empty()) return {};
  const std::unique_ptr<BIO, BioFree> file(BIO_new_file(path.c_str(), "r"));
  EVP_PKEY* const parameters = file ? PEM_read_bio_Parameters(file.get(), nullptr) : nullptr;
  if (parameters == nullptr) return FileFault("Failed to read DH params", path);
  if (SSL_CTX_set0_tmp_dh_pkey(settings, parameters) == 1) return {};
  EVP_PKEY_free(parameters);
  return FileFault("Failed to use DH params", path);
}

Result FilesAreNamed(const Config& config) {
  if (config.tls_cert_file.empty()) return Fault("No tls-cert-file configured!");
  if (config.tls_key_file.empty()) return Fault("No tls-key-file configured!");
  if (config.tls_auth_clients != TlsAuthClients::kNo && config.tls_ca_cert_file.empty() &&
      config.tls_ca_cert_dir.empty()) {
    return Fault(
        "Either tls-ca-cert-file or tls-ca-cert-dir must be specified when tls-auth-clients is "
        "enabled!");
  }
  return {};
}

void SetModes(SSL_CTX* settings) {
  // Idle connections keep no buffers; records of a reply that was cut short are sent again from
  // where the reply lies then.
  SSL_CTX_set_mode(settings, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // One read(2) for all records that are there, instead of two for each.
  SSL_CTX_set_read_ahead(settings, 1);
  // A request says its own length, so a connection that ends without a word hides nothing.
  SSL_CTX_set_options(settings, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                    SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_SINGLE_DH_USE);
}

}  // namespace

void TlsSettingsDeleter::operator()(ssl_ctx_st* settings) const { SSL_CTX_free(settings); }

std::expected<TlsSettings, std::string> MakeTlsSettings(const Config& config) {
  if (Result named = FilesAreNamed(config); !named) return std::unexpected(named.error());
  ERR_clear_error();
  TlsSettings made(SSL_CTX_new(TLS_server_method()));
  if (!made) return Fault("Failed to create an SSL context: " + TakeTlsErrors());
  SSL_CTX* const settings = made.get();
  SetModes(settings);
  SetSessions(settings, config);
  Result done = SetProtocols(settings, config.tls_protocols);
  if (done) done = LoadCertificate(settings, config);
  if (done) done = SetAuthentication(settings, config);
  if (done) done = LoadDhParameters(settings, config.tls_dh_params_file);
  if (done) done = SetCiphers(settings, config);
  if (!done) return std::unexpected(done.error());
  return made;
}

std::string TlsCertificateWarning(const ssl_ctx_st& settings, const Config& config) {
  const X509* const certificate = SSL_CTX_get0_certificate(&settings);
  if (certificate == nullptr) return {};
  const std::string name = "The certificate in tls-cert-file " + config.tls_cert_file;
  if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0) return name + " has expired.";
  if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0) {
    return name + " is not valid yet.";
  }
  return {};
}

std::string TakeTlsErrors() {
  std::string text;
  for (unsigned long error = ERR_get_error(); error != 0; error = ERR_get_error()) {
    char line[256];
    ERR_error_string_n(error, line, sizeof line);
    if (!text.empty()) text += "; ";
    text += line;
  }
  return text.empty() ? "unknown error" : text;
}

FileIdentities FileIdentities::Of(const Config& config) {
  FileIdentities identities;
  for (const std::string* path :
       {&config.tls_cert_file, &config.tls_key_file, &config.tls_ca_cert_file,
        &config.tls_ca_cert_dir, &config.tls_dh_params_file}) {
    struct stat status {};
    Identity identity;
    if (!path->empty() && ::stat(path->c_str(), &status) == 0) {
      identity = {.device = status.st_dev,
                  .inode = status.st_ino,
                  .bytes = status.st_size,
                  .changed_ns = status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec};
    }
    identities.files_.push_back(identity);
  }
  return identities;
}

}  // namespace aeris
