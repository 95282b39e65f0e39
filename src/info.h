// INFO: which sections a request names, and their text. The sections themselves are in info_*.cc,
// one function each.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aeris {

class InfoWriter;
class Server;

struct InfoSection {
  std::string_view name;   // as an argument of INFO, lower case
  std::string_view title;  // as its head shows it
  void (*write)(Server& server, InfoWriter& info);
  bool by_default;              // part of INFO without arguments
  std::string_view alias = {};  // a second name
};

// Those that `names` ask for, in the order in which INFO shows them. No names mean "default"; "all"
// and "everything" are the same here, since there are no modules; names in any case, unknown ones
// are passed over.
std::vector<const InfoSection*> SelectInfoSections(std::span<const std::string_view> names);

// The whole text, for a client that has selected `database`. O(clients + databases + commands).
std::string InfoText(Server& server, std::span<const std::string_view> names, std::size_t database);

}  // namespace aeris
