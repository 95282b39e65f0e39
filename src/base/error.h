// A set-up error as a value: what failed and what to do about it. Not for the request path.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace aeris {

enum class ErrorCode : std::uint8_t {
  kSystem,    // a system call failed; sys_errno says how
  kLimit,     // a limit of ours or of the process was reached
  kInvalid,   // an argument, option or file is malformed
  kNotFound,  // what was named does not exist
};

struct Error {
  ErrorCode code = ErrorCode::kInvalid;
  int sys_errno = 0;    // errno as the failing call left it, 0 when there was none
  std::string message;  // one line for a person, without a trailing full stop

  // "<what>: <strerror(sys_errno)>", read from the errno that the caller saved.
  static Error System(std::string what, int sys_errno);
  static Error Invalid(std::string what) { return {ErrorCode::kInvalid, 0, std::move(what)}; }
};

}  // namespace aeris
