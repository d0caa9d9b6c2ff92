// What it is: a client's connection for protocols whose parsers take whole messages from what was read: input is put
// together in memory that all connections of a thread share, so that ten thousand of them cost little.
// Shard: that of the loop which its stream belongs to.
// Lifetime: `events` outlives it.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "cli/gathered_output.h"
#include "runtime/stream.h"

namespace weir::cli {

class WireEvents {
 public:
  // Something was read: returns how many bytes it has taken from the front. The rest comes again with what follows it.
  virtual std::size_t on_input(Bytes input) = 0;
  // All that was queued has left, after flush() had left some of it.
  virtual void on_output_room() {}
  // The peer or the network ended the connection. Never after end().
  virtual void on_lost(const Error& error) = 0;

 protected:
  ~WireEvents() = default;
};

class WireClient final : public runtime::StreamHandler {
 public:
  explicit WireClient(WireEvents& events) : events_(events) {}

  void start(std::unique_ptr<runtime::ByteStream> stream);
  bool open() const { return stream_ != nullptr; }
  GatheredOutput& output() { return output_; }
  const GatheredOutput& output() const { return output_; }
  void flush() {
    if (stream_) output_.flush(*stream_);
  }
  // What has been flushed is sent, then the connection is closed. Also from inside on_input().
  void end();

  void on_readable() override;
  void on_writable() override;
  void on_closed(const Error& reason) override;

 private:
  WireEvents& events_;
  std::unique_ptr<runtime::ByteStream> stream_;
  GatheredOutput output_;
  std::vector<std::byte> kept_;  // the beginning of a message
};

}  // namespace weir::cli
