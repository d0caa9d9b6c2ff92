// What it is: the messages of `weir bench amqp` as frames.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/publish_batch.h"

namespace weir::cli {

struct AmqpMessages {
  std::string exchange{};
  std::vector<std::string> routing_keys;  // of the lanes, all of one length
  bool mandatory = false;
  bool persistent = true;
  std::uint32_t size_bytes = 0;
  std::uint32_t frame_max = 0;
};

PublishForm amqp_form(AmqpMessages messages);

}  // namespace weir::cli
