#include "broker/definitions.h"

#include <fmt/format.h>

#include <array>

#include "base/assert.h"
#include "base/cursor.h"
#include "base/limits.h"
#include "broker/value_codec.h"

namespace weir::broker {

namespace {

constexpr std::uint8_t format_version = 1;
// Of PutVhost, where it says more than a name and a description.
constexpr std::uint8_t vhost_metadata_version = 2;
constexpr std::size_t change_header_bytes = 6;  // u8 kind, u8 version, u32 payload bytes
constexpr std::size_t text_bytes_max = 65'535;

// On disk: never renumber.
enum class Kind : std::uint8_t {
  put_vhost = 1,
  remove_vhost = 2,
  put_exchange = 3,
  remove_exchange = 4,
  put_queue = 5,
  remove_queue = 6,
  put_binding = 7,
  remove_binding = 8,
  put_user = 9,
  remove_user = 10,
  put_permission = 11,
  remove_permission = 12,
  set_next_queue_id = 13,
  put_topic_permission = 14,
  remove_topic_permission = 15,
  put_limit = 16,
  remove_limit = 17,
  put_policy = 18,
  remove_policy = 19,
  put_parameter = 20,
  remove_parameter = 21,
};

enum Flag : std::uint8_t {
  flag_durable = 1,
  flag_auto_delete = 2,
  flag_internal = 4,
  flag_exclusive = 8,
  flag_delays = 16,
  flag_history = 32,
};

struct NamedType {
  ExchangeType type;
  std::string_view name;
};
constexpr std::array exchange_types = std::to_array<NamedType>({
    {ExchangeType::direct, "direct"},
    {ExchangeType::fanout, "fanout"},
    {ExchangeType::topic, "topic"},
    {ExchangeType::headers, "headers"},
    {ExchangeType::consistent_hash, "x-consistent-hash"},
    {ExchangeType::modulus_hash, "x-modulus-hash"},
    {ExchangeType::random, "x-random"},
    {ExchangeType::local_random, "x-local-random"},
    {ExchangeType::recent_history, "x-recent-history"},
    {ExchangeType::delayed, "x-delayed-message"},
});

std::uint8_t role_flag(QueueRole role) {
  switch (role) {
    case QueueRole::plain: return 0;
    case QueueRole::delays: return flag_delays;
    case QueueRole::history: return flag_history;
  }
  WEIR_UNREACHABLE();
}

bool has_metadata(const VhostDefinition& vhost) {
  return !vhost.tags.empty() || !vhost.default_queue_type.empty();
}

struct Encoder {
  Writer out;

  void text(std::string_view value) {
    WEIR_ASSERT(value.size() <= text_bytes_max);
    out.le(static_cast<std::uint16_t>(value.size()));
    out.text(value);
  }
  void texts(const std::vector<std::string>& values) {
    WEIR_ASSERT(values.size() <= text_bytes_max);
    out.le(static_cast<std::uint16_t>(values.size()));
    for (const std::string& value : values) text(value);
  }
  void vhost(const VhostDefinition& vhost) {
    text(vhost.name);
    text(vhost.description);
    if (!has_metadata(vhost)) return;
    texts(vhost.tags);
    text(vhost.default_queue_type);
  }
  void exchange(const ExchangeDefinition& exchange) {
    text(exchange.vhost);
    text(exchange.name);
    out.u8(static_cast<std::uint8_t>(exchange.type));
    out.u8(static_cast<std::uint8_t>((exchange.durable ? flag_durable : 0) |
                                     (exchange.auto_delete ? flag_auto_delete : 0) |
                                     (exchange.internal ? flag_internal : 0)));
    encode_table(exchange.arguments, out);
  }
  void queue(const QueueDefinition& queue) {
    text(queue.vhost);
    text(queue.name);
    out.le(queue.id.value);
    out.le(queue.shard.value);
    out.u8(static_cast<std::uint8_t>((queue.durable ? flag_durable : 0) |
                                     (queue.auto_delete ? flag_auto_delete : 0) |
                                     (queue.exclusive ? flag_exclusive : 0) | role_flag(queue.role)));
    out.le(queue.owner.value);
    encode_table(queue.arguments, out);
  }
  void binding(const BindingDefinition& binding) {
    text(binding.vhost);
    text(binding.source);
    out.u8(static_cast<std::uint8_t>(binding.kind));
    text(binding.destination);
    text(binding.routing_key);
    encode_table(binding.arguments, out);
  }

