// What it is: the cost of the frames that every message crosses: publish, deliver, ack, header and body.
#include <benchmark/benchmark.h>

#include <vector>

#include "protocol/amqp091/codec/content_frames.h"
#include "protocol/amqp091/codec/field_table.h"
#include "protocol/amqp091/codec/methods.h"

namespace weir::amqp091 {
namespace {

const BasicPublish publish{.exchange = "amq.topic", .routing_key = "orders.eu.created"};
const BasicDeliver deliver{.consumer_tag = "ctag1.a3f",
                           .delivery_tag = 77,
                           .exchange = "amq.topic",
                           .routing_key = "orders.eu.created"};
const std::vector<std::byte> body(1024, std::byte{'b'});

std::vector<std::byte> raw_properties(bool with_headers) {
  const auto table =
      encode_table(FieldTable().add("tenant", "acme").add("retry", 3).add("traceparent", "00-4bf9"));
  Properties properties{.content_type = "application/json", .delivery_mode = 2};
  if (with_headers) properties.headers = TableBytes{table};
  std::vector<std::byte> raw;
  append_properties(raw, properties);
  return raw;
}

// Arg: whether the messages have headers. One iteration is one message of three frames.
void publish_decode(benchmark::State& state) {
  std::vector<std::byte> input;
  for (int i = 0; i < 64; ++i) {
    append_method_frame(input, 1, publish);
    append_content_frames(input, 1, raw_properties(state.range(0) != 0), body, frame_max_default);
  }
  Bytes left = input;
  for (auto _ : state) {
    if (left.empty()) left = input;
    const auto method = decode_frame(left, frame_max_default);
    left = left.subspan(method.bytes);
    auto decoded = decode_as<BasicPublish>(method.frame.payload);
    benchmark::DoNotOptimize(decoded);
    const auto header_frame = decode_frame(left, frame_max_default);
    left = left.subspan(header_frame.bytes);
    auto header = decode_content_header(header_frame.frame.payload);
    bool persistent = PropertiesView(header->raw_properties).persistent();
    benchmark::DoNotOptimize(persistent);
    auto body_frame = decode_frame(left, frame_max_default);
    left = left.subspan(body_frame.bytes);
    benchmark::DoNotOptimize(body_frame);
  }
}
BENCHMARK(publish_decode)->Arg(0)->Arg(1);

// The head of a delivery; the body is not copied.
void deliver_encode(benchmark::State& state) {
  const auto raw = raw_properties(false);
  std::vector<std::byte> out(512);
  BasicDeliver method = deliver;
  for (auto _ : state) {
    benchmark::DoNotOptimize(method);  // its strings' lengths are not known to the compiler
    std::byte* to = write_method_frame(out.data(), 1, method);
    to = write_content_header_frame(to, 1, body.size(), raw);
    to = write_body_frame_header(to, 1, body.size());
    benchmark::DoNotOptimize(to);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(deliver_encode);

void ack_decode(benchmark::State& state) {
  std::vector<std::byte> input;
  append_method_frame(input, 1, BasicAck{.delivery_tag = 77});
  for (auto _ : state) {
    benchmark::DoNotOptimize(input.data());
    benchmark::ClobberMemory();
    const auto frame = decode_frame(input, frame_max_default);
    auto ack = decode_as<BasicAck>(frame.frame.payload);
    benchmark::DoNotOptimize(ack);
  }
}
BENCHMARK(ack_decode);

void ack_encode(benchmark::State& state) {
  std::byte out[ack_frame_bytes];
  std::uint64_t tag = 0;
  for (auto _ : state) {
    write_method_frame(out, 1, BasicAck{.delivery_tag = ++tag});
    benchmark::DoNotOptimize(out);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(ack_encode);

void any_method_decode(benchmark::State& state) {
  std::vector<std::byte> frame;
  append_method_frame(frame, 1, QueueDeclare{.queue = "orders", .durable = true});
  const Bytes payload = Bytes(frame).subspan(frame_header_bytes, frame.size() - frame_overhead_bytes);
  for (auto _ : state) {
    auto method = decode_method(payload);
    benchmark::DoNotOptimize(method);
  }
}
BENCHMARK(any_method_decode);

}  // namespace
}  // namespace weir::amqp091
