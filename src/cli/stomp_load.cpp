#include "cli/stomp_load.h"

#include <fmt/format.h>

#include <charconv>
#include <cstring>

#include "protocol/stomp/codec/stored_headers.h"

namespace weir::cli {

namespace {

constexpr std::string_view number_place = "000000000000";
static_assert(number_place.size() == number_digits);

std::string destination_of(const std::string& queue) { return "/queue/" + queue; }

bool parse_number(std::string_view text, std::uint64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

class StompProducer final : public BenchProducer, StompEvents {
 public:
  StompProducer(std::uint32_t index, const BenchContext& context, BenchTally& tally, runtime::Loop& loop,
                Nudge& own_thread)
      : BenchProducer(index, context, tally, loop, own_thread), client_(context.options.server, 0, *this) {}

  void start(std::unique_ptr<runtime::ByteStream> stream) override { client_.start(std::move(stream)); }
  void close() override { client_.close(); }

 private:
  bool may_write() const override { return client_.may_write(); }
  void write(const PublishBatch& batch) override {
    batch.pieces([this](Bytes piece) { client_.queue_bytes(piece); });
    client_.flush();
  }

  void on_ready() override {
    std::vector<std::string> destinations;
    for (const std::uint32_t lane : lanes())
      destinations.push_back(destination_of(context().plan.lanes[lane].routing_key));
    use_form(stomp_form({.destinations = std::move(destinations),
                         .persistent = context().options.persistent,
                         .receipts = context().options.confirm,
                         .size_bytes = context().options.size_bytes}));
    become_ready();
  }
  void on_input_begin() override { begin_input(); }
  void on_receipt(std::string_view id) override {
    std::uint64_t number = 0;
    if (parse_number(id, number)) return settle(number, false, false);
    ++tally().bad_confirms;
  }
  void on_message(const stomp::Headers&, Bytes) override { ++tally().misrouted; }
  void on_input_end() override { end_input(); }
  void on_output_room() override { publish_more(); }
  void on_failed(const Error& error) override { fail_with(error); }
  void on_closed() override { context().control.count_closed(); }

  StompClient client_;
};

class StompConsumer final : public BenchConsumer, StompEvents {
 public:
  StompConsumer(std::uint32_t index, const BenchContext& context, BenchTally& tally, runtime::Loop& loop,
                StompAck ack)
      : BenchConsumer(index, context, tally, loop),
        ack_(ack),
        client_(context.options.server, context.options.size_bytes, *this) {}

  void start(std::unique_ptr<runtime::ByteStream> stream) override { client_.start(std::move(stream)); }
  void finish() override {
    if (unacknowledged_ > 0) acknowledge();
    client_.close();
  }

 private:
  void on_ready() override;
  void on_input_begin() override { begin_input(); }
  void on_receipt(std::string_view) override {
    if (--receipts_left_ == 0) become_ready();
  }
  void on_message(const stomp::Headers& headers, Bytes body) override;
  void on_input_end() override { end_input(); }
  void on_failed(const Error& error) override { lose(error); }
  void on_closed() override { context().control.count_closed(); }
  void acknowledge();

  StompAck ack_;
  StompClient client_;
  std::size_t receipts_left_ = 0;
  std::string last_ack_;  // as it came, with its escapes
  std::string frame_;
  std::uint32_t unacknowledged_ = 0;
};

void StompConsumer::on_ready() {
  const std::string prefetch = fmt::to_string(context().options.prefetch);
  const std::string_view ack = ack_ == StompAck::automatic ? "auto"
                               : ack_ == StompAck::client  ? "client"
                                                           : "client-individual";
  for (const std::uint32_t queue : queues()) {
    // The id is the queue's number: that is how messages tell where they are from.
    const std::string id = fmt::to_string(queue);
    client_.append(stomp_frame("SUBSCRIBE", {{"id", id},
                                             {"destination", destination_of(context().plan.queues[queue])},
                                             {"ack", ack},
                                             {"prefetch-count", prefetch},
                                             {"activemq.prefetchSize", prefetch},
                                             {"receipt", id}}));
  }
  receipts_left_ = queues().size();
}

void StompConsumer::on_message(const stomp::Headers& headers, Bytes body) {
  std::string_view subscription;
  std::string_view ack;
  bool redelivered = false;
  for (const stomp::Header& header : headers.all()) {
    if (header.name == "subscription") {
      subscription = header.value;
    } else if (header.name == "ack") {
      ack = header.value;
    } else if (header.name == "redelivered") {
      redelivered = header.value == "true";
    }
  }
  std::uint64_t queue = 0;
  if (!parse_number(subscription, queue) || queue >= context().plan.queues.size())
    return BenchConsumer::fail_with("a message of an unknown subscription");
  delivered(static_cast<std::uint32_t>(queue), body.data(), body.size(), redelivered);
  if (ack_ == StompAck::automatic) return;
  if (ack.empty()) return BenchConsumer::fail_with("a message that can't be acknowledged");
  last_ack_ = ack;
  const std::uint32_t together = ack_ == StompAck::client ? context().options.ack_every : 1;
  if (++unacknowledged_ >= together) acknowledge();
}

void StompConsumer::acknowledge() {
  frame_ = "ACK\nid:";
  frame_ += last_ack_;
  frame_ += "\n\n";
  frame_ += '\0';
  client_.append(frame_);
  unacknowledged_ = 0;
}

}  // namespace

PublishForm stomp_form(StompMessages messages) {
  const auto head_of = [messages](std::size_t lane) {
    std::string head = "SEND\n";
    stomp::append_header(head, "destination", messages.destinations[lane], stomp::Version::v1_2);
    head += fmt::format("content-length:{}\n", messages.size_bytes);
    if (messages.persistent) head += "persistent:true\n";
    if (messages.receipts) head.append("receipt:").append(number_place).append("\n");
    return head + "\n";
  };
  PublishForm form;
  form.lanes = messages.destinations.size();
  form.body_at = head_of(0).size();
  form.body_bytes = messages.size_bytes;
  if (messages.receipts) {
    form.number = NumberField::decimal;
    form.number_at = form.body_at - 2 - number_digits;
  }
  form.message = [head_of, body = make_body(messages.size_bytes)](std::size_t lane) {
    const std::string head = head_of(lane);
    std::vector<std::byte> frame(head.size() + body.size() + 1);
    std::memcpy(frame.data(), head.data(), head.size());
    if (!body.empty()) std::memcpy(frame.data() + head.size(), body.data(), body.size());
    return frame;
  };
  return form;
}

std::unique_ptr<BenchProducer> StompProtocol::make_producer(std::uint32_t index, const BenchContext& context,
                                                            BenchTally& tally, runtime::Loop& loop,
                                                            Nudge& own_thread) const {
  return std::make_unique<StompProducer>(index, context, tally, loop, own_thread);
}

std::unique_ptr<BenchConsumer> StompProtocol::make_consumer(std::uint32_t index, const BenchContext& context,
                                                            BenchTally& tally, runtime::Loop& loop) const {
  return std::make_unique<StompConsumer>(index, context, tally, loop, ack_);
}

}  // namespace weir::cli
