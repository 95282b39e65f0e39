// An item of a packed block as a reply.
#pragma once

#include "protocol/reply_writer.h"
#include "storage/packed_block.h"

namespace aeris {

// As bulk string.
inline void ReplyItem(protocol::ReplyWriter& reply, const storage::PackedItem& item) {
  item.is_integer ? reply.BulkInteger(item.integer) : reply.Bulk(item.text);
}

}  // namespace aeris
