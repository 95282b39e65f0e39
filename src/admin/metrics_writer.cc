#include "src/admin/metrics_writer.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <iterator>

#include "src/admin/utf8_text.h"

namespace aeris {
namespace {

constexpr std::array<std::string_view, 4> kTypes = {"gauge", "counter", "summary", "histogram"};
constexpr std::size_t kLabelBytesMax = 128;

void AppendLabelValue(std::string& text, std::string_view value) {
  for (const char c : Utf8Text(value, kLabelBytesMax)) {
    if (c == '\n') {
      text += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
}

}  // namespace

void MetricsWriter::Family(std::string_view name, MetricType type, std::string_view help) {
  family_ = name;
  fmt::format_to(std::back_inserter(text_), "# HELP {} {}\n# TYPE {} {}\n", name, help, name,
                 kTypes[static_cast<std::size_t>(type)]);
}

void MetricsWriter::Sample(std::string_view suffix, Labels labels, std::string_view number) {
  text_ += family_;
  text_ += suffix;
  char separator = '{';
  for (const Label& label : labels) {
    text_ += separator;
    text_ += label.name;
    text_ += "=\"";
    AppendLabelValue(text_, label.value);
    text_ += '"';
    separator = ',';
  }
  if (labels.size() != 0) text_ += '}';
  text_ += ' ';
  text_ += number;
  text_ += '\n';
}

std::string MetricsWriter::NumberText(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

}  // namespace aeris