  Kind operator()(const PutVhost& change) { return vhost(change.vhost), Kind::put_vhost; }
  Kind operator()(const RemoveVhost& change) { return text(change.name), Kind::remove_vhost; }
  Kind operator()(const PutExchange& change) { return exchange(change.exchange), Kind::put_exchange; }
  Kind operator()(const RemoveExchange& change) {
    text(change.vhost);
    text(change.name);
    return Kind::remove_exchange;
  }
  Kind operator()(const PutQueue& change) { return queue(change.queue), Kind::put_queue; }
  Kind operator()(const RemoveQueue& change) {
    text(change.vhost);
    text(change.name);
    out.le(change.id.value);
    return Kind::remove_queue;
  }
  Kind operator()(const PutBinding& change) { return binding(change.binding), Kind::put_binding; }
  Kind operator()(const RemoveBinding& change) { return binding(change.binding), Kind::remove_binding; }
  Kind operator()(const PutUser& change) {
    text(change.user.name);
    text(change.user.password_hash);
    texts(change.user.tags);
    return Kind::put_user;
  }
  Kind operator()(const RemoveUser& change) { return text(change.name), Kind::remove_user; }
  Kind operator()(const PutPermission& change) {
    text(change.permission.user);
    text(change.permission.vhost);
    text(change.permission.configure);
    text(change.permission.write);
    text(change.permission.read);
    return Kind::put_permission;
  }
  Kind operator()(const RemovePermission& change) {
    text(change.user);
    text(change.vhost);
    return Kind::remove_permission;
  }
  Kind operator()(const SetNextQueueId& change) { return out.le(change.next.value), Kind::set_next_queue_id; }
  Kind operator()(const PutTopicPermission& change) {
    text(change.permission.user);
    text(change.permission.vhost);
    text(change.permission.exchange);
    text(change.permission.write);
    text(change.permission.read);
    return Kind::put_topic_permission;
  }
  Kind operator()(const RemoveTopicPermission& change) {
    text(change.user);
    text(change.vhost);
    text(change.exchange);
    return Kind::remove_topic_permission;
  }
  Kind operator()(const PutLimit& change) {
    out.u8(static_cast<std::uint8_t>(change.limit.of));
    text(change.limit.subject);
    text(change.limit.name);
    out.le(static_cast<std::uint64_t>(change.limit.value));
    return Kind::put_limit;
  }
  Kind operator()(const RemoveLimit& change) {
    out.u8(static_cast<std::uint8_t>(change.of));
    text(change.subject);
    text(change.name);
    return Kind::remove_limit;
  }
  Kind operator()(const PutPolicy& change) {
    const PolicyDefinition& policy = change.policy;
    text(policy.vhost);
    text(policy.name);
    out.u8(policy.of_operator ? 1 : 0);
    text(policy.pattern);
    out.u8(static_cast<std::uint8_t>(policy.targets));
    out.le(static_cast<std::uint64_t>(policy.priority));
    encode_table(policy.definition, out);
    return Kind::put_policy;
  }
  Kind operator()(const RemovePolicy& change) {
    text(change.vhost);
    text(change.name);
    out.u8(change.of_operator ? 1 : 0);
    return Kind::remove_policy;
  }
  // The value is the one field of a table, under an empty name.
  Kind operator()(const PutParameter& change) {
    text(change.parameter.component);
    text(change.parameter.vhost);
    text(change.parameter.name);
    Table holder;
    holder.append(std::string(), change.parameter.value);
    encode_table(holder, out);
    return Kind::put_parameter;
  }
  Kind operator()(const RemoveParameter& change) {
    text(change.component);
    text(change.vhost);
    text(change.name);
    return Kind::remove_parameter;
  }
};

std::uint8_t version_of(const Change& change) {
  const auto* const vhost = std::get_if<PutVhost>(&change);
  return vhost != nullptr && has_metadata(vhost->vhost) ? vhost_metadata_version : format_version;
}

class Decoder {
 public:
  Decoder(Bytes payload, std::uint8_t version) : from_(payload), version_(version) {}

