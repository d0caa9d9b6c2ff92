// Any text is a selector or is refused with words and a place; whatever a message's properties are, no selector and its
// opposite both hold.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "broker/selector/selector.h"

namespace {

using weir::broker::SelectorValue;

// What a name stands for is decided by the name.
class Properties final : public weir::broker::SelectorSource {
 public:
  explicit Properties(std::string_view text) : text_(text) {}
  SelectorValue property(std::string_view name) override {
    switch (static_cast<unsigned char>(name.back()) % 7) {
      case 0: return {};
      case 1: return true;
      case 2: return INT64_MIN;
      case 3: return -2.5e300;
      case 4: return text_;
      case 5: return weir::broker::UntypedText{text_};
      default: return weir::broker::UntypedText{"-17"};
    }
  }

 private:
  std::string_view text_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto selector = weir::broker::Selector::parse(text);
  if (!selector) {
    WEIR_ASSERT(selector.error().message.starts_with("selector: "));
    WEIR_ASSERT(selector.error().message.find("at character ") != std::string::npos);
    return 0;
  }
  Properties properties(text);
  const bool holds = selector->matches(properties);
  const auto opposite = weir::broker::Selector::parse("NOT (" + std::string(text) + ")");
  if (opposite) WEIR_ASSERT(!(holds && opposite->matches(properties)));
  return 0;
}
