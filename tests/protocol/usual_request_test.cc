#include "protocol/usual_request.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/request_parser.h"
#include "src/base/random.h"
#include "tests/protocol/request_generator.h"

namespace aeris::protocol {
namespace {

using Arguments = std::vector<std::string_view>;

// What the parser makes of the request at the head; 0 bytes when it is not whole or wrong.
std::size_t ParsePlainly(std::string_view bytes, const Limits& limits, Arguments& arguments) {
  RequestParser parser;
  if (parser.Parse(bytes, limits) != ParseStatus::kRequest || parser.arguments_decoded()) return 0;
  parser.AppendArguments(bytes, arguments);
  return parser.size();
}

std::string Multibulk(const std::vector<std::string>& arguments) {
  std::string bytes = "*" + std::to_string(arguments.size()) + "\r\n";
  for (const std::string& argument : arguments) {
    bytes += "$" + std::to_string(argument.size()) + "\r\n" + argument + "\r\n";
  }
  return bytes;
}

TEST(UsualRequest, IsTakenWithWhatFollowsLeftAlone) {
  for (const std::size_t count : {1u, 2u, 9u, 10u, 11u, 99u}) {
    std::vector<std::string> sent;
    for (std::size_t i = 0; i < count; ++i) sent.emplace_back(i * i, 'x');
    const std::string request = Multibulk(sent);
    Arguments arguments = {"before"};
    const std::string bytes = request + "*1\r\n";
    ASSERT_EQ(TakeUsualRequest(bytes, Limits{}, arguments), request.size());
    ASSERT_EQ(arguments.size(), count + 1);
    for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(arguments[i + 1], sent[i]);
  }
}

TEST(UsualRequest, LeavesRequestsThatAreNotWholeAlone) {
  const std::string request = Multibulk({"SET", "key", std::string(1000, 'v')});
  for (std::size_t size = 0; size < request.size(); ++size) {
    // Of its own size, so that a byte read behind it shows under the address sanitizer.
    const std::vector<char> head(request.begin(),
                                 request.begin() + static_cast<std::ptrdiff_t>(size));
    Arguments arguments = {"before"};
    EXPECT_EQ(TakeUsualRequest({head.data(), head.size()}, Limits{}, arguments), 0u) << size;
    EXPECT_EQ(arguments.size(), 1u) << size;
  }
}

TEST(UsualRequest, LeavesOddSpellingsToTheParser) {
  for (const std::string_view odd :
       {"PING\r\n", "*0\r\n\r\n", "*-1\r\n", "*01\r\n$4\r\nPING\r\n", "*100\r\n$1\r\na\r\n",
        "*1\r\n$04\r\nPING\r\n", "*1\r\n$+4\r\nPING\r\n", "*1\r\n$4\rPING\r\n",
        "*1\r\n$4\r\nPINGxx", "*1\r\n:4\r\nPING\r\n", "*1\r\n$-1\r\n\r\n", "*1\n$4\nPING\n"}) {
    Arguments arguments;
    EXPECT_EQ(TakeUsualRequest(odd, Limits{}, arguments), 0u) << odd;
    EXPECT_TRUE(arguments.empty());
  }
}

TEST(UsualRequest, KeepsToTheLimits) {
  Arguments arguments;
  EXPECT_EQ(TakeUsualRequest("*2\r\n$1\r\na\r\n$5\r\nabcde\r\n", {.bulk_bytes_max = 4}, arguments),
            0u);
  EXPECT_EQ(TakeUsualRequest("*2\r\n$1\r\na\r\n$1\r\nb\r\n", {.args_max = 1}, arguments), 0u);
  EXPECT_TRUE(arguments.empty());
}

TEST(UsualRequest, AgreesWithTheParserOnGeneratedStreams) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  std::size_t usual = 0;
  for (int i = 0; i < 20'000; ++i) {
    RequestGenerator generator(random);
    const std::string stream = generator.Stream();
    const std::string_view bytes = std::string_view(stream).substr(
        0, random.Below(9) == 0 ? random.Below(stream.size() + 1) : stream.size());
    const Limits limits{.bulk_bytes_max = random.Below(4) == 0 ? 7 : kBulkBytesMaxDefault,
                        .args_max = random.Below(4) == 0 ? 5 : kArgsMax};
    Arguments taken, expected;
    const std::size_t size = TakeUsualRequest(bytes, limits, taken);
    if (size == 0) {
      ASSERT_TRUE(taken.empty());
      continue;
    }
    ++usual;
    ASSERT_EQ(size, ParsePlainly(bytes, limits, expected)) << bytes;
    ASSERT_EQ(taken, expected) << bytes;
  }
  EXPECT_GT(usual, 2'000u);
}

}  // namespace
}  // namespace aeris::protocol
