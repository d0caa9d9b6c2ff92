// What it is: objects that threads share by name: whoever asks for one gets it, and it goes with the last who holds it.
// For what is asked for rarely; what the objects hold must be atomic.
// Shard: any thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace weir::runtime {

template <typename T>
class SharedByName {
 public:
  std::shared_ptr<T> get(std::string_view name) {
    const std::lock_guard lock(mutex_);
    if (const auto found = held_.find(name); found != held_.end()) {
      if (std::shared_ptr<T> known = found->second.lock()) return known;
    }
    if (held_.size() >= 2 * kept_ + 16) forget_unused();
    auto made = std::make_shared<T>();
    held_[std::string(name)] = made;
    return made;
  }
  // Null: nobody holds it.
  std::shared_ptr<T> find(std::string_view name) {
    const std::lock_guard lock(mutex_);
    const auto found = held_.find(name);
    return found == held_.end() ? nullptr : found->second.lock();
  }

 private:
  // Now and then, so that names that nobody uses any more do not stay.
  void forget_unused() {
    std::erase_if(held_, [](const auto& entry) { return entry.second.expired(); });
    kept_ = held_.size();
  }

  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<T>, std::less<>> held_;
  std::size_t kept_ = 0;  // of the names, when they were last looked through
};

}  // namespace weir::runtime
