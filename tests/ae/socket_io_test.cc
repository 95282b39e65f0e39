#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "ae/socket.h"
#include "tests/ae/socket_pair.h"

namespace aeris::ae {
namespace {

using testing::FdPair;
using testing::MakePipe;
using testing::MakeSocketPair;
using testing::Put;
using testing::Take;

iovec Piece(std::string_view text) {
  return {.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
}

TEST(Read, GivesWhatIsThere) {
  const FdPair pair = MakeSocketPair();
  Put(pair.second, "hello");
  char bytes[64];
  const IoResult result = Read(pair.first.get(), bytes);
  EXPECT_EQ(result.kind, IoKind::kDone);
  EXPECT_EQ(std::string_view(bytes, result.bytes), "hello");
}

TEST(Read, WouldBlockWithoutBytes) {
  const FdPair pair = MakeSocketPair();
  char byte = 0;
  EXPECT_EQ(Read(pair.first.get(), {&byte, 1}).kind, IoKind::kWouldBlock);
}

TEST(Read, SeesTheEndBehindTheLastBytes) {
  FdPair pair = MakeSocketPair();
  Put(pair.second, "x");
  pair.second.Reset();
  char byte = 0;
  EXPECT_EQ(Read(pair.first.get(), {&byte, 1}).kind, IoKind::kDone);
  EXPECT_EQ(Read(pair.first.get(), {&byte, 1}).kind, IoKind::kClosed);
}

TEST(Read, FailsWithTheErrno) {
  char byte = 0;
  const IoResult result = Read(-1, {&byte, 1});
  EXPECT_EQ(result.kind, IoKind::kFailed);
  EXPECT_EQ(result.sys_errno, EBADF);
}

TEST(Write, TakesWhatFitsThenWouldBlock) {
  const FdPair pair = MakeSocketPair();
  const std::string block(1 << 20, 'x');
  const IoResult first = Write(pair.first.get(), block);
  EXPECT_EQ(first.kind, IoKind::kDone);
  EXPECT_GT(first.bytes, 0U);
  EXPECT_LT(first.bytes, block.size());
  while (Write(pair.first.get(), block).kind == IoKind::kDone) {
  }
  EXPECT_EQ(Write(pair.first.get(), block).kind, IoKind::kWouldBlock);
  EXPECT_FALSE(Take(pair.second).empty());
}

// SIGPIPE has its default here: raised, it would end the test program.
TEST(Write, FailsWithoutASignalWhenThePeerIsGone) {
  FdPair pair = MakeSocketPair();
  pair.second.Reset();
  const IoResult plain = Write(pair.first.get(), std::string_view("x"));
  EXPECT_EQ(plain.kind, IoKind::kFailed);
  EXPECT_EQ(plain.sys_errno, EPIPE);
  const iovec piece = Piece("x");
  const IoResult gathered = WriteV(pair.first.get(), {&piece, 1});
  EXPECT_EQ(gathered.kind, IoKind::kFailed);
  EXPECT_EQ(gathered.sys_errno, EPIPE);
}

TEST(Write, ServesDescriptorsThatAreNoSockets) {
  const FdPair pipe = MakePipe();
  EXPECT_EQ(Write(pipe.second.get(), std::string_view("plain ")).bytes, 6U);
  const iovec pieces[] = {Piece("gath"), Piece("ered")};
  EXPECT_EQ(WriteV(pipe.second.get(), pieces).bytes, 8U);
  EXPECT_EQ(Take(pipe.first), "plain gathered");
}

TEST(WriteV, SendsPiecesInOrder) {
  const FdPair pair = MakeSocketPair();
  const iovec pieces[] = {Piece("one "), Piece(""), Piece("two "), Piece("three")};
  const IoResult result = WriteV(pair.first.get(), pieces);
  EXPECT_EQ(result.kind, IoKind::kDone);
  EXPECT_EQ(result.bytes, 13U);
  EXPECT_EQ(Take(pair.second), "one two three");
}

TEST(WriteV, TakesAsManyPiecesAsTheKernelAllows) {
  const FdPair pair = MakeSocketPair();
  const std::vector<iovec> pieces(IOV_MAX + 500, Piece("x"));
  const IoResult result = WriteV(pair.first.get(), pieces);
  EXPECT_EQ(result.kind, IoKind::kDone);
  EXPECT_EQ(result.bytes, static_cast<std::size_t>(IOV_MAX));
}

TEST(WriteV, WouldBlockWhenFull) {
  const FdPair pair = MakeSocketPair();
  const std::string block(1 << 20, 'x');
  const iovec piece = Piece(block);
  while (WriteV(pair.first.get(), {&piece, 1}).kind == IoKind::kDone) {
  }
  EXPECT_EQ(WriteV(pair.first.get(), {&piece, 1}).kind, IoKind::kWouldBlock);
}

}  // namespace
}  // namespace aeris::ae
