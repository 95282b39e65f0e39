#include "src/crash_report.h"

#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "src/version.h"

namespace aeris {
namespace {

constexpr std::array kSignals = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
constexpr int kFramesMax = 64;
constexpr std::size_t kArgumentsMax = 16;
constexpr std::size_t kArgumentBytesMax = 128;

// A signal handler reaches nothing but what has static storage, so this is the one place of the
// project that has some.
struct Context {
  std::atomic<const RequestBatch*> batch = nullptr;
  std::array<char, 1024> log_file{};
  std::atomic_flag reported;
};
constinit Context context;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

// Formats without allocating.
class Writer {
 public:
  explicit Writer(int fd) : fd_(fd) {}
  Writer& operator<<(std::string_view text) {
    while (!text.empty()) {
      const ssize_t put = write(fd_, text.data(), text.size());
      if (put <= 0) break;
      text.remove_prefix(static_cast<std::size_t>(put));
    }
    return *this;
  }
  Writer& operator<<(std::uint64_t number) { return Digits(number, 10); }
  Writer& Hex(std::uint64_t number) {
    *this << "0x";
    return Digits(number, 16);
  }
  // Text of a client: what does not print becomes '.'.
  Writer& Cut(std::string_view text) {
    std::array<char, kArgumentBytesMax> shown;
    const std::size_t size = std::min(text.size(), shown.size());
    std::transform(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(size), shown.begin(),
                   [](char c) { return c >= 0x20 && c < 0x7F ? c : '.'; });
    return *this << std::string_view(shown.data(), size);
  }

 private:
  Writer& Digits(std::uint64_t number, std::uint64_t base) {
    std::array<char, 24> text;
    std::size_t at = text.size();
    do {
      text[--at] = "0123456789abcdef"[number % base];
      number /= base;
    } while (number != 0);
    return *this << std::string_view(text.data() + at, text.size() - at);
  }

  int fd_;
};

void WriteClient(Writer& out) {
  const RequestBatch* batch = context.batch.load();
  if (batch == nullptr || batch->current().client == nullptr) return;
  const RequestBatch::Current& current = batch->current();
  out << "\n------ CURRENT CLIENT INFO ------\nid=" << current.client->id()
      << " addr=" << current.client->peer()
      << " fd=" << static_cast<std::uint64_t>(current.client->fd()) << " name=";
  out.Cut(current.client->name) << " db=" << static_cast<std::uint64_t>(current.client->database)
                                << "\nargc: " << std::uint64_t{current.argument_count} << "\n";
  for (std::size_t i = 0; i < std::min(current.argument_count, kArgumentsMax); ++i) {
    out << "argv[" << std::uint64_t{i} << "]: '";
    out.Cut(current.arguments[i]) << "'\n";
  }
}

void Report(int signo, siginfo_t* info, void*) {
  // A crash inside the report, or on another thread at the same time, must not write a second one.
  if (!context.reported.test_and_set()) {
    const bool to_file = context.log_file[0] != '\0';
    const int fd = to_file ? open(context.log_file.data(), O_APPEND | O_CREAT | O_WRONLY, 0644)
                           : STDOUT_FILENO;
    Writer out(fd);
    out << "\n\n=== AERIS BUG REPORT START: Cut & paste starting from here ===\n"
        << "aeris " << kVersion << " crashed by signal: " << static_cast<std::uint64_t>(signo)
        << ", si_code: " << static_cast<std::uint64_t>(info->si_code) << "\n";
    if (signo == SIGSEGV || signo == SIGBUS) {
      out << "Accessing address: ";
      out.Hex(reinterpret_cast<std::uintptr_t>(info->si_addr)) << "\n";
    }
    out << "\n------ STACK TRACE ------\n";
    std::array<void*, kFramesMax> frames;
    backtrace_symbols_fd(frames.data(), backtrace(frames.data(), kFramesMax), fd);
    WriteClient(out);
    out << "\n=== AERIS BUG REPORT END ===\n";
    if (to_file) close(fd);
  }
  // Die of the same signal, with the core file that the system makes of it.
  signal(signo, SIG_DFL);
  raise(signo);
}

}  // namespace

void InstallCrashReport(const std::string& log_file, const RequestBatch* batch) {
  context.batch = batch;
  const std::size_t size = std::min(log_file.size(), context.log_file.size() - 1);
  log_file.copy(context.log_file.data(), size);
  context.log_file[size] = '\0';
  // The first backtrace() loads a library, which allocates; now is the time for that.
  std::array<void*, 1> frame;
  (void)backtrace(frame.data(), 1);
  struct sigaction action {};
  action.sa_sigaction = Report;
  action.sa_flags = static_cast<int>(SA_NODEFER | SA_RESETHAND) | SA_SIGINFO;
  sigemptyset(&action.sa_mask);
  for (const int signo : kSignals) sigaction(signo, &action, nullptr);
}

void RemoveCrashReport() {
  for (const int signo : kSignals) signal(signo, SIG_DFL);
  context.batch = nullptr;
}

}  // namespace aeris
