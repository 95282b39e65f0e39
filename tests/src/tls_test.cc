// TLS on real sockets: handshakes, bytes in both directions, changes while the server runs.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <csignal>
#include <fstream>
#include <memory>

#include "ae/socket.h"
#include "tests/support/test_server.h"
#include "tests/support/tls_files.h"

namespace aeris {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
using testing::Repeat;
using testing::Request;
using testing::TestClient;
using testing::TestServer;
using testing::TlsFiles;

std::uint16_t FreePort() {
  const auto fd = ae::ListenTcp({.address = "127.0.0.1", .port = 0});
  AERIS_CHECK(fd.has_value());
  return ae::LocalPort(fd->get());
}

// Connects to the TLS port; OpenSSL's client unless a test talks by itself.
class TlsClient {
 public:
  struct Options {
    std::string authority;    // file; empty: the server's certificate is not looked at
    std::string certificate;  // the file's name without its end
    int receive_buffer = 0;
  };
  TlsClient(TestServer& server, const Options& options) : server_(server) {
    fd_ = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (options.receive_buffer != 0) (void)ae::SetReceiveBuffer(fd_.get(), options.receive_buffer);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(server.config().tls_port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    AERIS_CHECK(::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) ==
                0);
    AERIS_CHECK(::fcntl(fd_.get(), F_SETFL, O_NONBLOCK) == 0);
    // A record must not wait for the acknowledgement of the one before it: nobody waits here.
    (void)ae::SetTcpNoDelay(fd_.get());
    id_ = server->clients().next_id();
    settings_.reset(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_mode(settings_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE);
    if (!options.authority.empty()) {
      SSL_CTX_set_verify(settings_.get(), SSL_VERIFY_PEER, nullptr);
      AERIS_CHECK(SSL_CTX_load_verify_file(settings_.get(), options.authority.c_str()) == 1);
    }
    if (!options.certificate.empty()) {
      const std::string& file = options.certificate;
      AERIS_CHECK(SSL_CTX_use_certificate_file(settings_.get(), (file + ".crt").c_str(),
                                               SSL_FILETYPE_PEM) == 1);
      AERIS_CHECK(SSL_CTX_use_PrivateKey_file(settings_.get(), (file + ".key").c_str(),
                                              SSL_FILETYPE_PEM) == 1);
    }
    ssl_.reset(SSL_new(settings_.get()));
    SSL_set_fd(ssl_.get(), fd_.get());
    SSL_set_connect_state(ssl_.get());
    server.Settle();  // it has accepted the connection
  }

  int fd() const { return fd_.get(); }
  SSL* ssl() { return ssl_.get(); }
  Client* peer() { return server_->clients().Find(id_); }

  // Whether our side finds the handshake good.
  bool Shake() {
    for (int turn = 0; turn < 20; ++turn) {
      if (SSL_do_handshake(ssl_.get()) == 1) {
        server_.Settle();
        return true;
      }
      server_.Settle();
    }
    return false;
  }
  // As records of their own, all before the server takes a turn; unless the socket is full.
  void Send(std::string_view bytes) {
    while (!bytes.empty()) {
      std::size_t sent = 0;
      if (SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &sent) == 1) {
        bytes.remove_prefix(sent);
      } else if (SSL_get_error(ssl_.get(), 0) == SSL_ERROR_WANT_WRITE) {
        server_.Settle();
      } else {
        return;
      }
    }
  }
  // What comes until the server has nothing to do.
  std::string Receive() {
    std::string received;
    for (int quiet = 0; quiet < 2;) {
      server_.Settle();
      std::size_t got = 0;
      ++quiet;
      while (SSL_read_ex(ssl_.get(), bytes_.data(), bytes_.size(), &got) == 1) {
        received.append(bytes_.data(), got);
        quiet = 0;
      }
    }
    return received;
  }
  std::string Talk(std::string_view bytes) {
    Send(bytes);
    return Receive();
  }
  // The name in the certificate that the server has shown.
  std::string ServerName() {
    const testing::Certificate certificate(SSL_get1_peer_certificate(ssl_.get()));
    if (!certificate) return {};
    char name[64] = {};
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, name,
                              sizeof name);
    return name;
  }

 private:
  TestServer& server_;
  UniqueFd fd_;
  std::uint64_t id_;
  std::unique_ptr<SSL_CTX, testing::SslFree> settings_;
  std::unique_ptr<SSL, testing::SslFree> ssl_;
  std::array<char, 65536> bytes_;
};

class Tls : public ::testing::Test {
 protected:
  void SetUp() override { ::signal(SIGPIPE, SIG_IGN); }  // of the client's own writes

