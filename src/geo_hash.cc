#include "src/geo_hash.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace aeris {
namespace {

constexpr double kEarthRadius = 6372797.560856;
// Half of the equator in web Mercator.
constexpr double kMercatorMax = 20037726.37;
constexpr std::uint64_t kEvenBits = 0x5555555555555555;
constexpr std::uint64_t kOddBits = 0xaaaaaaaaaaaaaaaa;

double Radians(double degrees) { return degrees * (std::numbers::pi / 180.0); }
double Degrees(double radians) { return radians / (std::numbers::pi / 180.0); }

// The bits of `value` at the even places.
std::uint64_t Spread(std::uint32_t value) {
  std::uint64_t bits = value;
  bits = (bits | bits << 16) & 0x0000ffff0000ffff;
  bits = (bits | bits << 8) & 0x00ff00ff00ff00ff;
  bits = (bits | bits << 4) & 0x0f0f0f0f0f0f0f0f;
  bits = (bits | bits << 2) & 0x3333333333333333;
  return (bits | bits << 1) & kEvenBits;
}

std::uint32_t Gather(std::uint64_t bits) {
  bits &= kEvenBits;
  bits = (bits | bits >> 1) & 0x3333333333333333;
  bits = (bits | bits >> 2) & 0x0f0f0f0f0f0f0f0f;
  bits = (bits | bits >> 4) & 0x00ff00ff00ff00ff;
  bits = (bits | bits >> 8) & 0x0000ffff0000ffff;
  return static_cast<std::uint32_t>(bits | bits >> 16);
}

// Which of 2^step parts of the range the value is in; the end of the range is one beyond.
std::uint32_t PartOf(double value, double max, unsigned step) {
  const double offset = (value + max) / (2 * max);
  return static_cast<std::uint32_t>(offset * static_cast<double>(std::uint64_t{1} << step));
}

GeoCell CellIn(GeoPoint point, double latitude_max, unsigned step) {
  return {Spread(PartOf(point.latitude, latitude_max, step)) |
              Spread(PartOf(point.longitude, kGeoLongitudeMax, step)) << 1,
          step};
}

// The cell `by` columns or rows further (1 or -1), round the world. `own` are the bits that count
// them, `other` those of the other direction.
GeoCell Moved(GeoCell cell, int by, std::uint64_t own, std::uint64_t other) {
  if (by == 0) return cell;
  const unsigned unused = 64 - 2 * cell.step;
  const std::uint64_t gaps = other >> unused;
  std::uint64_t moving = cell.bits & own;
  if (by > 0) {
    moving += gaps + 1;
  } else {
    moving = (moving | gaps) - (gaps + 1);
  }
  return {(moving & (own >> unused)) | (cell.bits & other), cell.step};
}

GeoCell Neighbour(GeoCell cell, int east, int north) {
  return Moved(Moved(cell, east, kOddBits, kEvenBits), north, kEvenBits, kOddBits);
}

struct Direction {
  int east;
  int north;
};
// As GeoCover says.
constexpr Direction kDirections[GeoCover::kCells] = {{0, 0}, {0, 1},  {0, -1}, {1, 0},  {-1, 0},
                                                     {1, 1}, {-1, 1}, {1, -1}, {-1, -1}};
enum : std::size_t { kNorth = 1, kSouth = 2, kEast = 3, kWest = 4 };

GeoCover CoverAround(GeoPoint center, unsigned step) {
  GeoCover cover;
  const GeoCell cell = GeoCellOf(center, step);
  for (std::size_t i = 0; i < GeoCover::kCells; ++i) {
    cover.cells[i] = Neighbour(cell, kDirections[i].east, kDirections[i].north);
  }
  return cover;
}

// The halving at which nine cells cover a circle of that radius; cells are narrow near the poles.
unsigned StepFor(double radius, double latitude) {
  if (radius == 0) return kGeoSteps;
  int step = 1;
  for (; radius < kMercatorMax; radius *= 2) ++step;
  step -= 2;
  if (std::abs(latitude) > 66) --step;
  if (std::abs(latitude) > 80) --step;
  return static_cast<unsigned>(std::clamp(step, 1, int{kGeoSteps}));
}

// The shape in degrees.
GeoArea BoundsOf(const GeoShape& shape) {
  const double height = shape.metres * (shape.box ? shape.height / 2 : shape.radius);
  const double width = shape.metres * (shape.box ? shape.width / 2 : shape.radius);
  const double latitude_delta = Degrees(height / kEarthRadius);
  const auto longitude_delta = [&](double latitude) {
    return Degrees(width / kEarthRadius / std::cos(Radians(latitude)));
  };
  const auto [longitude, latitude] = shape.center;
  const double delta = latitude < 0 ? longitude_delta(latitude - latitude_delta)
                                    : longitude_delta(latitude + latitude_delta);
  return {{longitude - delta, latitude - latitude_delta},
          {longitude + delta, latitude + latitude_delta}};
}

bool ReachesBeyond(const GeoArea& bounds, const GeoCover& cover) {
  return GeoAreaOf(cover.cells[kNorth]).max.latitude < bounds.max.latitude ||
         GeoAreaOf(cover.cells[kSouth]).min.latitude > bounds.min.latitude ||
         GeoAreaOf(cover.cells[kEast]).max.longitude < bounds.max.longitude ||
         GeoAreaOf(cover.cells[kWest]).min.longitude > bounds.min.longitude;
}

}  // namespace

