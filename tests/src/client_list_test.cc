#include "src/client_list.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

#include "src/client.h"

namespace aeris {
namespace {

class NoEvents final : public ClientEvents {
 public:
  void OnClientReady(Client&, ae::Ready) override {}
};

class ClientListTest : public ::testing::Test {
 protected:
  std::string Line(const Client& of, std::chrono::milliseconds later = {}) {
    std::string line;
    AppendClientLine(line, of, kStart + later);
    return line;
  }

  static constexpr MonotonicTime kStart{std::chrono::hours(1)};
  NoEvents events;
  protocol::BufferPool pool;
  // Without a descriptor the kernel knows no local address.
  Client client{
      {.id = 7, .fd = UniqueFd(), .peer = "127.0.0.1:50000", .unix_socket = false, .now = kStart},
      events,
      pool};
};

TEST_F(ClientListTest, ShowsTheFieldsOfRedisInTheirOrder) {
  client.name = "worker";
  client.database = 3;
  client.library = std::make_unique<Client::Library>("redis-py", "5.0.1");
  client.reply().set_resp(3);
  client.last_interaction = kStart + std::chrono::seconds(60);
  const std::string memory = std::to_string(client.memory());
  EXPECT_EQ(Line(client, std::chrono::milliseconds(90'999)),
            "id=7 addr=127.0.0.1:50000 laddr=?:0 fd=-1 name=worker age=90 idle=30 flags=N db=3 "
            "sub=0 psub=0 ssub=0 multi=-1 qbuf=0 qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 "
            "obl=0 oll=0 omem=0 tot-mem=" +
                memory +
                " events= cmd=NULL user=default redir=-1 resp=3 lib-name=redis-py lib-ver=5.0.1\n");
}

TEST_F(ClientListTest, CountsUnsentRepliesBeyondTheFirstBlockAsList) {
  client.reply().Bulk("small");
  EXPECT_NE(Line(client).find(" obl=11 oll=0 omem=0 "), std::string::npos) << Line(client);
  client.reply().Bulk(std::string(100'000, 'x'));
  const std::string line = Line(client);
  EXPECT_NE(line.find(" rbs=16384 rbp=16384 obl=16384 oll="), std::string::npos) << line;
  EXPECT_EQ(line.find(" oll=0 "), std::string::npos) << line;
  const std::string beyond = std::to_string(client.replies().bytes_against_limit());
  EXPECT_NE(line.find(" omem=" + beyond + " "), std::string::npos) << line;
}

TEST_F(ClientListTest, ShowsEachStateAsALetter) {
  EXPECT_EQ(ClientFlags(client), "N");
  client.no_touch = true;
  EXPECT_EQ(ClientFlags(client), "T");
  client.monitor = true;
  client.postponed = true;
  client.close_after_reply = true;
  client.no_evict = true;
  EXPECT_EQ(ClientFlags(client), "ObceT");
}

TEST(ClientType, IsReadInAnyCase) {
  EXPECT_EQ(ParseClientType("NORMAL"), ClientType::kNormal);
  EXPECT_EQ(ParseClientType("Slave"), ClientType::kReplica);
  EXPECT_EQ(ParseClientType("replica"), ClientType::kReplica);
  EXPECT_EQ(ParseClientType("master"), ClientType::kMaster);
  EXPECT_EQ(ParseClientType("pubsub"), ClientType::kPubsub);
  EXPECT_EQ(ParseClientType("monitor"), std::nullopt);
  EXPECT_EQ(ParseClientType(""), std::nullopt);
}

}  // namespace
}  // namespace aeris