  std::expected<void, std::string> Set(std::string_view name, const std::string& value) {
    const ConfigPair pair{name, value};
    return server->config_table().Set({&pair, 1}, {});
  }
  TlsClient::Options with_certificate() const {
    return {.authority = files.path("ca.crt"), .certificate = files.path("client")};
  }

  TlsFiles files;
  TestServer server{[this](Config& config) {
    config.bind = {"127.0.0.1"};
    config.tls_port = FreePort();
    config.tls_cert_file = files.path("server.crt");
    config.tls_key_file = files.path("server.key");
    config.tls_ca_cert_file = files.path("ca.crt");
  }};
};

TEST_F(Tls, ServesTlsAndPlainClientsOnOneLoop) {
  TlsClient client(server, with_certificate());
  TestClient plain(server);
  ASSERT_TRUE(client.Shake());
  EXPECT_EQ(client.Talk("SET k v\r\n"), "+OK\r\n");
  EXPECT_EQ(plain.Talk("GET k\r\n"), "$1\r\nv\r\n");
  EXPECT_EQ(server->stats().tls_handshakes, 1U);
  EXPECT_EQ(server->stats().tls_handshakes_failed, 0U);
}

TEST_F(Tls, CarriesLargeValuesInBothDirections) {
  TlsClient client(server, with_certificate());
  ASSERT_TRUE(client.Shake());
  std::string value(5'000'000, ' ');
  for (std::size_t i = 0; i < value.size(); ++i) value[i] = static_cast<char>('a' + i % 23);
  EXPECT_EQ(client.Talk(Request({"SET", "big", value})), "+OK\r\n");
  EXPECT_EQ(client.Talk("GET big\r\n"), "$5000000\r\n" + value + "\r\n");
  EXPECT_EQ(client.Talk("GETRANGE big 0 99999\r\n"),
            "$100000\r\n" + value.substr(0, 100'000) + "\r\n");
}

TEST_F(Tls, GoesOnWithARecordThatWasHalfSentWhenRepliesWereAddedMeanwhile) {
  TlsClient::Options options = with_certificate();
  options.receive_buffer = 4096;
  TlsClient client(server, options);
  ASSERT_TRUE(client.Shake());
  TestClient plain(server);
  plain.Talk(Request({"SET", "k", std::string(3000, 'x')}));
  plain.Talk(Request({"SET", "big", std::string(40'000, 'y')}));
  std::string expected;
  for (int i = 0; i < 200; ++i) {
    client.Send(i % 7 == 0 ? "GET big\r\n" : "GET k\r\n");
    expected += i % 7 == 0 ? "$40000\r\n" + std::string(40'000, 'y') + "\r\n"
                           : "$3000\r\n" + std::string(3000, 'x') + "\r\n";
    server.Turn();
  }
  EXPECT_EQ(client.Receive(), expected);
}

TEST_F(Tls, AnswersAllRecordsThatCameTogether) {
  TlsClient client(server, with_certificate());
  ASSERT_TRUE(client.Shake());
  for (int i = 0; i < 3000; ++i) client.Send("PING\r\n");
  EXPECT_EQ(client.Receive(), Repeat("+PONG\r\n", 3000));
}

TEST_F(Tls, AnswersARequestThatCameWithTheEndOfTheHandshake) {
  TlsClient client(server, with_certificate());
  SSL_do_handshake(client.ssl());
  server.Settle();
  // Our last step is sent with the request, and the server sees both at once.
  ASSERT_EQ(SSL_do_handshake(client.ssl()), 1);
  EXPECT_EQ(client.Talk("PING\r\n"), "+PONG\r\n");
}

TEST_F(Tls, AsksForACertificateAsItIsTold) {
  const auto pings = [&](const TlsClient::Options& options) {
    TlsClient client(server, options);
    // With TLS 1.3 the client learns only afterwards that it is not wanted.
    return client.Shake() && client.Talk("PING\r\n") == "+PONG\r\n";
  };
  const TlsClient::Options without{.authority = files.path("ca.crt"), .certificate = ""};
  files.Write("late", {.valid_from = -7200, .valid_until = -3600});
  const TlsClient::Options expired{.authority = files.path("ca.crt"),
                                   .certificate = files.path("late")};
  const TlsFiles others;
  const TlsClient::Options foreign{.authority = files.path("ca.crt"),
                                   .certificate = others.path("client")};
  EXPECT_TRUE(pings(with_certificate()));
  EXPECT_FALSE(pings(without));
  EXPECT_FALSE(pings(expired));
  EXPECT_FALSE(pings(foreign));
  EXPECT_EQ(server->stats().tls_handshakes_failed, 3U);
  ASSERT_TRUE(Set("tls-auth-clients", "optional"));
  EXPECT_TRUE(pings(with_certificate()));
  EXPECT_TRUE(pings(without));
  EXPECT_FALSE(pings(foreign));
  ASSERT_TRUE(Set("tls-auth-clients", "no"));
  EXPECT_TRUE(pings(without));
  EXPECT_TRUE(pings(foreign));
  ASSERT_TRUE(Set("tls-auth-clients", "yes"));
  EXPECT_FALSE(pings(without));
}

TEST_F(Tls, ASessionFromBeforeIsNoWayRoundTheCertificate) {
  ASSERT_TRUE(Set("tls-auth-clients", "no"));
  ASSERT_TRUE(Set("tls-protocols", "TLSv1.2"));
  const TlsClient::Options without{.authority = files.path("ca.crt"), .certificate = ""};
  TlsClient first(server, without);
  ASSERT_TRUE(first.Shake());
  TlsClient second(server, without);
  SSL_set_session(second.ssl(), SSL_get_session(first.ssl()));
  ASSERT_TRUE(second.Shake());
  EXPECT_EQ(SSL_session_reused(second.ssl()), 1);
  ASSERT_TRUE(Set("tls-auth-clients", "yes"));
  TlsClient third(server, without);
  SSL_set_session(third.ssl(), SSL_get_session(first.ssl()));
  EXPECT_FALSE(third.Shake() && third.Talk("PING\r\n") == "+PONG\r\n");
}

TEST_F(Tls, ResumesNoSessionWhenTheyAreSwitchedOff) {
  ASSERT_TRUE(Set("tls-protocols", "TLSv1.2"));
  ASSERT_TRUE(Set("tls-session-caching", "no"));
  TlsClient first(server, with_certificate());
  ASSERT_TRUE(first.Shake());
  TlsClient second(server, with_certificate());
  SSL_set_session(second.ssl(), SSL_get_session(first.ssl()));
  ASSERT_TRUE(second.Shake());
  EXPECT_EQ(SSL_session_reused(second.ssl()), 0);
}

TEST_F(Tls, AFailedChangeChangesNothing) {
  std::ofstream(files.path("broken")) << "nonsense";
  const auto failed = Set("tls-cert-file", files.path("broken"));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error(),
            "ERR CONFIG SET failed (possibly related to argument 'tls-cert-file') - Unable to "
            "update TLS configuration. Check server logs.");
  EXPECT_EQ(server.config().tls_cert_file, files.path("server.crt"));
  TlsClient client(server, with_certificate());
  EXPECT_TRUE(client.Shake());
  EXPECT_EQ(client.Talk("PING\r\n"), "+PONG\r\n");
}

TEST_F(Tls, LoadsACertificateThatHasChanged) {
  TlsClient before(server, with_certificate());
  ASSERT_TRUE(before.Shake());
  EXPECT_EQ(before.ServerName(), "localhost");
  files.Write("server", {.name = "renewed"});
  for (int i = 0; i < 3; ++i) server.Advance(seconds(1));
  TlsClient after(server, with_certificate());
  ASSERT_TRUE(after.Shake());
  EXPECT_EQ(after.ServerName(), "renewed");
  EXPECT_EQ(before.Talk("PING\r\n"), "+PONG\r\n") << "who was connected stays";
}

TEST_F(Tls, KeepsTheOldCertificateWhileTheNewOneIsBroken) {
  std::ofstream(files.path("server.crt")) << "nonsense";
  for (int i = 0; i < 3; ++i) server.Advance(seconds(1));
  TlsClient client(server, with_certificate());
  ASSERT_TRUE(client.Shake());
  EXPECT_EQ(client.ServerName(), "localhost");
  files.Write("server", {.name = "mended"});
  for (int i = 0; i < 3; ++i) server.Advance(seconds(1));
  TlsClient later(server, with_certificate());
  ASSERT_TRUE(later.Shake());
  EXPECT_EQ(later.ServerName(), "mended");
}

TEST_F(Tls, LoadsTheSameNameAgainWhenItIsSet) {
  files.Write("server", {.name = "renewed"});
  ASSERT_TRUE(Set("tls-cert-file", files.path("server.crt")));
  TlsClient client(server, with_certificate());
  ASSERT_TRUE(client.Shake());
  EXPECT_EQ(client.ServerName(), "renewed");
}

TEST_F(Tls, ClosesTheTlsPortAndOpensItAgain) {
  TlsClient client(server, with_certificate());
  ASSERT_TRUE(client.Shake());
  const std::string port = std::to_string(server.config().tls_port);
  ASSERT_TRUE(Set("tls-port", "0"));
  EXPECT_EQ(client.Talk("PING\r\n"), "+PONG\r\n");
  // Settings are not looked at while nobody needs them.
  ASSERT_TRUE(Set("tls-protocols", "TLSv1.2"));
  ASSERT_TRUE(Set("tls-port", port));
  TlsClient other(server, with_certificate());
  ASSERT_TRUE(other.Shake());
  EXPECT_STREQ(SSL_get_version(other.ssl()), "TLSv1.2");
}

TEST_F(Tls, ATlsPortWithoutItsFilesIsRefused) {
  const std::string port = std::to_string(server.config().tls_port);
  ASSERT_TRUE(Set("tls-port", "0"));
  ASSERT_TRUE(Set("tls-cert-file", ""));
  const auto opened = Set("tls-port", port);
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error(), HasSubstr("Unable to update TLS configuration."));
  EXPECT_EQ(server.config().tls_port, 0);
}

TEST_F(Tls, ClosesWhoTalksWithoutTls) {
  TlsClient client(server, with_certificate());
  ASSERT_EQ(::send(client.fd(), "PING\r\n", 6, MSG_NOSIGNAL), 6);
  server.Settle();
  EXPECT_EQ(client.peer(), nullptr);
  EXPECT_EQ(server->stats().tls_handshakes_failed, 1U);
}

TEST_F(Tls, ClosesAHandshakeThatIsNotDoneInTime) {
  TlsClient silent(server, with_certificate());
  server.Settle();
  TlsClient half(server, with_certificate());
  SSL_do_handshake(half.ssl());
  server.Settle();
  TlsClient whole(server, with_certificate());
  ASSERT_TRUE(whole.Shake());
  ASSERT_NE(silent.peer(), nullptr);
  for (int i = 0; i < 9; ++i) server.Advance(seconds(1));
  ASSERT_NE(silent.peer(), nullptr);
  for (int i = 0; i < 2; ++i) server.Advance(seconds(1));
  EXPECT_EQ(silent.peer(), nullptr);
  EXPECT_EQ(half.peer(), nullptr);
  EXPECT_EQ(whole.Talk("PING\r\n"), "+PONG\r\n");
  EXPECT_EQ(server->stats().tls_handshakes_failed, 2U);
}

TEST_F(Tls, SaysGoodbyeAndHearsIt) {
  TlsClient client(server, with_certificate());
  ASSERT_TRUE(client.Shake());
  client.Talk("QUIT\r\n");
  EXPECT_EQ(SSL_get_shutdown(client.ssl()) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
  TlsClient other(server, with_certificate());
  ASSERT_TRUE(other.Shake());
  ASSERT_NE(other.peer(), nullptr);
  SSL_shutdown(other.ssl());
  server.Settle();
  EXPECT_EQ(other.peer(), nullptr);
}

TEST_F(Tls, EndsOnlyTheConnectionWhoseBytesAreForged) {
  TlsClient client(server, with_certificate());
  TlsClient other(server, with_certificate());
  ASSERT_TRUE(client.Shake());
  ASSERT_TRUE(other.Shake());
  const std::string forged = "\x17\x03\x03" + std::string("\0\x40", 2) + std::string(64, 'x');
  ASSERT_GT(::send(client.fd(), forged.data(), forged.size(), MSG_NOSIGNAL), 0);
  server.Settle();
  EXPECT_EQ(client.peer(), nullptr);
  EXPECT_EQ(other.Talk("PING\r\n"), "+PONG\r\n");
}

TEST_F(Tls, AnswersAKeyUpdate) {
  TlsClient client(server, with_certificate());
  ASSERT_TRUE(client.Shake());
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(SSL_key_update(client.ssl(), SSL_KEY_UPDATE_REQUESTED), 1);
    ASSERT_EQ(client.Talk("PING\r\n"), "+PONG\r\n") << i;
  }
}

TEST_F(Tls, KeysAreNotNegotiatedAgain) {
  ASSERT_TRUE(Set("tls-protocols", "TLSv1.2"));
  TlsClient client(server, with_certificate());
  ASSERT_TRUE(client.Shake());
  SSL_renegotiate(client.ssl());
  EXPECT_FALSE(client.Shake());
  TlsClient other(server, with_certificate());
  ASSERT_TRUE(other.Shake());
  EXPECT_EQ(other.Talk("PING\r\n"), "+PONG\r\n");
}

TEST_F(Tls, TurnsAwayWhoIsTooMuch) {
  server.config().maxclients = 1;
  TlsClient client(server, with_certificate());
  ASSERT_TRUE(client.Shake());
  TlsClient other(server, with_certificate());
  EXPECT_FALSE(other.Shake());
  EXPECT_EQ(server->stats().connections_rejected, 1U);
}

TEST_F(Tls, CountsItsMemoryForTheClient) {
  TlsClient client(server, with_certificate());
  TestClient plain(server);
  ASSERT_TRUE(client.Shake());
  EXPECT_GT(client.peer()->memory(), plain.peer()->memory());
}

}  // namespace
}  // namespace aeris
