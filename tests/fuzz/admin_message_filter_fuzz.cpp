// A line of text is a filter, the rest a message's body: any text is a filter or an error with words, and any filter has an
// answer for any body. A condition on JSON alone is the same as in a filter.
#include <boost/json.hpp>
#include <cstdint>
#include <span>
#include <string_view>

#include "admin/message_filter.h"
#include "base/assert.h"
#include "base/bytes.h"

namespace {

using weir::admin::JsonCondition;
using weir::admin::MessageFilter;

class NoHeaders final : public weir::broker::HeaderSource {
 public:
  const weir::broker::Table& headers() override { return none_; }

 private:
  weir::broker::Table none_;
};

void check_condition(std::string_view text, std::string_view body) {
  const auto condition = JsonCondition::parse(text);
  boost::json::object as_filter{{"json", boost::json::value(text)}};
  const auto filter = MessageFilter::read(as_filter);
  WEIR_ASSERT(filter.has_value() == condition.has_value());
  boost::json::error_code error;
  const auto document = boost::json::parse(body, error);
  if (condition && !error) condition->holds(document);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(input.find('\n'), input.size());
  const std::string_view text = input.substr(0, end), body = input.substr(std::min(end + 1, input.size()));
  check_condition(text, body);
  boost::json::error_code error;
  const auto value = boost::json::parse(text, error);
  if (error || !value.is_object()) return 0;
  const auto filter = MessageFilter::read(value.get_object());
  if (!filter) {
    WEIR_ASSERT(!filter.error().message.empty());
    return 0;
  }
  if (*filter == nullptr) return 0;
  weir::broker::StoredMessage message;
  message.routing_key = body.substr(0, std::min<std::size_t>(body.size(), 255));
  message.body = std::as_bytes(std::span(body));
  NoHeaders headers;
  (void)(*filter)->test(message, true, false, headers);
  return 0;
}
