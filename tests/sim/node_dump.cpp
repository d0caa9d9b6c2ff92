#include "sim/node_dump.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "base/rng.h"
#include "broker/message_extras.h"
#include "storage/journal.h"

namespace weir::sim {

namespace {

class Waiter final : public storage::ReadWaiter {
 public:
  void on_read(Result<storage::CachedRecord> record) override {
    done = true;
    if (!record) {
      error = record.error().message;
      return;
    }
    const std::byte* const at = record->at;
    envelope.assign(at + storage::record_header_bytes + load_le<std::uint16_t>(at + 10),
                    at + load_le<std::uint32_t>(at + 4));
  }
  bool done = false;
  std::string error;
  std::vector<std::byte> envelope;
};

std::optional<std::string> read_envelope(node::SimNode& node, std::uint16_t shard, const broker::Entry& entry,
                                         std::vector<std::byte>& envelope) {
  storage::Journal& journal = node.shard(shard).journal();
  const auto location = storage::Location::from_packed(entry.reference());
  Waiter waiter;
  const storage::CachedRecord cached = journal.cached(location);
  if (cached.at != nullptr) {
    waiter.on_read(cached);
  } else {
    journal.read(location, waiter);
    for (unsigned polls = 0; !waiter.done; ++polls) {
      if (polls > 100'000) {
        journal.cancel_read(waiter);
        return "a read does not complete";
      }
      node.disk(shard).submit();
      node.disk(shard).poll();
    }
  }
  if (!waiter.error.empty()) return waiter.error;
  envelope = std::move(waiter.envelope);
  return std::nullopt;
}

broker::Queue& pieces_of(node::SimNode& node, std::uint16_t shard) {
  return const_cast<broker::Queue&>(node.shard(shard).host().bodies().queue());
}

// The body of a large message, from the last piece to the first; each piece that is found is noted.
std::optional<std::string> read_body(node::SimNode& node, std::uint16_t shard,
                                     std::optional<broker::BodyPieces> before, std::vector<std::byte>& body,
                                     std::set<Seq>& found) {
  broker::Queue& pieces = pieces_of(node, shard);
  std::vector<std::byte> envelope;
  while (before) {
    const broker::Entry* const entry = pieces.find(before->last);
    if (entry == nullptr) return fmt::format("piece {} is not there", before->last.value);
    found.insert(before->last);
    if (const auto error = read_envelope(node, shard, *entry, envelope)) return error;
    const Result<broker::StoredMessage> piece = broker::decode_envelope(envelope);
    if (!piece) return piece.error().message;
    body.insert(body.begin(), piece->body.begin(), piece->body.end());
    const auto earlier = broker::view_extras(piece->extras).pieces;
    if ((earlier ? earlier->bytes : 0) + piece->body.size() != before->bytes)
      return fmt::format("piece {} and those before it have another length", before->last.value);
    if (pieces.pieces_end(before->last) != (earlier ? earlier->last.value + 1 : 0))
      return fmt::format("piece {} has another attribute", before->last.value);
    before = earlier;
  }
  return std::nullopt;
}

std::string dump_queue(node::SimNode& node, std::uint16_t shard, broker::Queue& queue, QueueDump& dump,
                       std::set<Seq>& pieces_found) {
  dump.ready = queue.ready();
  dump.out = queue.out();
  std::string problem;
  std::vector<std::byte> envelope;
  queue.for_each([&](Seq seq, const broker::Entry& entry) {
    if (!problem.empty()) return;
    const auto where = [&] { return fmt::format("message {} of {}: ", seq.value, queue.options().name); };
    if (entry.transient()) {
      problem = where() + "transient";
      return;
    }
    if (const auto error = read_envelope(node, shard, entry, envelope)) {
      problem = where() + *error;
      return;
    }
    Result<broker::StoredMessage> message = broker::decode_envelope(envelope);
    std::vector<std::byte> body;
    if (message) {
      const auto pieces = broker::view_extras(message->extras).pieces;
      if (const auto error = read_body(node, shard, pieces, body, pieces_found)) {
        problem = where() + *error;
        return;
      }
      if (pieces) message->body = body;
    }
    const Result<AttemptId> attempt =
        message ? recognise(*message) : Result<AttemptId>(std::unexpected(message.error()));
    if (!attempt) {
      problem = where() + attempt.error().message;
      return;
    }
    dump.messages.push_back({seq, *attempt, entry.redelivered()});
  });
  return problem;
}

std::vector<const broker::QueueDefinition*> all_queues(const broker::Topology& topology) {
  std::vector<const broker::QueueDefinition*> all;
  for (const broker::VhostDefinition* vhost : topology.vhosts()) {
    const auto queues = topology.queues(vhost->name);
    all.insert(all.end(), queues.begin(), queues.end());
  }
  return all;
}

}  // namespace

std::vector<std::byte> body_of(AttemptId attempt, std::size_t bytes) {
  std::vector<std::byte> body(std::max(bytes, body_bytes_min));
  store_le(body.data(), attempt);
  Rng rng(attempt);
  std::size_t at = body_bytes_min;
  for (; at + 8 <= body.size(); at += 8) store_le(body.data() + at, rng.next());
  for (; at < body.size(); ++at) body[at] = static_cast<std::byte>(rng.next());
  return body;
}

Result<AttemptId> recognise(const broker::StoredMessage& message) {
  if (message.body.size() < body_bytes_min) return fail(ErrorCode::corrupt, "the body is too short");
  const auto attempt = load_le<AttemptId>(message.body.data());
  const std::vector<std::byte> expected = body_of(attempt, message.body.size());
  if (!std::equal(expected.begin(), expected.end(), message.body.begin(), message.body.end())) {
    return fail(ErrorCode::corrupt, fmt::format("the body is not attempt {}'s", attempt));
  }
  return attempt;
}

NodeDump dump_node(node::SimNode& node) {
  NodeDump dump;
  std::vector<std::set<Seq>> pieces(node.shards());
  for (const broker::QueueDefinition* definition : all_queues(node.shard(0).topology())) {
    const node::QueueHost& host = node.shard(definition->shard.value).host();
    auto* const queue = const_cast<broker::Queue*>(host.find(definition->id));
    if (queue == nullptr) {
      dump.problem = fmt::format("queue {} is not on its shard", definition->name);
      return dump;
    }
    dump.problem = dump_queue(node, definition->shard.value, *queue, dump.queues[definition->id],
                              pieces[definition->shard.value]);
    if (!dump.problem.empty()) return dump;
  }
  for (std::uint16_t shard = 0; shard < node.shards(); ++shard) {
    const std::size_t held = pieces_of(node, shard).total();
    if (held == pieces[shard].size()) continue;
    dump.problem =
        fmt::format("shard {} holds {} pieces, messages have {}", shard, held, pieces[shard].size());
    return dump;
  }
  std::vector<broker::Change> changes;
  node.shard(0).topology().durable_state(changes);
  for (const broker::Change& change : changes) broker::encode_change(change, dump.definitions);
  return dump;
}

namespace {

// What is told to those who look at the queue is what a walk finds.
std::string check_use(broker::Queue& queue) {
  broker::QueueUse walked;
  bool large = false;  // what a large body takes is known to its shard alone
  queue.for_each([&](Seq seq, const broker::Entry& entry) {
    large = large || queue.pieces_end(seq) != 0;
    broker::QueueUse::Kept& kept = walked.kept[entry.transient() ? 1 : 0];
    const std::uint64_t bytes = entry.transient() ? node::TransientStore::bytes(entry.reference())
                                                  : storage::Location::from_packed(entry.reference()).bytes();
    ++kept.messages;
    kept.bytes += bytes;
    if (entry.state() == broker::EntryState::out) walked.out_bytes += bytes;
  });
  const broker::QueueUse none;
  const broker::QueueUse& told = queue.use == nullptr ? none : *queue.use;
  for (int i = 0; i < 2; ++i) {
    if (told.kept[i].messages != walked.kept[i].messages)
      return fmt::format("tells {} messages, a walk {}", told.kept[i].messages, walked.kept[i].messages);
    if (!large && told.kept[i].bytes != walked.kept[i].bytes)
      return fmt::format("tells {} bytes, a walk {}", told.kept[i].bytes, walked.kept[i].bytes);
  }
  if (!large && told.out_bytes != walked.out_bytes)
    return fmt::format("tells {} bytes that are out, a walk {}", told.out_bytes, walked.out_bytes);
  return {};
}

}  // namespace

std::string check_counts(node::SimNode& node) {
  std::size_t defined = 0;
  for (const broker::QueueDefinition* definition : all_queues(node.shard(0).topology())) {
    ++defined;
    const node::QueueHost& host = node.shard(definition->shard.value).host();
    auto* const queue = const_cast<broker::Queue*>(host.find(definition->id));
    if (queue == nullptr) return fmt::format("(g) queue {} is not on its shard", definition->name);
    std::uint64_t ready = 0, out = 0;
    queue->for_each([&](Seq, const broker::Entry& entry) {
      ready += entry.state() == broker::EntryState::ready ? 1 : 0;
      out += entry.state() == broker::EntryState::out ? 1 : 0;
    });
    ready -= queue->held_back();
    if (ready != queue->ready() || out != queue->out() ||
        ready + out + queue->held_back() != queue->total()) {
      return fmt::format("(g) queue {} counts {} ready and {} out, a walk {} and {}", definition->name,
                         queue->ready(), queue->out(), ready, out);
    }
    if (const std::string wrong = check_use(*queue); !wrong.empty())
      return fmt::format("(g) queue {} {}", definition->name, wrong);
  }
  std::size_t hosted = 0;
  for (std::uint16_t shard = 0; shard < node.shards(); ++shard)
    hosted += node.shard(shard).host().queue_count();
  if (hosted != defined) return fmt::format("(g) {} queues are hosted, {} are defined", hosted, defined);
  return {};
}

}  // namespace weir::sim
