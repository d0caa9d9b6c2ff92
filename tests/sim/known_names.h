// What it is: what is known of the definitions from the answers that clients got: which exchanges, queues and bindings
// there are, there are not, or may be. Judges the definitions of a node at rest, and after each restart (e).
#pragma once

#include <map>
#include <set>
#include <string>

#include "base/ids.h"
#include "broker/topology.h"
#include "support/sim_node.h"

namespace weir::sim {

// Names say what they are: queues d0 durable, a0 durable and auto-delete, t0 transient, e0 exclusive; exchanges X… durable,
// x… transient, then the type: Xd0 direct, Xf0 fanout, Xt0 topic; and the broker's own amq.….
bool name_lasts(const std::string& name);

struct BindingName {
  std::string exchange, queue, key;
  auto operator<=>(const BindingName&) const = default;
  bool lasts() const { return name_lasts(exchange) && name_lasts(queue); }
};

enum class Is : std::uint8_t { absent, present, unsure };

class KnownNames {
 public:
  Is exchange(const std::string& name) const { return look_up(exchanges_, name); }
  Is queue(const std::string& name) const { return look_up(queues_, name); }
  Is binding(const BindingName& name) const { return look_up(bindings_, name); }
  void set_exchange(const std::string& name, Is is);  // not present: its bindings neither
  void set_queue(const std::string& name, Is is);
  void set_binding(const BindingName& name, Is is) { bindings_[name] = is; }

  // What is not known any more is looked up; what is known must be so. What is wrong, or empty.
  std::string judge(const broker::Topology& topology);
  // The same for what a restart brought back.
  std::string restarted(const broker::Topology& topology);

 private:
  template <typename Map, typename Key>
  static Is look_up(const Map& map, const Key& key) {
    const auto at = map.find(key);
    return at == map.end() ? Is::absent : at->second;
  }
  std::map<std::string, Is> exchanges_, queues_;
  std::map<BindingName, Is> bindings_;
};

// Judges that all shards know the same definitions; what is wrong, or empty.
std::string check_agreement(node::SimNode& node);

}  // namespace weir::sim