  // False: it is not this kind of change.
  bool change(Kind kind, Change& out) {
    switch (kind) {
      case Kind::put_vhost: out = PutVhost{vhost()}; break;
      case Kind::remove_vhost: out = RemoveVhost{name()}; break;
      case Kind::put_exchange: out = PutExchange{exchange()}; break;
      case Kind::remove_exchange: {
        std::string vhost = name();
        out = RemoveExchange{std::move(vhost), name()};
        break;
      }
      case Kind::put_queue: out = PutQueue{queue()}; break;
      case Kind::remove_queue: {
        std::string vhost = name(), queue = name();
        out = RemoveQueue{std::move(vhost), std::move(queue), QueueId{from_.le<std::uint32_t>()}};
        break;
      }
      case Kind::put_binding: out = PutBinding{binding()}; break;
      case Kind::remove_binding: out = RemoveBinding{binding()}; break;
      case Kind::put_user: out = PutUser{user()}; break;
      case Kind::remove_user: out = RemoveUser{name()}; break;
      case Kind::put_permission: out = PutPermission{permission()}; break;
      case Kind::remove_permission: {
        std::string user = name();
        out = RemovePermission{std::move(user), name()};
        break;
      }
      case Kind::set_next_queue_id: out = SetNextQueueId{QueueId{from_.le<std::uint32_t>()}}; break;
      default:
        if (!later_change(kind, out)) return false;
    }
    return good_ && from_.ok() && from_.at_end();
  }

 private:
  bool later_change(Kind kind, Change& out) {
    switch (kind) {
      case Kind::put_topic_permission: out = PutTopicPermission{topic_permission()}; return true;
      case Kind::remove_topic_permission: {
        RemoveTopicPermission removed;
        removed.user = name();
        removed.vhost = name();
        removed.exchange = name();
        out = std::move(removed);
        return true;
      }
      case Kind::put_limit: out = PutLimit{limit()}; return true;
      case Kind::remove_limit: {
        RemoveLimit removed;
        removed.of = static_cast<LimitOf>(in_range(1, 2));
        removed.subject = name();
        removed.name = name();
        out = std::move(removed);
        return true;
      }
      case Kind::put_policy: out = PutPolicy{policy()}; return true;
      case Kind::remove_policy: {
        RemovePolicy removed;
        removed.vhost = name();
        removed.name = name();
        removed.of_operator = in_range(0, 1) != 0;
        out = std::move(removed);
        return true;
      }
      case Kind::put_parameter: out = PutParameter{parameter()}; return true;
      case Kind::remove_parameter: {
        RemoveParameter removed;
        removed.component = name();
        removed.vhost = name();
        removed.name = name();
        out = std::move(removed);
        return true;
      }
      default: return false;
    }
  }

  std::string text() { return std::string(as_text(from_.bytes(from_.le<std::uint16_t>()))); }
  std::string name() {
    std::string value = text();
    if (value.size() > limits::name_bytes_max) good_ = false;
    return value;
  }
  std::vector<std::string> names() {
    std::vector<std::string> values;
    const std::uint16_t count = from_.le<std::uint16_t>();
    for (std::uint16_t i = 0; i < count && from_.ok(); ++i) values.push_back(name());
    return values;
  }
  std::uint8_t flags(std::uint8_t known) {
    const std::uint8_t value = from_.u8();
    if ((value & ~known) != 0) good_ = false;
    return value;
  }
  Table table() {
    Table value;
    if (good_ && from_.ok() && !decode_table(from_, value)) good_ = false;
    return value;
  }
  std::uint8_t in_range(std::uint8_t first, std::uint8_t last) {
    const std::uint8_t value = from_.u8();
    if (value < first || value > last) good_ = false;
    return value;
  }

