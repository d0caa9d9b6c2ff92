#include "cli/amqp_topology.h"

#include <optional>
#include <string_view>

#include "cli/amqp_producer.h"
#include "cli/bench_connection.h"
#include "cli/connect_stream.h"
#include "protocol/amqp091/codec/exchange_methods.h"
#include "protocol/amqp091/codec/field_table.h"
#include "protocol/amqp091/codec/queue_methods.h"
#include "runtime/loop.h"

namespace weir::cli {

namespace {

constexpr std::uint64_t answer_ms_max = 60'000;

// Sends all its methods at once, counts the answers, and leaves.
class TopologySession final : ClientEvents {
 public:
  TopologySession(const BenchOptions& options, const BenchPlan& plan, runtime::Loop& loop)
      : options_(options),
        plan_(plan),
        loop_(loop),
        client_(client_options(options, "weir bench set-up"), loop, *this) {}

  Status run(bool remove, bool declare, runtime::TlsContext* tls) {
    remove_ = remove;
    declare_ = declare;
    auto stream = connect_stream(loop_, options_.server.host, options_.server.port, tls);
    if (!stream) return std::unexpected(std::move(stream).error());
    loop_.timers().arm(timer_, answer_ms_max);
    client_.start(std::move(*stream));
    loop_.run(nullptr);
    loop_.timers().cancel(timer_);
    if (error_) return std::unexpected(*error_);
    return {};
  }
  std::uint64_t messages_left() const { return messages_left_; }

 private:
  void on_ready() override {
    if (remove_) append_removal();
    if (declare_) append_declaration();
    if (answers_left_ == 0) client_.close();
  }
  void append_removal() {
    for (const std::string& queue : plan_.queues) ask(amqp091::QueueDelete{.queue = queue});
    if (!plan_.exchange_type.empty()) ask(amqp091::ExchangeDelete{.exchange = plan_.exchange});
  }
  void append_declaration() {
    using namespace amqp091;
    if (!plan_.exchange_type.empty()) {
      ask(ExchangeDeclare{
          .exchange = plan_.exchange, .type = plan_.exchange_type, .durable = options_.durable_queue});
    }
    // A classic queue is what a broker makes when it is not asked for a type.
    FieldTable arguments;
    if (options_.queue_type != "classic")
      arguments.add("x-queue-type", std::string_view(options_.queue_type));
    const std::vector<std::byte> encoded = encode_table(arguments);
    for (const std::string& queue : plan_.queues) {
      ask(QueueDeclare{.queue = queue, .durable = options_.durable_queue, .arguments = {encoded}});
      if (plan_.exchange.empty()) continue;
      ask(QueueBind{.queue = queue,
                    .exchange = plan_.exchange,
                    .routing_key = plan_.binding_key.empty() ? std::string_view(queue) : plan_.binding_key});
    }
  }
  template <amqp091::AnyMethod M>
  void ask(const M& method) {
    client_.append(method);
    ++answers_left_;
  }

  void on_input_begin() override {}
  void on_frame(const amqp091::Frame& frame) override {
    if (amqp091::method_id_of(frame.payload) == amqp091::QueueDeleteOk::info.id) {
      const auto deleted = amqp091::decode_as<amqp091::QueueDeleteOk>(frame.payload);
      if (deleted) messages_left_ += deleted->message_count;
    }
    if (answers_left_ > 0 && --answers_left_ == 0) client_.close();
  }
  void on_input_end() override {}
  void on_output_room() override {}
  void on_failed(const Error& error) override {
    error_ = error;
    loop_.stop();
  }
  void on_closed() override { loop_.stop(); }
  void on_timer() {
    error_ = Error{ErrorCode::timed_out, "the broker did not answer while queues were set up or removed"};
    loop_.stop();
  }

  const BenchOptions& options_;
  const BenchPlan& plan_;
  runtime::Loop& loop_;
  AmqpClient client_;
  bool remove_ = false;
  bool declare_ = false;
  std::uint64_t answers_left_ = 0;
  std::uint64_t messages_left_ = 0;
  std::optional<Error> error_;
  runtime::MethodTimer<TopologySession, &TopologySession::on_timer> timer_{*this};
};

Result<std::uint64_t> run_session(const BenchOptions& options, const BenchPlan& plan, bool remove,
                                  bool declare, runtime::TlsContext* tls) {
  Result<std::unique_ptr<runtime::Loop>> loop = runtime::Loop::make();
  if (!loop) return std::unexpected(std::move(loop).error());
  TopologySession session(options, plan, **loop);
  WEIR_TRY(session.run(remove, declare, tls));
  return session.messages_left();
}

}  // namespace

Status declare_topology(const BenchOptions& options, const BenchPlan& plan, runtime::TlsContext* tls) {
  WEIR_TRY(run_session(options, plan, !options.keep, true, tls));
  return {};
}

Result<std::uint64_t> delete_topology(const BenchOptions& options, const BenchPlan& plan,
                                      runtime::TlsContext* tls) {
  return run_session(options, plan, true, false, tls);
}

}  // namespace weir::cli
