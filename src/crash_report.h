// The report that a crash writes to the log before the process dies of its signal: what happened,
// the stack, the client and its command.
#pragma once

#include <string>

#include "src/request_batch.h"

namespace aeris {

// Installs handlers for SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT. The report goes to `log_file`,
// standard output when empty. `batch` outlives the handlers; null until the server exists. The
// handlers allocate nothing and take no lock. One report per process.
void InstallCrashReport(const std::string& log_file, const RequestBatch* batch);
// Back to the system's own handling.
void RemoveCrashReport();

}  // namespace aeris
