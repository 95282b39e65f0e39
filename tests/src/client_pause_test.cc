#include "src/client_pause.h"

#include <gtest/gtest.h>

namespace aeris {
namespace {

using Kind = ClientPause::Kind;

MonotonicTime At(int seconds) { return MonotonicTime(std::chrono::seconds(seconds)); }

TEST(ClientPause, LastsUntilItsEnd) {
  ClientPause pause;
  EXPECT_FALSE(pause.active(At(0)));
  pause.Begin(Kind::kWrite, At(20), At(10));
  EXPECT_TRUE(pause.active(At(19)));
  EXPECT_FALSE(pause.active(At(20)));
  EXPECT_EQ(pause.kind(), Kind::kWrite);
}

TEST(ClientPause, ASecondOneNeitherShortensNorWeakens) {
  ClientPause pause;
  pause.Begin(Kind::kAll, At(20), At(10));
  pause.Begin(Kind::kWrite, At(15), At(11));
  EXPECT_EQ(pause.kind(), Kind::kAll);
  EXPECT_EQ(pause.until(), At(20));
  pause.Begin(Kind::kWrite, At(30), At(12));
  EXPECT_EQ(pause.kind(), Kind::kAll);
  EXPECT_EQ(pause.until(), At(30));
}

TEST(ClientPause, OneThatIsOverHasNoSay) {
  ClientPause pause;
  pause.Begin(Kind::kAll, At(20), At(10));
  pause.Begin(Kind::kWrite, At(40), At(30));
  EXPECT_EQ(pause.kind(), Kind::kWrite);
}

TEST(ClientPause, EndsAtOnce) {
  ClientPause pause;
  pause.Begin(Kind::kAll, At(20), At(10));
  pause.End();
  EXPECT_FALSE(pause.active(At(11)));
  pause.Begin(Kind::kWrite, At(13), At(12));
  EXPECT_EQ(pause.until(), At(13));
}

}  // namespace
}  // namespace aeris
