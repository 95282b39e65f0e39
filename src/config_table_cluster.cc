// The rows of cluster.
#include "src/config_rows.h"
#include "src/config_special.h"

namespace aeris {
namespace {

using namespace config_rows;  // the vocabulary of the rows
using namespace config_special;

constexpr EnumName kEndpointTypes[] = {Name("ip", EndpointType::kIp),
                                       Name("hostname", EndpointType::kHostname),
                                       Name("unknown-endpoint", EndpointType::kUnknown)};
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
};
static_assert(NamesAreLowerCaseAndUnique(kRows));

}  // namespace

std::span<const ConfigRow> ClusterConfigRows() { return kRows; }

}  // namespace aeris
