#include "ae/socket.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>
#include <utility>

#include "tests/ae/loopback.h"
#include "tests/ae/socket_pair.h"

namespace aeris::ae {
namespace {

using testing::AwaitReadable;
using testing::Connect;
using testing::Connect6;
using ::testing::HasSubstr;
using ::testing::StartsWith;

int Option(int fd, int level, int option) {
  int value = -1;
  socklen_t size = sizeof value;
  EXPECT_EQ(::getsockopt(fd, level, option, &value, &size), 0) << std::strerror(errno);
  return value;
}

bool IsNonBlockingAndCloseOnExec(int fd) {
  return (::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0 && (::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0;
}

UniqueFd Listen(const TcpListenOptions& options) {
  auto fd = ListenTcp(options);
  EXPECT_TRUE(fd.has_value()) << (fd ? "" : fd.error().message);
  return fd ? std::move(*fd) : UniqueFd();
}

AcceptResult AwaitConnection(const UniqueFd& listener) {
  AwaitReadable(listener.get());
  AcceptResult result = Accept(listener.get());
  EXPECT_EQ(result.status, AcceptStatus::kConnection);
  return result;
}

struct TcpPair {
  UniqueFd client;  // blocking
  UniqueFd server;
};

TcpPair MakeTcpPair() {
  const UniqueFd listener = Listen({.address = "127.0.0.1"});
  UniqueFd client = Connect(LocalPort(listener.get()));
  return {std::move(client), AwaitConnection(listener).fd};
}

TEST(ListenTcp, TakesAPortOfTheKernelsChoice) {
  const UniqueFd listener = Listen({.address = "127.0.0.1"});
  const std::uint16_t port = LocalPort(listener.get());
  EXPECT_NE(port, 0);
  EXPECT_EQ(LocalAddress(listener.get()), "127.0.0.1:" + std::to_string(port));
  EXPECT_TRUE(IsNonBlockingAndCloseOnExec(listener.get()));
  EXPECT_EQ(Option(listener.get(), SOL_SOCKET, SO_REUSEADDR), 1);
  EXPECT_EQ(Option(listener.get(), SOL_SOCKET, SO_ACCEPTCONN), 1);
}

TEST(ListenTcp, ResolvesNamesAndTheWildcard) {
  const UniqueFd by_name = Listen({.address = "localhost"});
  EXPECT_NE(LocalPort(by_name.get()), 0);
  for (const char* any : {"", "*", "0.0.0.0"}) {
    const UniqueFd listener = Listen({.address = any});
    EXPECT_THAT(LocalAddress(listener.get()), StartsWith("0.0.0.0:"));
  }
}

TEST(ListenTcp, SaysThatAPortIsTaken) {
  const UniqueFd first = Listen({.address = "127.0.0.1"});
  const std::uint16_t port = LocalPort(first.get());
  const auto second = ListenTcp({.address = "127.0.0.1", .port = port});
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().sys_errno, EADDRINUSE);
  EXPECT_EQ(second.error().message,
            "cannot listen on 127.0.0.1:" + std::to_string(port) + ": Address already in use");
}

TEST(ListenTcp, KeepsTheErrnoOfAnAddressThatIsNotOurs) {
  const auto fd = ListenTcp({.address = "192.0.2.1"});  // kept for documentation, RFC 5737
  ASSERT_FALSE(fd.has_value());
  EXPECT_EQ(fd.error().code, ErrorCode::kSystem);
  EXPECT_EQ(fd.error().sys_errno, EADDRNOTAVAIL);
}

TEST(ListenTcp, RefusesWhatIsNoAddress) {
  const auto fd = ListenTcp({.address = "300.1.2.3.", .port = 6379});
  ASSERT_FALSE(fd.has_value());
  EXPECT_EQ(fd.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(fd.error().message, StartsWith("cannot listen on 300.1.2.3.:6379: "));
}

class Ipv6Test : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!ListenTcp({.address = "::1"})) GTEST_SKIP() << "this machine has no IPv6";
  }
};

TEST_F(Ipv6Test, AcceptsFromTheLoopback) {
  const UniqueFd listener = Listen({.address = "::1"});
  const std::uint16_t port = LocalPort(listener.get());
  const UniqueFd client = Connect6(port);
  const AcceptResult accepted = AwaitConnection(listener);
  EXPECT_EQ(accepted.peer, "[::1]:" + std::to_string(LocalPort(client.get())));
  EXPECT_EQ(PeerAddress(client.get()), "[::1]:" + std::to_string(port));
  EXPECT_EQ(LocalAddress(accepted.fd.get()), "[::1]:" + std::to_string(port));
}

TEST_F(Ipv6Test, LeavesThePortOfIpv4ToAnotherSocket) {
  const UniqueFd six = Listen({.address = "::*"});
  EXPECT_EQ(Option(six.get(), IPPROTO_IPV6, IPV6_V6ONLY), 1);
  const UniqueFd four = Listen({.address = "*", .port = LocalPort(six.get())});
  EXPECT_EQ(LocalPort(four.get()), LocalPort(six.get()));
}

TEST_F(Ipv6Test, TakesIpv4TooWhenAsked) {
  const UniqueFd listener = Listen({.address = "::", .ipv6_only = false});
  const UniqueFd client = Connect(LocalPort(listener.get()));
  EXPECT_THAT(AwaitConnection(listener).peer, StartsWith("[::ffff:127.0.0.1]:"));
}

TEST_F(Ipv6Test, WritesAnAddressInBracketsInItsErrors) {
  const UniqueFd first = Listen({.address = "::1"});
  const auto second = ListenTcp({.address = "::1", .port = LocalPort(first.get())});
  ASSERT_FALSE(second.has_value());
  EXPECT_THAT(second.error().message, StartsWith("cannot listen on [::1]:"));
}

TEST(Accept, GivesTheConnectionAndThePeersAddress) {
  const UniqueFd listener = Listen({.address = "127.0.0.1"});
  EXPECT_EQ(Accept(listener.get()).status, AcceptStatus::kNothingLeft);
  const UniqueFd client = Connect(LocalPort(listener.get()));
  const AcceptResult accepted = AwaitConnection(listener);
  EXPECT_TRUE(IsNonBlockingAndCloseOnExec(accepted.fd.get()));
  EXPECT_EQ(accepted.peer, LocalAddress(client.get()));
  EXPECT_EQ(accepted.peer, PeerAddress(accepted.fd.get()));
  EXPECT_EQ(LocalAddress(accepted.fd.get()), LocalAddress(listener.get()));
  EXPECT_EQ(Accept(listener.get()).status, AcceptStatus::kNothingLeft);
}

TEST(Accept, TellsABrokenListener) {
  const testing::FdPair pipe = testing::MakePipe();
  const AcceptResult no_socket = Accept(pipe.first.get());
  EXPECT_EQ(no_socket.status, AcceptStatus::kListenerBroken);
  EXPECT_EQ(no_socket.sys_errno, ENOTSOCK);
  const UniqueFd not_listening(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(Accept(not_listening.get()).status, AcceptStatus::kListenerBroken);
}

// The transient ones are those of accept(2), "Error handling"; CVE-2025-48367 is what comes of
// taking one of them for the listener's.
TEST(Accept, SortsEveryErrno) {
  for (const int transient : {EINTR, ECONNABORTED, EPROTO, EPERM, ENETDOWN, ENOPROTOOPT, EHOSTDOWN,
                              ENONET, EHOSTUNREACH, ENETUNREACH, ETIMEDOUT, ECONNRESET}) {
    EXPECT_EQ(SortAcceptErrno(transient), AcceptStatus::kRetry) << std::strerror(transient);
  }
  for (const int exhausted : {EMFILE, ENFILE, ENOBUFS, ENOMEM}) {
    EXPECT_EQ(SortAcceptErrno(exhausted), AcceptStatus::kDescriptorsExhausted);
  }
  for (const int broken : {EBADF, EINVAL, ENOTSOCK}) {
    EXPECT_EQ(SortAcceptErrno(broken), AcceptStatus::kListenerBroken);
  }
  EXPECT_EQ(SortAcceptErrno(EAGAIN), AcceptStatus::kNothingLeft);
}

TEST(SocketOptions, TurnNagleOffAndOn) {
  const TcpPair pair = MakeTcpPair();
  ASSERT_TRUE(SetTcpNoDelay(pair.server.get()));
  EXPECT_EQ(Option(pair.server.get(), IPPROTO_TCP, TCP_NODELAY), 1);
  ASSERT_TRUE(SetTcpNoDelay(pair.server.get(), false));
  EXPECT_EQ(Option(pair.server.get(), IPPROTO_TCP, TCP_NODELAY), 0);
}

TEST(SocketOptions, SpreadKeepaliveOverItsInterval) {
  const TcpPair pair = MakeTcpPair();
  const int fd = pair.server.get();
  ASSERT_TRUE(SetKeepAlive(fd, 300));
  EXPECT_EQ(Option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(Option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 300);
  EXPECT_EQ(Option(fd, IPPROTO_TCP, TCP_KEEPINTVL), 100);
  EXPECT_EQ(Option(fd, IPPROTO_TCP, TCP_KEEPCNT), 3);
  ASSERT_TRUE(SetKeepAlive(fd, 1));
  EXPECT_EQ(Option(fd, IPPROTO_TCP, TCP_KEEPINTVL), 1);
  ASSERT_TRUE(SetKeepAlive(fd, 0));
  EXPECT_EQ(Option(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
}

TEST(SocketOptions, SetTheBuffers) {
  const TcpPair pair = MakeTcpPair();
  ASSERT_TRUE(SetReceiveBuffer(pair.server.get(), 16384));
  ASSERT_TRUE(SetSendBuffer(pair.server.get(), 8192));
  EXPECT_EQ(Option(pair.server.get(), SOL_SOCKET, SO_RCVBUF), 2 * 16384);
  EXPECT_EQ(Option(pair.server.get(), SOL_SOCKET, SO_SNDBUF), 2 * 8192);
}

TEST(SocketOptions, FailWithTheErrnoAndTheOptionsName) {
  const testing::FdPair pipe = testing::MakePipe();
  const auto set = SetTcpNoDelay(pipe.first.get());
  ASSERT_FALSE(set);
  EXPECT_EQ(set.error().sys_errno, ENOTSOCK);
  EXPECT_THAT(set.error().message, HasSubstr("TCP_NODELAY"));
}

TEST(SocketOptions, MakeCloseSendAReset) {
  TcpPair pair = MakeTcpPair();
  ASSERT_TRUE(SetLingerReset(pair.server.get()));
  pair.server.Reset();
  AwaitReadable(pair.client.get());
  char byte = 0;
  const IoResult result = Read(pair.client.get(), {&byte, 1});
  EXPECT_EQ(result.kind, IoKind::kFailed);
  EXPECT_EQ(result.sys_errno, ECONNRESET);
}

TEST(SocketAddress, IsUnknownWithoutASocket) {
  const testing::FdPair pipe = testing::MakePipe();
  EXPECT_EQ(PeerAddress(pipe.first.get()), "?:0");
  EXPECT_EQ(LocalAddress(pipe.first.get()), "?:0");
  EXPECT_EQ(LocalPort(pipe.first.get()), 0);
}

class ListenUnixTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char directory[] = "/tmp/ae-socket-XXXXXX";
    ASSERT_NE(::mkdtemp(directory), nullptr);
    directory_ = directory;
    path_ = directory_ + "/s";
    old_umask_ = ::umask(0);
  }
  void TearDown() override {
    ::umask(old_umask_);
    ::unlink(path_.c_str());
    ::rmdir(directory_.c_str());
  }

  mode_t Mode() const {
    struct stat status {};
    EXPECT_EQ(::stat(path_.c_str(), &status), 0);
    return status.st_mode & 07777;
  }
  UniqueFd Connect() const {
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    const auto* const base = reinterpret_cast<const sockaddr*>(&address);
    if (::connect(fd.get(), base, sizeof address) != 0) fd.Reset();
    return fd;
  }

  std::string directory_;
  std::string path_;
  mode_t old_umask_ = 0;
};

TEST_F(ListenUnixTest, AcceptsAndNamesThePathAsAddress) {
  const auto listener = ListenUnix({.path = path_, .permissions = 0700});
  ASSERT_TRUE(listener.has_value()) << listener.error().message;
  EXPECT_TRUE(IsNonBlockingAndCloseOnExec(listener->get()));
  const UniqueFd client = Connect();
  const AcceptResult accepted = AwaitConnection(*listener);
  EXPECT_EQ(accepted.peer, path_ + ":0");
  EXPECT_EQ(PeerAddress(accepted.fd.get()), path_ + ":0");
  EXPECT_EQ(LocalAddress(accepted.fd.get()), path_ + ":0");
}

TEST_F(ListenUnixTest, HasThePermissionsWhateverTheUmask) {
  for (const mode_t mask : {mode_t{0}, mode_t{022}, mode_t{077}}) {
    for (const mode_t permissions : {mode_t{0700}, mode_t{0770}, mode_t{0777}, mode_t{0600}}) {
      ::umask(mask);
      const auto listener = ListenUnix({.path = path_, .permissions = permissions});
      ASSERT_TRUE(listener.has_value()) << listener.error().message;
      EXPECT_EQ(Mode(), permissions);
    }
  }
}

TEST_F(ListenUnixTest, LeavesTheModeToTheUmaskWithoutPermissions) {
  ::umask(027);
  const auto listener = ListenUnix({.path = path_});
  ASSERT_TRUE(listener.has_value());
  EXPECT_EQ(Mode(), mode_t{0750});
}

// CVE-2023-45145. A child makes the socket and is stopped before and after each of its system
// calls, so every mode that the file ever has is seen.
TEST_F(ListenUnixTest, IsAtNoMomentOpenToMoreThanAskedFor) {
  constexpr int kFailed = 3;
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(kFailed);
    ::raise(SIGSTOP);
    ::_exit(ListenUnix({.path = path_, .permissions = 0700}) ? 0 : kFailed);
  }
  mode_t seen = 0;
  int stops = 0;
  int status = 0;
  while (::waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
    ++stops;
    struct stat file {};
    if (::stat(path_.c_str(), &file) == 0) seen |= file.st_mode & 07777;
    ASSERT_EQ(::ptrace(PTRACE_SYSCALL, child, nullptr, nullptr), 0);
  }
  ASSERT_TRUE(WIFEXITED(status));
  ASSERT_EQ(WEXITSTATUS(status), 0);
  EXPECT_GT(stops, 10);  // five system calls at least, each stopped twice
  EXPECT_EQ(seen, mode_t{0700});
}

TEST_F(ListenUnixTest, RemovesAStaleSocket) {
  ASSERT_TRUE(ListenUnix({.path = path_}).has_value());  // closed at once, the file stays
  ASSERT_FALSE(Connect());
  const auto listener = ListenUnix({.path = path_});
  ASSERT_TRUE(listener.has_value()) << listener.error().message;
  EXPECT_TRUE(Connect());
}

TEST_F(ListenUnixTest, LeavesASocketInUseAlone) {
  const auto first = ListenUnix({.path = path_});
  ASSERT_TRUE(first.has_value());
  const auto second = ListenUnix({.path = path_});
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().sys_errno, EADDRINUSE);
  EXPECT_THAT(second.error().message, HasSubstr("another process listens there"));
  EXPECT_TRUE(Connect());
}

TEST_F(ListenUnixTest, LeavesOtherFilesAlone) {
  std::ofstream(path_) << "precious";
  const auto listener = ListenUnix({.path = path_});
  ASSERT_FALSE(listener.has_value());
  EXPECT_EQ(listener.error().sys_errno, EADDRINUSE);
  std::string content;
  std::ifstream(path_) >> content;
  EXPECT_EQ(content, "precious");
}

TEST_F(ListenUnixTest, RefusesPathsThatDoNotFit) {
  for (const std::string& path : {std::string(), "/tmp/" + std::string(200, 'x')}) {
    const auto listener = ListenUnix({.path = path});
    ASSERT_FALSE(listener.has_value());
    EXPECT_EQ(listener.error().sys_errno, ENAMETOOLONG);
  }
}

TEST_F(ListenUnixTest, KeepsTheErrnoOfAMissingFolder) {
  const auto listener = ListenUnix({.path = directory_ + "/none/s"});
  ASSERT_FALSE(listener.has_value());
  EXPECT_EQ(listener.error().sys_errno, ENOENT);
}

}  // namespace
}  // namespace aeris::ae
