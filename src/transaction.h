// Transaction: the commands that a client has queued since MULTI.
#pragma once

namespace aeris {

class Transaction {};

}  // namespace aeris
