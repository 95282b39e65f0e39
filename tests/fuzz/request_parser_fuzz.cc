// The properties of the request parser on any bytes: it never reads past what has arrived, consumes
// no more than that, gives what the plain rules give (RequestOracle), and no split changes what
// comes out. The unit tests hold the same on seeded streams.
//
// Input: three bytes that choose limits and pieces, then the stream.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "src/base/check.h"
#include "tests/protocol/request_oracle.h"

namespace {

using aeris::protocol::Limits;
using aeris::protocol::Outcome;
using aeris::protocol::ParseInPieces;
using aeris::protocol::RequestOracle;

Limits LimitsFrom(std::uint8_t choice) {
  Limits limits;
  limits.authenticated = (choice & 1) == 0;
  if ((choice & 2) != 0) limits.bulk_bytes_max = choice >> 4;
  if ((choice & 4) != 0) limits.args_max = 1 + (choice >> 4);
  return limits;
}

std::vector<std::size_t> EndsEvery(std::size_t size, std::size_t first, std::size_t step) {
  std::vector<std::size_t> ends;
  for (std::size_t end = first; end < size; end += step) ends.push_back(end);
  return ends;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const Limits limits = LimitsFrom(data[0]);
  const std::string stream(data + 3, data + size);
  const std::vector<Outcome> expected = RequestOracle(stream, limits).Outcomes();
  AERIS_CHECK(ParseInPieces(stream, {}, limits) == expected);
  AERIS_CHECK(ParseInPieces(stream, EndsEvery(stream.size(), data[1], 1 + data[2]), limits) ==
              expected);
  if (stream.size() <= 256) {
    AERIS_CHECK(ParseInPieces(stream, EndsEvery(stream.size(), 0, 1), limits) == expected);
  }
  return 0;
}