bool GeoValid(GeoPoint point) {
  return std::abs(point.longitude) <= kGeoLongitudeMax &&
         std::abs(point.latitude) <= kGeoLatitudeMax;
}

GeoCell GeoCellOf(GeoPoint point, unsigned step) { return CellIn(point, kGeoLatitudeMax, step); }

GeoArea GeoAreaOf(GeoCell cell) {
  const auto edge = [&](std::uint32_t part, unsigned beyond, double max) {
    const double parts = static_cast<double>(std::uint64_t{1} << cell.step);
    return -max + ((part + beyond) * 1.0 / parts) * (2 * max);
  };
  const std::uint32_t row = Gather(cell.bits);
  const std::uint32_t column = Gather(cell.bits >> 1);
  return {{edge(column, 0, kGeoLongitudeMax), edge(row, 0, kGeoLatitudeMax)},
          {edge(column, 1, kGeoLongitudeMax), edge(row, 1, kGeoLatitudeMax)}};
}

double GeoScore(GeoPoint point) { return static_cast<double>(GeoCellOf(point, kGeoSteps).bits); }

std::uint64_t GeoBits(double score) {
  constexpr double kTwo63 = 9223372036854775808.0;
  if (score >= -kTwo63 && score < kTwo63) {
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(score));
  }
  if (score >= kTwo63) return score < 2 * kTwo63 ? static_cast<std::uint64_t>(score) : 0;
  return std::uint64_t{1} << 63;
}

GeoPoint GeoPlace(double score) {
  const GeoArea area = GeoAreaOf({GeoBits(score), kGeoSteps});
  const auto middle = [](double min, double max, double limit) {
    return std::clamp((min + max) / 2, -limit, limit);
  };
  return {middle(area.min.longitude, area.max.longitude, kGeoLongitudeMax),
          middle(area.min.latitude, area.max.latitude, kGeoLatitudeMax)};
}

void FormatGeoText(char* out, GeoPoint point) {
  constexpr char kDigits[] = "0123456789bcdefghjkmnpqrstuvwxyz";
  const std::uint64_t bits = CellIn(point, 90, kGeoSteps).bits;
  // 52 bits are ten digits of five and a rest of two, for which Redis writes a 0.
  for (unsigned i = 0; i + 1 < kGeoTextSize; ++i) {
    out[i] = kDigits[bits >> (2 * kGeoSteps - (i + 1) * 5) & 0x1f];
  }
  out[kGeoTextSize - 1] = kDigits[0];
}

// The haversine formula.
double GeoDistance(GeoPoint a, GeoPoint b) {
  const double v = std::sin((Radians(b.longitude) - Radians(a.longitude)) / 2);
  const double a_latitude = Radians(a.latitude);
  const double b_latitude = Radians(b.latitude);
  const double u = std::sin((b_latitude - a_latitude) / 2);
  const double square = u * u + std::cos(a_latitude) * std::cos(b_latitude) * v * v;
  return 2.0 * kEarthRadius * std::asin(std::sqrt(square));
}

double GeoDistanceInside(const GeoShape& shape, GeoPoint point) {
  if (shape.box) {
    const double across = GeoDistance(point, {shape.center.longitude, point.latitude});
    const double along = GeoDistance(point, {point.longitude, shape.center.latitude});
    if (across > shape.width * shape.metres / 2 || along > shape.height * shape.metres / 2) {
      return -1;
    }
    return GeoDistance(shape.center, point);
  }
  const double distance = GeoDistance(shape.center, point);
  return distance > shape.radius * shape.metres ? -1 : distance;
}

GeoCover CoverShape(const GeoShape& shape) {
  const GeoArea bounds = BoundsOf(shape);
  const double radius = shape.box ? std::sqrt((shape.width / 2) * (shape.width / 2) +
                                              (shape.height / 2) * (shape.height / 2))
                                  : shape.radius;
  unsigned step = StepFor(radius * shape.metres, shape.center.latitude);
  GeoCover cover = CoverAround(shape.center, step);
  if (step > 1 && ReachesBeyond(bounds, cover)) cover = CoverAround(shape.center, --step);
  if (step < 2) return cover;
  const GeoArea center = GeoAreaOf(cover.cells[0]);
  const auto drop = [&](int east, int north) {
    for (std::size_t i = 1; i < GeoCover::kCells; ++i) {
      const Direction& each = kDirections[i];
      if ((east != 0 && each.east == east) || (north != 0 && each.north == north)) {
        cover.cells[i] = {};
      }
    }
  };
  if (center.min.latitude < bounds.min.latitude) drop(0, -1);
  if (center.max.latitude > bounds.max.latitude) drop(0, 1);
  if (center.min.longitude < bounds.min.longitude) drop(-1, 0);
  if (center.max.longitude > bounds.max.longitude) drop(1, 0);
  return cover;
}

GeoScores GeoScoresOf(GeoCell cell) {
  const unsigned unused = 2 * (kGeoSteps - cell.step);
  return {static_cast<double>(cell.bits << unused), static_cast<double>((cell.bits + 1) << unused)};
}

}  // namespace aeris