  VhostDefinition vhost() {
    VhostDefinition vhost;
    vhost.name = name();
    vhost.description = text();
    if (version_ < vhost_metadata_version) return vhost;
    vhost.tags = names();
    vhost.default_queue_type = name();
    if (!has_metadata(vhost)) good_ = false;  // it would have been written as version 1
    return vhost;
  }
  ExchangeDefinition exchange() {
    ExchangeDefinition exchange;
    exchange.vhost = name();
    exchange.name = name();
    exchange.type = static_cast<ExchangeType>(in_range(1, static_cast<std::uint8_t>(exchange_types.size())));
    const std::uint8_t set = flags(flag_durable | flag_auto_delete | flag_internal);
    exchange.durable = (set & flag_durable) != 0;
    exchange.auto_delete = (set & flag_auto_delete) != 0;
    exchange.internal = (set & flag_internal) != 0;
    exchange.arguments = table();
    return exchange;
  }
  QueueDefinition queue() {
    QueueDefinition queue;
    queue.vhost = name();
    queue.name = name();
    queue.id.value = from_.le<std::uint32_t>();
    queue.shard.value = from_.le<std::uint16_t>();
    if (queue.shard.value >= limits::shards_max) good_ = false;
    const std::uint8_t set =
        flags(flag_durable | flag_auto_delete | flag_exclusive | flag_delays | flag_history);
    queue.durable = (set & flag_durable) != 0;
    queue.auto_delete = (set & flag_auto_delete) != 0;
    queue.exclusive = (set & flag_exclusive) != 0;
    if ((set & flag_delays) != 0) queue.role = QueueRole::delays;
    if ((set & flag_history) != 0) {
      if (queue.role != QueueRole::plain) good_ = false;
      queue.role = QueueRole::history;
    }
    queue.owner.value = from_.le<std::uint64_t>();
    queue.arguments = table();
    return queue;
  }
  BindingDefinition binding() {
    BindingDefinition binding;
    binding.vhost = name();
    binding.source = name();
    binding.kind = static_cast<DestinationKind>(in_range(1, 2));
    binding.destination = name();
    binding.routing_key = name();
    binding.arguments = table();
    return binding;
  }
  UserDefinition user() {
    UserDefinition user;
    user.name = name();
    user.password_hash = text();
    user.tags = names();
    return user;
  }
  PermissionDefinition permission() {
    PermissionDefinition permission;
    permission.user = name();
    permission.vhost = name();
    permission.configure = text();
    permission.write = text();
    permission.read = text();
    return permission;
  }
  TopicPermissionDefinition topic_permission() {
    TopicPermissionDefinition permission;
    permission.user = name();
    permission.vhost = name();
    permission.exchange = name();
    permission.write = text();
    permission.read = text();
    return permission;
  }
  LimitDefinition limit() {
    LimitDefinition limit;
    limit.of = static_cast<LimitOf>(in_range(1, 2));
    limit.subject = name();
    limit.name = name();
    limit.value = static_cast<std::int64_t>(from_.le<std::uint64_t>());
    return limit;
  }
  PolicyDefinition policy() {
    PolicyDefinition policy;
    policy.vhost = name();
    policy.name = name();
    policy.of_operator = in_range(0, 1) != 0;
    policy.pattern = text();
    policy.targets = static_cast<PolicyTargets>(in_range(1, 15));
    policy.priority = static_cast<std::int64_t>(from_.le<std::uint64_t>());
    policy.definition = table();
    return policy;
  }
  ParameterDefinition parameter() {
    ParameterDefinition parameter;
    parameter.component = name();
    parameter.vhost = name();
    parameter.name = name();
    const Table holder = table();
    if (holder.size() != 1 || !holder.fields().front().key.empty()) {
      good_ = false;
    } else {
      parameter.value = holder.fields().front().value;
    }
    return parameter;
  }

  Reader from_;
  std::uint8_t version_;
  bool good_ = true;
};

}  // namespace

std::string_view to_string(ExchangeType type) {
  return exchange_types[static_cast<std::size_t>(type) - 1].name;
}

std::optional<ExchangeType> exchange_type(std::string_view name) {
  for (const NamedType& known : exchange_types) {
    if (known.name == name) return known.type;
  }
  return std::nullopt;
}

void encode_change(const Change& change, std::vector<std::byte>& out) {
  const std::size_t start = out.size();
  out.resize(start + change_header_bytes);
  const Kind kind = std::visit(Encoder{Writer(out)}, change);
  out[start] = static_cast<std::byte>(kind);
  out[start + 1] = static_cast<std::byte>(version_of(change));
  store_le(out.data() + start + 2, static_cast<std::uint32_t>(out.size() - start - change_header_bytes));
}

Result<std::vector<Change>> decode_changes(Bytes from) {
  std::vector<Change> changes;
  Reader reader(from);
  while (!reader.at_end()) {
    const auto kind = static_cast<Kind>(reader.u8());
    const std::uint8_t version = reader.u8();
    const Bytes payload = reader.bytes(reader.le<std::uint32_t>());
    if (!reader.ok()) return fail(ErrorCode::corrupt, "definitions: a change is cut off");
    const std::uint8_t newest = kind == Kind::put_vhost ? vhost_metadata_version : format_version;
    if (version == 0 || version > newest) {
      return fail(
          ErrorCode::corrupt,
          fmt::format("definitions: a change has version {}, this server reads version {}", version, newest));
    }
    if (!Decoder(payload, version).change(kind, changes.emplace_back())) {
      return fail(ErrorCode::corrupt, fmt::format("definitions: change {} of kind {} is malformed",
                                                  changes.size() - 1, static_cast<unsigned>(kind)));
    }
  }
  return changes;
}

}  // namespace weir::broker
