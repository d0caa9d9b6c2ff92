#include <algorithm>
#include <array>

#include "runtime/socket_stream.h"

namespace weir::runtime {
namespace {

class TcpStream final : public SocketStream {
 public:
  TcpStream(SocketContext& context, Socket socket) : SocketStream(context, std::move(socket)) {}
  ~TcpStream() override { close(); }

  Result<std::size_t> read(MutableBytes into) override;
  Result<std::size_t> write(std::span<const Bytes> pieces) override;
};

Result<std::size_t> TcpStream::read(MutableBytes into) {
  if (!may_read()) return 0;
  if (budget() == 0) {
    offer_again();
    return 0;
  }
  const std::size_t count = receive(into.first(std::min(into.size(), budget())));
  spend(count);
  if (count == 0 && failure() && failure()->code != ErrorCode::closed) return std::unexpected(*failure());
  return count;
}

Result<std::size_t> TcpStream::write(std::span<const Bytes> pieces) {
  std::array<iovec, write_pieces_max> gathered;
  std::size_t taken = 0;
  while (!pieces.empty()) {
    const std::size_t count = std::min(pieces.size(), gathered.size());
    std::size_t wanted = 0;
    for (std::size_t i = 0; i < count; ++i) {
      gathered[i] = {const_cast<std::byte*>(pieces[i].data()), pieces[i].size()};
      wanted += pieces[i].size();
    }
    const std::size_t sent = send({gathered.data(), count});
    taken += sent;
    if (sent < wanted) {
      if (!send_blocked()) {
        return fail(ErrorCode::closed, failure() ? failure()->message : "the stream is closed");
      }
      want_room();
      break;
    }
    pieces = pieces.subspan(count);
  }
  return taken;
}

}  // namespace

std::unique_ptr<ByteStream> make_tcp_stream(SocketContext& context, Socket socket) {
  return std::make_unique<TcpStream>(context, std::move(socket));
}

}  // namespace weir::runtime
