// LATENCY: what took longer than latency-monitor-threshold, and how long commands take.
#include <fmt/format.h>

#include "src/command_context.h"
#include "src/command_table.h"
#include "src/commands/families.h"
#include "src/commands/help.h"
#include "src/commands/key_specs.h"
#include "src/latency_doctor.h"
#include "src/latency_graph.h"
#include "src/server.h"
#include "src/text.h"

namespace aeris {
namespace {

// LATENCY LATEST. Replies an array of [event, unix seconds and milliseconds of its latest sample,
// milliseconds of its worst].
void LatencyLatest(CommandContext& context) {
  const LatencyMonitor::Events& events = context.server().latency().events();
  protocol::ReplyWriter& reply = context.reply();
  reply.Array(events.size());
  for (const auto& [name, series] : events) {
    const LatencyMonitor::Sample latest = series.latest();
    reply.Array(4);
    reply.Bulk(name);
    reply.Integer(latest.unix_seconds);
    reply.Integer(latest.milliseconds);
    reply.Integer(series.max_ms);
  }
}

// LATENCY HISTORY event. Replies an array of [unix seconds, milliseconds], oldest first.
void LatencyHistory(CommandContext& context) {
  protocol::ReplyWriter& reply = context.reply();
  const LatencyMonitor::Series* const series = context.server().latency().Find(context.arg(2));
  if (series == nullptr) return reply.EmptyArray();
  const std::vector<LatencyMonitor::Sample> samples = series->OldestFirst();
  reply.Array(samples.size());
  for (const LatencyMonitor::Sample& sample : samples) {
    reply.Array(2);
    reply.Integer(sample.unix_seconds);
    reply.Integer(sample.milliseconds);
  }
}

// LATENCY RESET [event ...]. Replies the number of events that were removed.
void LatencyReset(CommandContext& context) {
  LatencyMonitor& latency = context.server().latency();
  std::size_t removed = 0;
  if (context.argc() == 2) removed = latency.ResetAll();
  for (std::size_t i = 2; i < context.argc(); ++i) removed += latency.Reset(context.arg(i));
  context.reply().Integer(static_cast<std::int64_t>(removed));
}

// Writes one pair of LATENCY HISTOGRAM's map. Returns the pairs written, 0 for a command that has
// not been called.
std::size_t ReplyHistogram(protocol::ReplyWriter& reply, const Command& command) {
  const LatencyHistogram& histogram = command.stats().latency;
  if (histogram.empty()) return 0;
  const auto buckets = histogram.CumulativeByPowersOfTwo();
  reply.Bulk(command.full_name());
  reply.Map(2);
  reply.Bulk("calls");
  reply.Integer(static_cast<std::int64_t>(histogram.count()));
  reply.Bulk("histogram_usec");
  reply.Map(buckets.size());
  for (const auto& [microseconds, count] : buckets) {
    reply.Integer(microseconds);
    reply.Integer(static_cast<std::int64_t>(count));
  }
  return 1;
}

std::size_t ReplyHistograms(protocol::ReplyWriter& reply, const Command& command) {
  std::size_t pairs = ReplyHistogram(reply, command);
  for (const auto& subcommand : command.subcommands()) pairs += ReplyHistogram(reply, *subcommand);
  return pairs;
}

// LATENCY HISTOGRAM [command ...]. Replies a map from a command's name to {calls, histogram_usec:
// {upper bound: cumulative calls}}. A container stands for its subcommands; unknown names and
// commands that were not called are left out.
void LatencyHistograms(CommandContext& context) {
  protocol::ReplyWriter& reply = context.reply();
  const CommandTable& commands = context.server().commands();
  auto map = reply.BeginMap();
  std::size_t pairs = 0;
  if (context.argc() == 2) {
    for (const auto& named : commands.commands()) pairs += ReplyHistograms(reply, *named.command);
  }
  for (std::size_t i = 2; i < context.argc(); ++i) {
    const Command* const command = commands.FindFullName(context.arg(i));
    if (command != nullptr) pairs += ReplyHistograms(reply, *command);
  }
  reply.EndMap(map, pairs);
}

// LATENCY DOCTOR. Replies a text for people.
void LatencyDoctor(CommandContext& context) {
  const Server& server = context.server();
  context.reply().Verbatim(
      LatencyReport(context.server().latency(),
                    {.threshold_ms = server.config().latency_monitor_threshold,
                     .slowlog_slower_than_us = server.config().slowlog_log_slower_than,
                     .now_seconds = context.now() / 1000}),
      "txt");
}

// LATENCY GRAPH event. Replies a text for people.
void LatencyGraph(CommandContext& context) {
  const auto& events = context.server().latency().events();
  const auto found = events.find(context.arg(2));
  if (found == events.end()) {
    return context.reply().Error(
        fmt::format("ERR No samples available for event '{}'", EchoedText(context.arg(2))));
  }
  context.reply().Verbatim(DrawLatencyGraph(found->first, found->second, context.now() / 1000),
                           "txt");
}

void LatencyHelp(CommandContext& context) {
  static constexpr std::string_view kLines[] = {
      "DOCTOR",
      "    Return a human readable latency analysis report.",
      "GRAPH <event>",
      "    Return an ASCII latency graph for the <event> class.",
      "HISTORY <event>",
      "    Return time-latency samples for the <event> class.",
      "LATEST",
      "    Return the latest latency samples for all events.",
      "RESET [<event> ...]",
      "    Reset latency data of one or more <event> classes.",
      "    (default: reset all data for all event classes)",
      "HISTOGRAM [COMMAND ...]",
      "    Return a cumulative distribution of latencies in the format of a histogram for the "
      "specified command names.",
      "    If no commands are specified then all histograms are replied.",
  };
  ReplyHelp(context, kLines);
}

constexpr std::string_view kLatencyDoctorTips[] = {
    "nondeterministic_output", "request_policy:all_nodes", "response_policy:special"};

constexpr std::string_view kLatencyResetTips[] = {"request_policy:all_nodes",
                                                  "response_policy:all_succeeded"};

constexpr CommandSpec kLatencySubcommands[] = {
    {.name = "doctor",
     .handler = LatencyDoctor,
     .arity = 2,
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .group = Group::kServer,
     .since = "2.8.13",
     .complexity = "O(1)",
     .summary = "Return a human readable latency analysis report.",
     .tips = kLatencyDoctorTips},
    {.name = "graph",
     .handler = LatencyGraph,
     .arity = 3,
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .group = Group::kServer,
     .since = "2.8.13",
     .complexity = "O(1)",
     .summary = "Return a latency graph for the event.",
     .arguments = "event:string",
     .tips = kLatencyDoctorTips},
    {.name = "help",
     .handler = LatencyHelp,
     .arity = 2,
     .flags = Flag::kLoading | Flag::kStale,
     .group = Group::kServer,
     .since = "2.8.13",
     .complexity = "O(1)",
     .summary = "Show helpful text about the different subcommands."},
    {.name = "histogram",
     .handler = LatencyHistograms,
     .arity = -2,
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .group = Group::kServer,
     .since = "7.0.0",
     .complexity =
         "O(N) where N is the number of commands with latency information being retrieved.",
     .summary = "Return the cumulative distribution of latencies of a subset of commands or all.",
     .arguments = "command:string?*",
     .tips = kLatencyDoctorTips},
    {.name = "history",
     .handler = LatencyHistory,
     .arity = 3,
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .group = Group::kServer,
     .since = "2.8.13",
     .complexity = "O(1)",
     .summary = "Return timestamp-latency samples for the event.",
     .arguments = "event:string",
     .tips = kLatencyDoctorTips},
    {.name = "latest",
     .handler = LatencyLatest,
     .arity = 2,
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .group = Group::kServer,
     .since = "2.8.13",
     .complexity = "O(1)",
     .summary = "Return the latest latency samples for all events.",
     .tips = kLatencyDoctorTips},
    {.name = "reset",
     .handler = LatencyReset,
     .arity = -2,
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kLoading | Flag::kStale,
     .group = Group::kServer,
     .since = "2.8.13",
     .complexity = "O(1)",
     .summary = "Reset latency data for one or more events.",
     .arguments = "event:string?*",
     .tips = kLatencyResetTips},
};

constexpr CommandSpec kLatencyCommands[] = {
    {.name = "latency",
     .arity = -2,
     .group = Group::kServer,
     .since = "2.8.13",
     .complexity = "Depends on subcommand.",
     .summary = "A container for latency diagnostics commands",
     .subcommands = kLatencySubcommands},
};

}  // namespace

std::span<const CommandSpec> LatencyCommands() { return kLatencyCommands; }

}  // namespace aeris
