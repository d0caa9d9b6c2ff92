// What it is: a broker as a process of ours, in a temporary directory, on free ports of the loopback interface: it can be
// killed and started again on the same data and the same ports.
// Lifetime: the process and its directory end with the object; the process, too, when ours is killed.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"

namespace weir::cli {

class OwnBroker {
 public:
  enum class State : std::uint8_t { starting, ready, ended };

  // `program` is the weir binary; `parent` is where the directory is made.
  OwnBroker(std::string program, std::string parent);
  ~OwnBroker();
  OwnBroker(const OwnBroker&) = delete;
  OwnBroker& operator=(const OwnBroker&) = delete;

  // Starts the process, and does not wait until it is ready.
  Status spawn();
  State look();
  void kill();  // kill -9
  pid_t pid() const { return pid_; }

  // Known once it was ready.
  std::uint16_t amqp_port() const { return amqp_port_; }
  std::uint16_t admin_port() const { return admin_port_; }
  std::string last_words() const;  // of its log

 private:
  std::vector<std::string> arguments() const;
  bool read_ports();
  std::string file(const char* name) const { return directory_ + "/" + name; }

  const std::string program_, parent_;
  std::string directory_;
  pid_t pid_ = -1;  // -1: none runs
  std::uint16_t amqp_port_ = 0, admin_port_ = 0;
  bool ready_ = false;
};

}  // namespace weir::cli
