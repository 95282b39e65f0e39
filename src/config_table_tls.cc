// The rows of TLS.
#include "src/config_rows.h"

namespace aeris {
namespace {

using namespace config_rows;  // the vocabulary of the rows

constexpr EnumName kTlsAuthClients[] = {Name("no", TlsAuthClients::kNo),
                                        Name("yes", TlsAuthClients::kYes),
                                        Name("optional", TlsAuthClients::kOptional)};

// Of those that make the settings of new connections.
constexpr RowExtras kSettings = {.hook = ConfigHook::kTls};

constexpr ConfigRow kRows[] = {
    Works("tls-port", Integer<&Config::tls_port>(0, 65535), {.hook = ConfigHook::kTlsPort}),
    Works("tls-cert-file", Text<&Config::tls_cert_file>(), kSettings),
    Works("tls-key-file", Text<&Config::tls_key_file>(), kSettings),
    Works("tls-key-file-pass", Text<&Config::tls_key_file_pass>(),
          {.flags = kConfigSensitive, .hook = ConfigHook::kTls}),
    Works("tls-dh-params-file", Text<&Config::tls_dh_params_file>(), kSettings),
    Works("tls-ca-cert-file", Text<&Config::tls_ca_cert_file>(), kSettings),
    Works("tls-ca-cert-dir", Text<&Config::tls_ca_cert_dir>(), kSettings),
    Works("tls-auth-clients", Enum<&Config::tls_auth_clients>(kTlsAuthClients), kSettings),
    Works("tls-protocols", Text<&Config::tls_protocols>(), kSettings),
    Works("tls-ciphers", Text<&Config::tls_ciphers>(), kSettings),
    Works("tls-ciphersuites", Text<&Config::tls_ciphersuites>(), kSettings),
    Works("tls-prefer-server-ciphers", Bool<&Config::tls_prefer_server_ciphers>(), kSettings),
    Works("tls-session-caching", Bool<&Config::tls_session_caching>(), kSettings),
    Works("tls-session-cache-size", Integer<&Config::tls_session_cache_size>(0, kInt32Max),
          kSettings),
    Works("tls-session-cache-timeout", Integer<&Config::tls_session_cache_timeout>(0, kInt32Max),
          kSettings),

    // Of connections that the server opens: to a primary, to nodes of a cluster. It opens none yet.
    Later("tls-client-cert-file", Text<&Config::tls_client_cert_file>()),
    Later("tls-client-key-file", Text<&Config::tls_client_key_file>()),
    Later("tls-client-key-file-pass", Text<&Config::tls_client_key_file_pass>(),
          {.flags = kConfigSensitive}),
    Later("tls-replication", Bool<&Config::tls_replication>()),
    Later("tls-cluster", Bool<&Config::tls_cluster>()),
};
static_assert(NamesAreLowerCaseAndUnique(kRows));

}  // namespace

std::span<const ConfigRow> TlsConfigRows() { return kRows; }

}  // namespace aeris
