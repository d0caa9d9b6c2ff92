// What it is: one publishing connection of a run: keeps its window of unconfirmed messages full, or follows the
// timetable of --rate, and notes when each message was confirmed.
// Shard: its loop's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "cli/bench_connection.h"
#include "cli/confirm_window.h"
#include "cli/pacer.h"
#include "cli/publish_batch.h"

namespace weir::cli {

class BenchProducer final : ClientEvents {
 public:
  // `own_thread` is nudged when there is more to publish at once than a turn should take.
  BenchProducer(std::uint32_t index, const BenchContext& context, BenchTally& tally, runtime::Loop& loop,
                Nudge& own_thread);

  AmqpClient& client() { return client_; }
  // Publishes what may be published now.
  void publish_more();
  std::uint32_t index() const { return index_; }
  // How many messages went to each of its lanes (in the order of plan.lanes_of_producer). After the run.
  const std::vector<std::uint64_t>& sent_per_lane() const { return lane_seq_; }

 private:
  void on_ready() override;
  void on_input_begin() override { now_ns_ = loop_.clock().monotonic_ns(); }
  void on_frame(const amqp091::Frame& frame) override;
  void on_input_end() override;
  void on_output_room() override { publish_more(); }
  void on_failed(const Error& error) override;
  void on_closed() override { context_.control.count_closed(); }

  void make_batch();
  void settle(std::uint64_t tag, bool multiple, bool refused);
  std::uint64_t room(std::uint64_t now_ns);
  std::uint64_t backlog_room();
  void publish_batch(std::uint64_t count, std::uint64_t now_ns);
  // The intended time of its i-th message.
  std::uint64_t intended_ns(std::uint64_t i) const { return pacer_->intended_ns(index_ + i * producers_); }
  std::uint64_t due(std::uint64_t now_ns) const;
  void end_publishing();
  void report_if_done();

  std::uint32_t index_;
  std::uint32_t producers_;
  const BenchContext& context_;
  BenchTally& tally_;
  runtime::Loop& loop_;
  Nudge& own_thread_;
  AmqpClient client_;
  ConfirmWindow window_;
  std::optional<PublishBatch> batch_;  // once the frame-max is known
  std::optional<Pacer> pacer_;
  std::vector<std::uint32_t> lanes_;
  std::vector<std::uint64_t> lane_seq_;  // next of each lane
  std::size_t lane_ = 0;                 // whose turn it is
  std::uint64_t sent_ = 0;
  std::uint64_t sent_max_ = UINT64_MAX;
  std::uint64_t now_ns_ = 0;  // when the input was read that is being handled
  std::uint64_t settled_in_input_ = 0;
  bool ready_ = false;
  bool ended_ = false;  // publishes no more
  bool reported_ = false;
};

}  // namespace weir::cli
