// Places on the earth as numbers of 52 bits that a sorted set can order.
//
//   longitude -180 .. 180, latitude -85.05112878 .. 85.05112878 (web Mercator), halved 26 times
//   each; bits of both take turns, longitude first: a prefix of 2n bits is a cell of the n-th
//   halving
//
// What lies near each other mostly has a common prefix; a circle or box is covered by the cell of
// its centre, at a halving where cells are as large as it is, and the eight cells around it.
//
// The formulas, and the order in which doubles are rounded, are Redis's: stored distances and what
// lies on an edge come out the same.
#pragma once

#include <cstddef>
#include <cstdint>

namespace aeris {

struct GeoPoint {
  double longitude = 0;
  double latitude = 0;
};

inline constexpr double kGeoLongitudeMax = 180;
inline constexpr double kGeoLatitudeMax = 85.05112878;
inline constexpr unsigned kGeoSteps = 26;

// Whether a sorted set can have it; false for NaN.
bool GeoValid(GeoPoint point);

// A cell: 2 * step bits. A default one is none.
struct GeoCell {
  std::uint64_t bits = 0;
  unsigned step = 0;

  bool none() const { return bits == 0 && step == 0; }
  friend bool operator==(const GeoCell&, const GeoCell&) = default;
};
struct GeoArea {
  GeoPoint min;
  GeoPoint max;
};

GeoCell GeoCellOf(GeoPoint point, unsigned step);
GeoArea GeoAreaOf(GeoCell cell);

// The score of a valid place, and back: the middle of its cell. Any number is some place.
double GeoScore(GeoPoint point);
GeoPoint GeoPlace(double score);
// The bits of a score as an integer, as x86 converts it.
std::uint64_t GeoBits(double score);

// The usual text of a place (geohash.org), which halves latitudes from -90 to 90. 11 characters.
inline constexpr std::size_t kGeoTextSize = 11;
void FormatGeoText(char* out, GeoPoint point);

// Metres between two places.
double GeoDistance(GeoPoint a, GeoPoint b);

// What is searched. Lengths are in units of `metres`.
struct GeoShape {
  GeoPoint center;
  double metres = 1;
  bool box = false;
  double radius = 0;
  double width = 0;  // of a box
  double height = 0;
};
// The distance from the center in metres, for what lies inside; negative for all else.
double GeoDistanceInside(const GeoShape& shape, GeoPoint point);

// Cells that cover the shape: the one of its center, then those to the north, south, east, west,
// north-east, north-west, south-east, south-west; none where there is no need of it.
struct GeoCover {
  static constexpr std::size_t kCells = 9;
  GeoCell cells[kCells];
};
GeoCover CoverShape(const GeoShape& shape);

// The scores of a cell: at least min, below max.
struct GeoScores {
  double min = 0;
  double max = 0;
};
GeoScores GeoScoresOf(GeoCell cell);

}  // namespace aeris
