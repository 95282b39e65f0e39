// Who is turned away because nobody has to give a password.
#pragma once

#include <string_view>

namespace aeris {

class Client;
class Server;

// The error that the client gets before it is closed, as bytes of the wire; empty when it may stay.
std::string_view ProtectedModeDenial(const Server& server, const Client& client);

}  // namespace aeris
