// Replies with runs of list items: the bytes go straight from the packed block to the reply buffer.
#pragma once

#include <cstddef>

#include "protocol/reply_writer.h"
#include "storage/list_value.h"

namespace aeris {

// Writes `count` items from the cursor on as bulk strings. The list has as many.
void ReplyItems(protocol::ReplyWriter& reply, storage::ListView::Cursor from, std::size_t count);
// The same backwards.
void ReplyItemsBackwards(protocol::ReplyWriter& reply, storage::ListView::Cursor from,
                         std::size_t count);

}  // namespace aeris
