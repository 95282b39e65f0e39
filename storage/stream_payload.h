// Streams as RDB files and DUMP payloads have them, behind their type byte:
//
//   blocks     [ count ] { [ 16: first id, big endian ][ listpack ] }
//   stream     [ entries ][ last id ][ first id, highest deleted id, entries added: from version 2
//   ] groups     [ count ] { [ name ][ last id ][ entries read: from 2 ]
//     pending    [ count ] { [ id 16 ][ delivered at, 8 ][ deliveries ] }
//     consumers  [ count ] { [ name ][ seen at, 8 ][ active at, 8: from 3 ]
//                            [ count ] { [ id 16 ] } } }
//
// Ids are two lengths but where "16" says big endian bytes.
#pragma once

#include <memory>

#include "storage/rdb_format.h"
#include "storage/rdb_reader.h"
#include "storage/rdb_writer.h"
#include "storage/stream_value.h"

namespace aeris::storage {

// With its type byte.
void WriteStream(RdbWriter& out, const Stream& stream);
// What follows the type byte, one of the three of streams. Null unless it is right in every detail.
[[nodiscard]] std::unique_ptr<Collection> ReadStream(RdbReader& in, rdb::Type type);

}  // namespace aeris::storage
