// The example of ae/, as a process.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/ae/loopback.h"
#include "tests/ae/socket_pair.h"

namespace aeris::ae {
namespace {

using testing::Connect;
using testing::ReadExactly;

class EchoServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    testing::FdPair pipe = testing::MakePipe();
    pid_ = ::fork();
    ASSERT_GE(pid_, 0);
    if (pid_ == 0) {
      ::dup2(pipe.second.get(), STDERR_FILENO);
      ::execl(AE_ECHO_SERVER, AE_ECHO_SERVER, "0", "1", nullptr);  // any port, a report each ms
      ::_exit(127);
    }
    output_ = std::move(pipe.first);
    pipe.second.Reset();
    const std::string line = ReadLine();
    ASSERT_EQ(line.substr(0, 5), "port ") << line;
    port_ = static_cast<std::uint16_t>(std::stoi(line.substr(5)));
  }
  // SIGTERM ends it cleanly.
  void TearDown() override {
    ASSERT_EQ(::kill(pid_, SIGTERM), 0);
    int status = -1;
    ASSERT_EQ(::waitpid(pid_, &status, 0), pid_);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
  }

  std::string ReadLine() {
    std::string line;
    for (;;) {
      const std::string byte = ReadExactly(output_.get(), 1);
      if (byte.empty() || byte == "\n") return line;
      line += byte;
    }
  }
  // Reads reports of the periodic timer until one says so: hangs if none does.
  void AwaitReport(const std::string& report) {
    for (std::string line = ReadLine(); line != report; line = ReadLine()) ASSERT_NE(line, "");
  }

  pid_t pid_ = -1;
  UniqueFd output_;
  std::uint16_t port_ = 0;
};

void Send(const UniqueFd& fd, std::string_view text) {
  ASSERT_EQ(::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(text.size()));
}

TEST_F(EchoServerTest, AnswersEachConnectionWithItsOwnBytes) {
  std::vector<UniqueFd> clients;
  for (int i = 0; i < 20; ++i) clients.push_back(Connect(port_));
  for (int round = 0; round < 5; ++round) {
    for (std::size_t i = 0; i < clients.size(); ++i)
      Send(clients[i], "client " + std::to_string(i));
    for (std::size_t i = 0; i < clients.size(); ++i) {
      const std::string expected = "client " + std::to_string(i);
      EXPECT_EQ(ReadExactly(clients[i].get(), expected.size()), expected);
    }
  }
}

TEST_F(EchoServerTest, ReportsPeriodicallyWhatComesAndGoes) {
  AwaitReport("connections 0");
  UniqueFd first = Connect(port_);
  UniqueFd second = Connect(port_);
  AwaitReport("connections 2");
  first.Reset();
  AwaitReport("connections 1");
  second.Reset();
  AwaitReport("connections 0");
}

// Far more than the sockets' buffers hold, and nothing is read until all is sent: the server has to
// stop reading, and to go on when there is room.
TEST_F(EchoServerTest, EchoesMoreThanTheBuffersHold) {
  const UniqueFd client = Connect(port_);
  std::string text(32 << 20, '\0');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + i * 7 % 26);
  std::string echoed;
  std::size_t sent = 0;
  bool stalled = false;
  while (echoed.size() < text.size()) {
    const std::string_view rest = std::string_view(text).substr(sent);
    const ssize_t put = ::send(client.get(), rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (put > 0) {
      sent += static_cast<std::size_t>(put);
    } else {
      stalled = stalled || !rest.empty();
      const std::string some =
          ReadExactly(client.get(), std::min<std::size_t>(65536, sent - echoed.size()));
      ASSERT_FALSE(some.empty());
      echoed += some;
    }
  }
  EXPECT_TRUE(stalled);
  EXPECT_TRUE(echoed == text);
}

}  // namespace
}  // namespace aeris::ae
