// What it is: a topology with one vhost, in which requests are decided and applied at once.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "broker/decide.h"
#include "broker/topology.h"

namespace weir::broker {

class FixedHeaders final : public HeaderSource {
 public:
  explicit FixedHeaders(Table table = {}) : table_(std::move(table)) {}
  const Table& headers() override {
    ++asked;
    return table_;
  }
  int asked = 0;

 private:
  Table table_;
};

struct SmallNode {
  SmallNode() {
    std::vector<Change> changes;
    new_vhost_changes("/", changes);
    for (const Change& change : changes) topology.apply(change);
  }

  Result<Decision> run(const Request& request, std::uint64_t session = 1) {
    Result<Decision> decision = decide(topology, {"guest", SessionId{session}}, request, {4, ++random});
    if (decision) {
      for (const Change& change : decision->changes) topology.apply(change);
    }
    return decision;
  }

  Result<Decision> exchange(const std::string& name, const std::string& type = "direct",
                            bool auto_delete = false) {
    return run(DeclareExchange{
        .vhost = "/", .name = name, .type = type, .auto_delete = auto_delete, .arguments = {}});
  }
  Result<Decision> queue(const std::string& name, bool durable = false) {
    return run(DeclareQueue{.vhost = "/", .name = name, .durable = durable, .arguments = {}});
  }
  static BindingDefinition binding(const std::string& source, const std::string& queue,
                                   const std::string& key = "", Table arguments = {}) {
    return {.vhost = "/",
            .source = source,
            .kind = DestinationKind::queue,
            .destination = queue,
            .routing_key = key,
            .arguments = std::move(arguments)};
  }
  static BindingDefinition exchange_binding(const std::string& source, const std::string& exchange,
                                            const std::string& key = "") {
    return {.vhost = "/",
            .source = source,
            .kind = DestinationKind::exchange,
            .destination = exchange,
            .routing_key = key,
            .arguments = {}};
  }
  Result<Decision> bind(const std::string& source, const std::string& queue, const std::string& key = "",
                        Table arguments = {}) {
    return run(Bind{binding(source, queue, key, std::move(arguments))});
  }
  Result<Decision> bind_exchange(const std::string& source, const std::string& exchange,
                                 const std::string& key = "") {
    return run(Bind{exchange_binding(source, exchange, key)});
  }

  // The names of the queues that a message reaches, in order; {"error: …"} if it is refused.
  std::vector<std::string> route(const std::string& exchange, const std::string& key, Table headers = {}) {
    FixedHeaders source(std::move(headers));
    std::vector<Target> targets;
    const Status status = topology.route("/", exchange, key, source, true, targets);
    if (!status) return {"error: " + status.error().message};
    std::vector<std::string> names;
    for (const Target& target : targets) names.push_back(topology.find_queue(target.queue)->name);
    std::sort(names.begin(), names.end());
    return names;
  }

  Topology topology;
  std::uint64_t random = 0;
};

using Names = std::vector<std::string>;

inline Table one_field(std::string key, Value value) {
  Table table;
  table.set(std::move(key), std::move(value));
  return table;
}
inline Value text(std::string value) { return Value{std::move(value)}; }

// "code: message", or "" for success.
template <typename T>
std::string error_of(const Result<T>& result) {
  return result ? std::string() : std::string(to_string(result.error().code)) + ": " + result.error().message;
}

}  // namespace weir::broker
