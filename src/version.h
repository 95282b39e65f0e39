// What we call ourselves, and the Redis whose behaviour clients may rely on.
#pragma once

#include <string_view>

namespace aeris {

inline constexpr std::string_view kVersion = "0.1.0";
// INFO's redis_version and HELLO's version: client libraries choose what they send by it.
inline constexpr std::string_view kRedisVersion = "7.4.0";

}  // namespace aeris
