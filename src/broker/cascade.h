// What it is: which auto-delete exchanges go when bindings go: an exchange goes when the last binding out of it does, and
// with it the bindings that lead to it.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "broker/definitions.h"
#include "broker/topology.h"

namespace weir::broker {

// Within one vhost. Say what goes, then take the changes that follow from it.
class Cascade {
 public:
  Cascade(const Topology& topology, std::string vhost) : topology_(topology), vhost_(std::move(vhost)) {}

  // A queue or an exchange, with the bindings that lead to it.
  void destination_goes(DestinationKind kind, const std::string& name);
  // An exchange that the caller removes: it is not to be removed again.
  void exchange_goes(const std::string& name);
  void binding_goes(const std::string& source) { bindings_go(source, 1); }

  void finish(std::vector<Change>& out);

 private:
  void bindings_go(const std::string& source, std::size_t count);

  const Topology& topology_;
  std::string vhost_;
  std::map<std::string, std::size_t> gone_;  // bindings, by source
  std::set<std::string> going_;              // exchanges
  std::vector<std::string> found_;           // exchanges that go in consequence, in order
};

}  // namespace weir::broker
