// MetricsWriter: the text format of Prometheus, version 0.0.4: families of samples, each under its
// lines # HELP and # TYPE.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace aeris {

enum class MetricType : std::uint8_t { kGauge, kCounter, kSummary, kHistogram };

class MetricsWriter {
 public:
  struct Label {
    std::string_view name;
    std::string_view value;  // any bytes; what is not UTF-8 shows as \xHH, and 128 bytes at most
  };
  using Labels = std::initializer_list<Label>;

  // All samples of a family follow it at once, and no family comes twice. `help` is ours: one line.
  void Family(std::string_view name, MetricType type, std::string_view help);
  void Sample(Labels labels, std::integral auto value) {
    Sample({}, labels, std::to_string(value));
  }
  void Sample(Labels labels, double value) { Sample({}, labels, NumberText(value)); }
  // Of a summary or histogram: `suffix` is "_sum", "_count" or "_bucket".
  void Sample(std::string_view suffix, Labels labels, std::string_view number);

  // A family of one sample without labels.
  void Gauge(std::string_view name, std::string_view help, auto value) {
    Family(name, MetricType::kGauge, help);
    Sample({}, value);
  }
  void Counter(std::string_view name, std::string_view help, auto value) {
    Family(name, MetricType::kCounter, help);
    Sample({}, value);
  }

  // Shortest that reads back as the same; +Inf, -Inf, NaN.
  static std::string NumberText(double value);
  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
  std::string family_;
};

}  // namespace aeris
