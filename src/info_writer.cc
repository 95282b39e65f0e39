#include "src/info_writer.h"

#include <array>

namespace aeris {

std::string HumanBytes(std::uint64_t bytes) {
  constexpr std::array kUnits = {'K', 'M', 'G', 'T', 'P', 'E'};
  constexpr double kStep = 1024;
  if (bytes < 1024) return fmt::format("{}B", bytes);
  double value = static_cast<double>(bytes) / kStep;
  std::size_t unit = 0;
  for (; value >= kStep && unit + 1 < kUnits.size(); ++unit) value /= kStep;
  return fmt::format("{:.2f}{}", value, kUnits[unit]);
}

void InfoWriter::Section(std::string_view title) {
  if (!text_.empty()) text_ += "\r\n";
  fmt::format_to(std::back_inserter(text_), "# {}\r\n", title);
}

void InfoWriter::Bytes(std::string_view name, std::uint64_t bytes) {
  Field(name, bytes);
  Line(fmt::format("{}_human", name), "{}", HumanBytes(bytes));
}

}  // namespace aeris
