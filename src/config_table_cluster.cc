// The rows of cluster and TLS.
#include "src/config_rows.h"
#include "src/config_special.h"

namespace aeris {
namespace {

using namespace config_rows;  // the vocabulary of the rows
using namespace config_special;

constexpr EnumName kEndpointTypes[] = {Name("ip", EndpointType::kIp),
                                       Name("hostname", EndpointType::kHostname),
                                       Name("unknown-endpoint", EndpointType::kUnknown)};
constexpr EnumName kTlsAuthClients[] = {Name("no", TlsAuthClients::kNo),
                                        Name("yes", TlsAuthClients::kYes),
                                        Name("optional", TlsAuthClients::kOptional)};
constexpr int kFixed = kConfigImmutable;

constexpr ConfigRow kRows[] = {
    // ---- Cluster
    Later("cluster-enabled", Bool<&Config::cluster_enabled>(), {.flags = kFixed}),
    Later("cluster-config-file", Text<&Config::cluster_config_file>(), {.flags = kFixed}),
    Later("cluster-node-timeout", Integer<&Config::cluster_node_timeout>(0, kInt64Max)),
    Later("cluster-port", Integer<&Config::cluster_port>(0, 65535), {.flags = kFixed}),
    Later("cluster-announce-ip", Text<&Config::cluster_announce_ip>()),
    Later("cluster-announce-hostname", Text<&Config::cluster_announce_hostname>(CheckHostname)),
    Later("cluster-announce-port", Integer<&Config::cluster_announce_port>(0, 65535)),
    Later("cluster-announce-tls-port", Integer<&Config::cluster_announce_tls_port>(0, 65535)),
    Later("cluster-announce-bus-port", Integer<&Config::cluster_announce_bus_port>(0, 65535)),
    Later("cluster-preferred-endpoint-type",
          Enum<&Config::cluster_preferred_endpoint_type>(kEndpointTypes)),
    Later("cluster-link-sendbuf-limit", Bytes<&Config::cluster_link_sendbuf_limit>(0, kUint64Max)),
    Later("cluster-migration-barrier", Integer<&Config::cluster_migration_barrier>(0, kInt32Max)),
    Later("cluster-replica-validity-factor",
          Integer<&Config::cluster_replica_validity_factor>(0, kInt32Max),
          {.alias = "cluster-slave-validity-factor"}),
    Later("cluster-replica-no-failover", Bool<&Config::cluster_replica_no_failover>(),
          {.alias = "cluster-slave-no-failover"}),
    Later("cluster-require-full-coverage", Bool<&Config::cluster_require_full_coverage>()),
    Later("cluster-allow-reads-when-down", Bool<&Config::cluster_allow_reads_when_down>()),
    Later("cluster-allow-pubsubshard-when-down",
          Bool<&Config::cluster_allow_pubsubshard_when_down>()),
    Later("cluster-allow-replica-migration", Bool<&Config::cluster_allow_replica_migration>()),

    // ---- TLS
    Later("tls-port", Integer<&Config::tls_port>(0, 65535)),
    Later("tls-cert-file", Text<&Config::tls_cert_file>()),
    Later("tls-key-file", Text<&Config::tls_key_file>()),
    Later("tls-key-file-pass", Text<&Config::tls_key_file_pass>(), {.flags = kConfigSensitive}),
    Later("tls-client-cert-file", Text<&Config::tls_client_cert_file>()),
    Later("tls-client-key-file", Text<&Config::tls_client_key_file>()),
    Later("tls-client-key-file-pass", Text<&Config::tls_client_key_file_pass>(),
          {.flags = kConfigSensitive}),
    Later("tls-dh-params-file", Text<&Config::tls_dh_params_file>()),
    Later("tls-ca-cert-file", Text<&Config::tls_ca_cert_file>()),
    Later("tls-ca-cert-dir", Text<&Config::tls_ca_cert_dir>()),
    Later("tls-auth-clients", Enum<&Config::tls_auth_clients>(kTlsAuthClients)),
    Later("tls-replication", Bool<&Config::tls_replication>()),
    Later("tls-cluster", Bool<&Config::tls_cluster>()),
    Later("tls-protocols", Text<&Config::tls_protocols>()),
    Later("tls-ciphers", Text<&Config::tls_ciphers>()),
    Later("tls-ciphersuites", Text<&Config::tls_ciphersuites>()),
    Later("tls-prefer-server-ciphers", Bool<&Config::tls_prefer_server_ciphers>()),
    Later("tls-session-caching", Bool<&Config::tls_session_caching>()),
    Later("tls-session-cache-size", Integer<&Config::tls_session_cache_size>(0, kInt32Max)),
    Later("tls-session-cache-timeout", Integer<&Config::tls_session_cache_timeout>(0, kInt32Max)),
};
static_assert(NamesAreLowerCaseAndUnique(kRows));

}  // namespace

std::span<const ConfigRow> ClusterConfigRows() { return kRows; }

}  // namespace aeris
