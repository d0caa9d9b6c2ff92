// What it is: who wants to be called at the end of this turn.
// Shard: its own.
#pragma once

#include <algorithm>
#include <vector>

#include "node/session.h"

namespace weir::node {

class TurnHooks {
 public:
  void add(TurnHook& hook) {
    if (hook.hooked_) return;
    hook.hooked_ = true;
    hooks_.push_back(&hook);
  }
  void remove(TurnHook& hook) {
    if (!hook.hooked_) return;
    hook.hooked_ = false;
    std::replace(hooks_.begin(), hooks_.end(), &hook, static_cast<TurnHook*>(nullptr));
  }
  // Hooks that are added meanwhile run too.
  void run() {
    for (std::size_t i = 0; i < hooks_.size(); ++i) {
      TurnHook* const hook = hooks_[i];
      if (hook == nullptr) continue;
      hook->hooked_ = false;
      hooks_[i] = nullptr;
      hook->on_turn_end();
    }
    hooks_.clear();
  }
  bool empty() const { return hooks_.empty(); }

 private:
  std::vector<TurnHook*> hooks_;
};

}  // namespace weir::node
