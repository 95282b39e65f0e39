// The page of the admin port: the files of src/admin/page, which the build turns into bytes of the
// binary (tools/embed_files.cmake), so that nothing is read or loaded when it is shown.
#pragma once

#include <span>
#include <string_view>

namespace aeris {

struct PageFile {
  std::string_view name;  // "page.js"
  std::string_view content;
};

// Generated: all files of the folder, by name.
std::span<const PageFile> EmbeddedPageFiles();

struct PageResource {
  std::string_view content;
  std::string_view content_type;
};

// What is at a path of the port, "/" being index.html; empty content when there is nothing.
PageResource FindPageResource(std::string_view path);

}  // namespace aeris
