// What it is: one publishing connection of a run, whatever it speaks: keeps its window of unconfirmed messages full, or
// follows the timetable of --rate, and notes when each message was confirmed. A protocol derives from it.
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

class BenchProducer : public BenchConnection {
 public:
  // `own_thread` is nudged when there is more to publish at once than a turn should take.
  BenchProducer(std::uint32_t index, const BenchContext& context, BenchTally& tally, runtime::Loop& loop,
                Nudge& own_thread);

  // Says goodbye: control.count_closed() follows.
  virtual void close() = 0;
  // Publishes what may be published now.
  void publish_more();
  std::uint32_t index() const { return index_; }
  // How many messages went to each of its lanes (in the order of plan.lanes_of_producer). After the run.
  const std::vector<std::uint64_t>& sent_per_lane() const { return lane_seq_; }

 protected:
  // Nothing is on its way out, and the broker has not asked for a pause.
  virtual bool may_write() const = 0;
  virtual void write(const PublishBatch& batch) = 0;

  const BenchContext& context() const { return context_; }
  BenchTally& tally() { return tally_; }
  runtime::Loop& loop() { return loop_; }
  const std::vector<std::uint32_t>& lanes() const { return lanes_; }
  std::uint64_t sent() const { return sent_; }

  // Before become_ready(), in this order.
  void narrow_window(std::size_t window_max);
  void use_form(const PublishForm& form);
  void become_ready() { BenchConnection::become_ready(context_.control); }
  // Around what one read brought.
  void begin_input() { now_ns_ = loop_.clock().monotonic_ns(); }
  void end_input();
  // The broker's answer to the message of that number (its first one's is 1), or to all up to it.
  void settle(std::uint64_t number, bool multiple, bool refused);
  // As settle() of one message, which is named by its packet_id_of().
  void settle_packet(std::uint16_t packet_id, bool refused);
  void fail_with(const Error& error);

 private:
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
  ConfirmWindow window_;
  std::optional<PublishBatch> batch_;
  std::optional<Pacer> pacer_;
  std::vector<std::uint32_t> lanes_;
  std::vector<std::uint64_t> lane_seq_;  // next of each lane
  std::size_t lane_ = 0;                 // whose turn it is
  std::uint64_t sent_ = 0;
  std::uint64_t sent_max_ = UINT64_MAX;
  std::uint64_t now_ns_ = 0;  // when the input was read that is being handled
  std::uint64_t settled_in_input_ = 0;
  bool ended_ = false;  // publishes no more
  bool reported_ = false;
};

}  // namespace weir::cli
