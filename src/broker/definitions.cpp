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

struct Encoder {
  Writer out;

  void text(std::string_view value) {
    WEIR_ASSERT(value.size() <= text_bytes_max);
    out.le(static_cast<std::uint16_t>(value.size()));
    out.text(value);
  }
  void vhost(const VhostDefinition& vhost) {
    text(vhost.name);
    text(vhost.description);
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
    WEIR_ASSERT(change.user.tags.size() <= text_bytes_max);
    out.le(static_cast<std::uint16_t>(change.user.tags.size()));
    for (const std::string& tag : change.user.tags) text(tag);
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
};

class Decoder {
 public:
  explicit Decoder(Bytes payload) : from_(payload) {}

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
      default: return false;
    }
    return good_ && from_.ok() && from_.at_end();
  }

 private:
  std::string text() { return std::string(as_text(from_.bytes(from_.le<std::uint16_t>()))); }
  std::string name() {
    std::string value = text();
    if (value.size() > limits::name_bytes_max) good_ = false;
    return value;
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
    const std::uint16_t count = from_.le<std::uint16_t>();
    for (std::uint16_t i = 0; i < count && from_.ok(); ++i) user.tags.push_back(name());
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

  Reader from_;
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
  out[start + 1] = static_cast<std::byte>(format_version);
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
    if (version != format_version) {
      return fail(ErrorCode::corrupt,
                  fmt::format("definitions: a change has version {}, this server reads version {}", version,
                              format_version));
    }
    if (!Decoder(payload).change(kind, changes.emplace_back())) {
      return fail(ErrorCode::corrupt, fmt::format("definitions: change {} of kind {} is malformed",
                                                  changes.size() - 1, static_cast<unsigned>(kind)));
    }
  }
  return changes;
}

}  // namespace weir::broker
