#include "src/admin/page.h"

namespace aeris {
namespace {

struct ContentType {
  std::string_view suffix;
  std::string_view type;
};
constexpr ContentType kContentTypes[] = {{".html", "text/html; charset=utf-8"},
                                         {".css", "text/css; charset=utf-8"},
                                         {".js", "text/javascript; charset=utf-8"},
                                         {".svg", "image/svg+xml"}};

}  // namespace

PageResource FindPageResource(std::string_view path) {
  if (!path.starts_with('/')) return {};
  const std::string_view name = path == "/" ? "index.html" : path.substr(1);
  for (const PageFile& file : EmbeddedPageFiles()) {
    if (file.name != name) continue;
    for (const ContentType& of : kContentTypes) {
      if (name.ends_with(of.suffix)) return {file.content, of.type};
    }
  }
  return {};
}

}  // namespace aeris
