// Whole files of text: the configuration and the users.
#pragma once

#include <sys/types.h>

#include <expected>
#include <string>
#include <string_view>

#include "src/base/error.h"

namespace aeris {

struct TextFile {
  std::string text;
  mode_t mode;  // its permissions
};

// Error::message begins with what failed ("open", "read") and the path.
std::expected<TextFile, Error> ReadTextFile(const std::string& path);

// Writes a new file beside the old one and puts it in its place: on disk, whatever happens, is the
// old text or the new one, whole. A link stays a link: the file it names is replaced.
std::expected<void, Error> ReplaceTextFile(const std::string& path, std::string_view text,
                                           mode_t mode);

}  // namespace aeris
