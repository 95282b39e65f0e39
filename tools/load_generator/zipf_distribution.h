// ZipfDistribution: ranks 1 to n, of which rank r is drawn with a probability in proportion to
// 1 / r^exponent. Exact, for every exponent above 0.
//
// Rejection-inversion: the bars of the histogram are cut out of the area below x^-exponent, whose
// integral can be inverted; a draw that falls beside its bar is refused and repeated, which few
// are. Cost:     two transcendental functions, about 40 ns, whatever n is. Rejected: an alias table
// or the inverted sum as an array: a cache miss or more for each rank of
//           millions, and the load has to be lighter than the server under it.
// Source:   Hörmann and Derflinger, Rejection-inversion to generate variates from monotone discrete
//           distributions, ACM TOMACS 6 (1996).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "tools/load_generator/key_sequence.h"

namespace aeris::load {

class ZipfDistribution {
 public:
  ZipfDistribution(std::uint64_t ranks, double exponent)
      : ranks_(static_cast<double>(ranks)),
        exponent_(exponent),
        // The first bar begins where the area in front of 1.5 is 1, its own height.
        area_begin_(Area(1.5) - 1),
        area_end_(Area(ranks_ + 0.5)),
        sure_(2 - AreaInverted(Area(2.5) - Weight(2))) {}

  std::uint64_t Draw(Xoshiro& random) const {
    for (;;) {
      const double area = area_end_ + random.Unit() * (area_begin_ - area_end_);
      const double x = AreaInverted(area);
      const double rank = std::clamp(std::floor(x + 0.5), 1.0, ranks_);
      // So near to its rank that it cannot lie beside the bar, or looked up.
      if (rank - x <= sure_ || area >= Area(rank + 0.5) - Weight(rank)) {
        return static_cast<std::uint64_t>(rank);
      }
    }
  }

  // In proportion to the probability of a rank.
  double Weight(double rank) const { return std::exp(-exponent_ * std::log(rank)); }

 private:
  // The integral of x^-exponent from 1, and its inverse.
  double Area(double x) const {
    const double log = std::log(x);
    return exponent_ == 1 ? log : std::expm1((1 - exponent_) * log) / (1 - exponent_);
  }
  double AreaInverted(double area) const {
    return exponent_ == 1 ? std::exp(area)
                          : std::exp(std::log1p((1 - exponent_) * area) / (1 - exponent_));
  }

  double ranks_;
  double exponent_;
  double area_begin_;
  double area_end_;
  double sure_;
};

}  // namespace aeris::load
