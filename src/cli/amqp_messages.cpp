#include "cli/amqp_messages.h"

#include <utility>

#include "cli/amqp_client.h"
#include "protocol/amqp091/codec/content_frames.h"

namespace weir::cli {

using namespace amqp091;

PublishForm amqp_form(AmqpMessages messages) {
  std::vector<std::byte> properties;
  append_properties(properties, {.delivery_mode = static_cast<std::uint8_t>(messages.persistent ? 2 : 1)});
  std::vector<std::byte> publish;
  append_method_frame(publish, client_channel,
                      BasicPublish{.exchange = messages.exchange,
                                   .routing_key = messages.routing_keys.front(),
                                   .mandatory = messages.mandatory});
  PublishForm form;
  form.lanes = messages.routing_keys.size();
  form.body_at = publish.size() + content_header_frame_bytes(properties.size()) + frame_header_bytes;
  form.body_bytes = messages.size_bytes;
  form.message = [messages = std::move(messages), properties,
                  body = make_body(form.body_bytes)](std::size_t lane) {
    std::vector<std::byte> frames;
    append_method_frame(frames, client_channel,
                        BasicPublish{.exchange = messages.exchange,
                                     .routing_key = messages.routing_keys[lane],
                                     .mandatory = messages.mandatory});
    append_content_frames(frames, client_channel, properties, body, messages.frame_max);
    return frames;
  };
  return form;
}

}  // namespace weir::cli
