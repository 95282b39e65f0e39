// The process as the system sees it: daemon, pid file, supervisor, title.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "src/base/error.h"
#include "src/config.h"

namespace aeris {

// Detaches from the terminal: fork, new session, standard streams to /dev/null. The parent exits.
std::expected<void, Error> Daemonize();

// Writes the pid, with a newline. A pid file that cannot be written is worth a warning, no more.
std::expected<void, Error> WritePidFile(const std::string& path);

// Whether a supervisor started us, as `supervised` says or the environment shows.
enum class Supervisor : std::uint8_t { kNone, kUpstart, kSystemd };
Supervisor DetectSupervisor(Supervised configured);
// Tells the supervisor that we serve: sd_notify(3)'s datagram to NOTIFY_SOCKET, or SIGSTOP for
// upstart. `state` is "READY=1\n...".
std::expected<void, Error> NotifySystemd(std::string_view state);

// Whether the kernel gives transparent huge pages to everybody, asked or not: its `always`.
bool HugePagesAreAlwaysOn();
// Refuses huge pages but for memory that asks for them, since clearing and copying them stalls
// commands. A kernel that cannot tell the two apart gives none unasked unless they are always on;
// then all are refused.
void RefuseUnaskedHugePages();

// Unmaps the pages of the binary and its libraries that nothing has written to: what the start
// alone has run or read, most of all the dynamic linker, stays in the page cache and counts as
// resident no longer (5 MiB). What is needed is mapped again when it is used. A debugger's
// breakpoints set before are lost with their pages.
void GiveBackStartUpPages();

// Makes room for titles where argv and environ lie. Called first in main.
void InitProcessTitle(int argc, char** argv);
// What ps shows, after proc-title-template.
void SetProcessTitle(const Config& config, std::string_view executable);

}  // namespace aeris
