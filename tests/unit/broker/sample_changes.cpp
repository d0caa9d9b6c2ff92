#include "unit/broker/sample_changes.h"

namespace weir::broker {

Table every_kind_of_value() {
  Table inner;
  inner.set("deep", Value{std::string("down")});
  Table table;
  table.set("void", Value{});
  table.set("bool", Value{true});
  table.set("int8", Value{std::int8_t{-8}});
  table.set("uint8", Value{std::uint8_t{200}});
  table.set("int16", Value{std::int16_t{-16'000}});
  table.set("uint16", Value{std::uint16_t{60'000}});
  table.set("int32", Value{std::int32_t{-2'000'000}});
  table.set("uint32", Value{std::uint32_t{4'000'000'000U}});
  table.set("int64", Value{std::int64_t{-5'000'000'000}});
  table.set("uint64", Value{std::uint64_t{18'000'000'000'000'000'000U}});
  table.set("float", Value{1.5F});
  table.set("double", Value{-2.25});
  table.set("decimal", Value{Decimal{2, -314}});
  table.set("timestamp", Value{Timestamp{1'700'000'000}});
  table.set("string", Value{std::string("text")});
  table.set("bytes", Value{ByteString{std::string("\0\x01", 2)}});
  table.set("uuid", Value{Uuid{{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}}});
  table.set("array", Value{Array{Value{std::int32_t{1}}, Value{std::string("two")}, Value{Array{}}}});
  table.set("table", Value{inner});
  return table;
}

std::vector<Change> first_changes() {
  const BindingDefinition binding{.vhost = "/",
                                  .source = "events",
                                  .kind = DestinationKind::queue,
                                  .destination = "work",
                                  .routing_key = "a.*.#",
                                  .arguments = every_kind_of_value()};
  return {
      PutVhost{{.name = "/", .description = "the default"}},
      RemoveVhost{"old"},
      PutExchange{{.vhost = "/",
                   .name = "events",
                   .type = ExchangeType::topic,
                   .durable = true,
                   .auto_delete = true,
                   .internal = true,
                   .arguments = every_kind_of_value()}},
      RemoveExchange{"/", "gone"},
      PutQueue{{.vhost = "/",
                .name = "work",
                .id = QueueId{77},
                .shard = ShardId{3},
                .durable = true,
                .auto_delete = true,
                .exclusive = true,
                .owner = SessionId{0x0102030405060708},
                .arguments = every_kind_of_value()}},
      RemoveQueue{"/", "work", QueueId{77}},
      PutBinding{binding},
      RemoveBinding{binding},
      PutUser{
          {.name = "guest", .password_hash = "rabbit_sha256:abc=", .tags = {"administrator", "monitoring"}}},
      RemoveUser{"nobody"},
      PutPermission{{.user = "guest", .vhost = "/", .configure = "^a", .write = ".*", .read = ""}},
      RemovePermission{"guest", "/"},
      SetNextQueueId{QueueId{78}},
  };
}

std::vector<Change> later_changes() {
  return {
      PutTopicPermission{
          {.user = "guest", .vhost = "/", .exchange = "events", .write = "^{username}", .read = ".*"}},
      RemoveTopicPermission{"guest", "/", "events"},
      PutLimit{{.of = LimitOf::user, .subject = "guest", .name = "max-channels", .value = -1}},
      RemoveLimit{LimitOf::vhost, "/", "max-queues"},
      PutPolicy{{.vhost = "/",
                 .name = "short",
                 .of_operator = true,
                 .pattern = "^tmp",
                 .targets = PolicyTargets::quorum_queues,
                 .priority = -7,
                 .definition = every_kind_of_value()}},
      RemovePolicy{"/", "short", true},
      PutParameter{{.component = "shovel", .vhost = "/", .name = "move", .value = {every_kind_of_value()}}},
      RemoveParameter{"shovel", "/", "move"},
  };
}

Change vhost_with_metadata() {
  return PutVhost{
      {.name = "shop", .description = "", .tags = {"eu", "paid"}, .default_queue_type = "quorum"}};
}

std::vector<Change> one_of_each_change() {
  std::vector<Change> changes = first_changes();
  for (Change& change : later_changes()) changes.push_back(std::move(change));
  return changes;
}

std::vector<std::byte> encoded(const std::vector<Change>& changes) {
  std::vector<std::byte> out;
  for (const Change& change : changes) encode_change(change, out);
  return out;
}

}  // namespace weir::broker
