// TlsConnection: TLS of one client.
#pragma once

namespace aeris {

class TlsConnection {};

}  // namespace aeris
