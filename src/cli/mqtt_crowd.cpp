#include "cli/mqtt_crowd.h"

#include <fmt/format.h>

#include "cli/connect_stream.h"

namespace weir::cli {

namespace {

// Handshakes under way. More than a broker's listen queue holds would cost seconds of the kernel's patience.
constexpr std::size_t entering_max = 64;
constexpr std::uint64_t open_ms_max = 120'000;

}  // namespace

class MqttCrowd::Member final : public MqttEvents {
 public:
  Member(MqttCrowd& crowd, const std::string& id)
      : crowd_(crowd), client_(crowd.server_, {.version = crowd.version_, .client_id = id}, *this) {}
  MqttClient& client() { return client_; }

 private:
  void on_ready(const mqtt::Connack&) override { crowd_.entered(); }
  void on_packet(const mqtt::PacketReader&) override {
    crowd_.fail({ErrorCode::corrupt, "a packet that nobody asked for"});
  }
  void on_failed(const Error& error) override { crowd_.fail(error); }

  MqttCrowd& crowd_;
  MqttClient client_;
};

MqttCrowd::MqttCrowd(const BenchServer& server, mqtt::Version version, runtime::TlsContext* tls)
    : server_(server), version_(version), tls_(tls) {}

MqttCrowd::~MqttCrowd() {
  if (loop_) loop_->timers().cancel(timer_);
}

Status MqttCrowd::open(const std::vector<std::string>& ids) {
  if (!loop_) {
    Result<std::unique_ptr<runtime::Loop>> loop = runtime::Loop::make();
    if (!loop) return std::unexpected(std::move(loop).error());
    loop_ = std::move(*loop);
  }
  if (ids.empty()) return {};
  ids_ = &ids;
  opened_ = entering_ = 0;
  loop_->post([this] { open_more(); });
  return run(open_ms_max, true);
}

void MqttCrowd::open_more() {
  while (outcome_ && opened_ < ids_->size() && entering_ < entering_max) {
    auto stream = connect_stream(*loop_, server_.host, server_.port, tls_);
    if (!stream) return fail(std::move(stream).error());
    members_.push_back(std::make_unique<Member>(*this, (*ids_)[opened_]));
    ++opened_;
    ++entering_;
    members_.back()->client().start(std::move(*stream));
  }
}

void MqttCrowd::entered() {
  --entering_;
  if (opened_ < ids_->size()) return open_more();
  if (entering_ == 0) loop_->stop();
}

Status MqttCrowd::hold(double seconds) { return run(static_cast<std::uint64_t>(seconds * 1e3), false); }

Status MqttCrowd::close() {
  for (auto& member : members_) member->client().close();
  members_.clear();
  return {};
}

void MqttCrowd::fail(Error error) {
  if (outcome_) outcome_ = std::unexpected(std::move(error));
  loop_->stop();
}

void MqttCrowd::on_timer() {
  if (time_is_an_error_) return fail({ErrorCode::timed_out, "not all connections were let in in time"});
  loop_->stop();
}

Status MqttCrowd::run(std::uint64_t ms_max, bool time_is_an_error) {
  outcome_ = {};
  time_is_an_error_ = time_is_an_error;
  loop_->timers().arm(timer_, ms_max);
  loop_->run(nullptr);
  loop_->timers().cancel(timer_);
  return outcome_;
}

}  // namespace weir::cli
