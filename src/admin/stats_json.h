// GET /stats.json: what the page draws.
//
// Rows of the last five minutes that the page has not seen, the present state, ten hot keys, ten
// records of the slow log, sixteen databases. Bounded: 60 KiB with all rows, about 4 KiB once a
// second. Values are never in it, and arguments of commands only as the names of keys; and these
// only while clients need no password and may do everything, since who reaches this port is nobody
// in particular.
#pragma once

#include <cstdint>
#include <string>

#include "src/client_figures.h"

namespace aeris {

class History;
class Server;

struct StatsSources {
  Server& server;
  const ClientFigures& clients;
  const History& history;
};

// `since` is the number of the first row that is wanted, as the last reply's "next" says. One
// beyond the end is of a server that ran before: all rows are given.
std::string StatsJson(const StatsSources& from, std::uint64_t since);

}  // namespace aeris
